use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::{Fault, Outcome, Process, Stage, eventually, tools};

/// nginx serving a directory, as whoever runs the test.
pub struct Nginx {
    addr: SocketAddr,
    www: PathBuf,
    _process: Process,
}

impl Nginx {
    /// Starts it and waits until it accepts.
    pub async fn start(stage: &Stage) -> Outcome<Self> {
        let addr = stage.free_port()?;
        let home = stage.dir().join("nginx");
        let www = home.join("www");
        fs::create_dir_all(&www)?;
        let config = stage.write("nginx/nginx.conf", configuration(&home, addr))?;
        let mut command = tools::command("nginx", ["-c"])?;
        command.arg(&config).arg("-p").arg(&home).arg("-e").arg("stderr");
        let mut process = Process::start(stage, "nginx", command)?;
        eventually("nginx", Duration::from_secs(20), async || {
            if let Some(status) = process.ended()? {
                return Err(Fault::new(format_args!("nginx ended with {status}: {}", process.err())));
            }
            Ok(TcpStream::connect(addr).await.ok())
        })
        .await?;
        Ok(Self { addr, www, _process: process })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Puts a file where it serves it.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> Outcome {
        Ok(fs::write(self.www.join(name), content)?)
    }
}

fn configuration(home: &Path, addr: SocketAddr) -> String {
    let home = home.display();
    format!(
        "daemon off;\nmaster_process off;\npid {home}/nginx.pid;\nerror_log stderr;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000;\n  client_body_temp_path {home}/body;\n  \
         proxy_temp_path {home}/proxy;\n  fastcgi_temp_path {home}/fastcgi;\n  uwsgi_temp_path {home}/uwsgi;\n  \
         scgi_temp_path {home}/scgi;\n  server {{\n    listen {addr};\n    root {home}/www;\n    \
         add_header x-backend nginx always;\n    add_header x-connection-requests $connection_requests always;\n  \
         }}\n}}\n"
    )
}
