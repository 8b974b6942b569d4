use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::{Fault, Outcome, Process, Stage, eventually, tools};

/// nginx serving a directory, as whoever runs the test.
pub struct Nginx {
    addr: SocketAddr,
    tls_addr: SocketAddr,
    www: PathBuf,
    _process: Process,
}

impl Nginx {
    /// Starts it and waits until it accepts.
    pub async fn start(stage: &Stage) -> Outcome<Self> {
        let addr = stage.free_port()?;
        Self::run(stage, addr, addr, "").await
    }

    /// Starts it with a second port that speaks TLS, with a certificate trusted by nobody.
    pub async fn start_with_tls(stage: &Stage) -> Outcome<Self> {
        let (certificate, key) = (stage.dir().join("nginx.pem"), stage.dir().join("nginx.key"));
        let mut openssl = tools::command("openssl", ["req", "-x509", "-nodes", "-subj", "/CN=nginx"])?;
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        tools::finish(openssl).await?.success()?;
        let (certificate, key) = (certificate.display(), key.display());
        let (addr, tls_addr) = (stage.free_port()?, stage.free_port()?);
        let tls = format!(
            "    listen {tls_addr} ssl;\n    ssl_certificate {certificate};\n    ssl_certificate_key {key};\n"
        );
        Self::run(stage, addr, tls_addr, &tls).await
    }

    async fn run(stage: &Stage, addr: SocketAddr, tls_addr: SocketAddr, more: &str) -> Outcome<Self> {
        let home = stage.dir().join("nginx");
        let www = home.join("www");
        fs::create_dir_all(&www)?;
        let config = stage.write("nginx/nginx.conf", configuration(&home, addr, more))?;
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
        Ok(Self { addr, tls_addr, www, _process: process })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it speaks TLS; where it listens, when it was started without.
    pub fn tls_addr(&self) -> SocketAddr {
        self.tls_addr
    }

    /// Puts a file where it serves it.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> Outcome {
        Ok(fs::write(self.www.join(name), content)?)
    }
}

fn configuration(home: &Path, addr: SocketAddr, more: &str) -> String {
    let home = home.display();
    format!(
        "daemon off;\nmaster_process off;\npid {home}/nginx.pid;\nerror_log stderr;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000;\n  client_body_temp_path {home}/body;\n  \
         proxy_temp_path {home}/proxy;\n  fastcgi_temp_path {home}/fastcgi;\n  uwsgi_temp_path {home}/uwsgi;\n  \
         scgi_temp_path {home}/scgi;\n  server {{\n    listen {addr};\n{more}    root {home}/www;\n    \
         add_header x-backend nginx always;\n    add_header x-connection-requests $connection_requests always;\n  \
         }}\n}}\n"
    )
}
