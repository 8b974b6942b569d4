use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use proto::Hostname;
use proxy::config::PublicPorts;

use crate::failure::Failure;
use crate::listening::Listening;
use crate::output::{Out, quoted};

/// What `epr up` says once everything is there.
pub(super) struct Greeting<'a> {
    pub(super) listening: &'a Listening,
    pub(super) data_dir: &'a Path,
    pub(super) domains: &'a [Hostname],
    pub(super) public: PublicPorts,
}

/// A line to type, and what it is for.
type Step = (&'static str, String);

impl Greeting<'_> {
    pub(super) fn print(&self, steps: impl FnOnce(&Self) -> Vec<Step>) -> Result<(), Failure> {
        let mut out = Out::new();
        let paint = out.paint();
        out.line(format_args!("{}\n", paint.bold("epr is up")));
        for (what, value) in self.facts() {
            out.line(format_args!("  {what:<19} {value}"));
        }
        out.line(format_args!("\n{}", paint.bold("Try, in another terminal:")));
        let mut about = "";
        for (what, line) in steps(self) {
            if what != about {
                out.line(format_args!("\n  {}", paint.dim(format_args!("# {what}"))));
                about = what;
            }
            out.line(format_args!("  {line}"));
        }
        out.line("");
        out.finish()
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let listening = self.listening;
        let shown = |addr: Option<SocketAddr>| addr.map(|addr| addr.to_string()).unwrap_or_default();
        let names: Vec<_> = self.domains.iter().map(|domain| format!("*.{domain}")).collect();
        vec![
            ("HTTP, WebSocket", shown(listening.http)),
            ("HTTPS, Secure TCP", shown(listening.https)),
            ("names", names.join("  ")),
            ("gRPC", shown(listening.grpc)),
            ("JSON API", self.api()),
            ("admin", format!("http://{}/metrics", shown(listening.admin))),
            ("CA to trust", self.file("tls/ca.pem")),
            ("token", self.file("admin.token")),
        ]
    }

    /// The URL of the JSON API.
    fn api(&self) -> String {
        api_url(self.listening).unwrap_or_default()
    }

    /// What makes the rio client talk to this epr.
    fn rio(&self) -> Vec<Step> {
        let what = "the rio client, unmodified: its own configuration, then as always";
        let token = self.file("admin.token");
        let login = format!(
            "rio auth login --auth-token \"$(cat {token})\" --organization default --project default --silent"
        );
        vec![
            (what, rio_config(&self.api())),
            (what, "export RIO_CONFIG=$PWD/rio.json".to_owned()),
            (what, login),
        ]
    }

    fn file(&self, name: &str) -> String {
        quoted(&self.data_dir.join(name).display().to_string())
    }

    /// A verb of this program, as it has to be typed here.
    fn epr(&self, verb: &str) -> String {
        let program = program();
        let data_dir = self.data_dir.display().to_string();
        if data_dir == "epr-data" {
            return format!("{program} {verb}");
        }
        format!("{program} {verb} --data-dir {}", quoted(&data_dir))
    }

    /// A name that needs no DNS, or else the first.
    fn host(&self, label: &str) -> String {
        let local = self.domains.iter().find(|domain| domain.as_str().ends_with(".localhost"));
        let domain = local.or(self.domains.first()).map(Hostname::as_str).unwrap_or_default();
        format!("{label}.{domain}")
    }

    /// Curl at one of the ports, with what is left to the name service spelled out where there is none.
    fn curl(&self, scheme: &str, label: &str, options: &str, path: &str) -> String {
        let (at, public, usual) = match scheme {
            "https" => (self.listening.https, self.public.https, 443),
            _ => (self.listening.http, self.public.http, 80),
        };
        let host = self.host(label);
        let mut line = "curl".to_owned();
        if scheme == "https" {
            line += &format!(" --cacert {}", self.file("tls/ca.pem"));
        }
        if let Some(ip) = at.map(|at| reachable(at.ip())).filter(|ip| !resolves_to(&host, *ip)) {
            line += &format!(" --resolve {host}:{public}:{ip}");
        }
        let port = if public == usual { String::new() } else { format!(":{public}") };
        format!("{line}{options} {scheme}://{host}{port}{path}")
    }
}

/// What to type after a plain `epr up`.
pub(super) fn first_steps(greeting: &Greeting<'_>) -> Vec<Step> {
    let mut steps = vec![
        ("an application, and the routes to it", "python3 -m http.server 9000 --bind 127.0.0.1 &".to_owned()),
        ("an application, and the routes to it", greeting.epr("apply -f examples/hello.yaml")),
        ("over HTTP and HTTPS", greeting.curl("http", "hello", "", "/")),
        ("over HTTP and HTTPS", greeting.curl("https", "hello-safe", "", "/")),
        ("why it is answered so", greeting.epr(&format!("explain https://{}/", greeting.host("hello-safe")))),
        ("or, instead of this one, see everything at work", greeting.epr("up --demo")),
    ];
    steps.extend(greeting.rio());
    steps
}

/// What to type after `epr up --demo`.
pub(super) fn demo_steps(greeting: &Greeting<'_>) -> Vec<Step> {
    const UPGRADE: &str = " -isN --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
                           -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: ZXByIHNheXMgaGVsbG8hIQ=='";
    let https = greeting.listening.https.map(|at| SocketAddr::new(reachable(at.ip()), at.port()));
    let secure = format!(
        "printf 'hello\\nbye\\n' | openssl s_client -quiet -verify_quiet -connect {} -servername {}",
        https.map(|at| at.to_string()).unwrap_or_default(),
        greeting.host("hello-tls"),
    );
    vec![
        ("HTTP", greeting.curl("http", "hello-web", "", "/")),
        ("HTTPS", greeting.curl("https", "hello-secure", "", "/")),
        ("WebSocket, and WebSocket over TLS", greeting.curl("http", "hello-web", UPGRADE, "/greeting")),
        ("WebSocket, and WebSocket over TLS", greeting.curl("https", "hello-secure", UPGRADE, "/greeting")),
        ("Secure TCP: the certificate is the backend's own", secure),
        ("move a route to another deployment", greeting.epr("bind hello-web hello-green/WEB --move --wait")),
        ("move a route to another deployment", greeting.curl("http", "hello-web", "", "/")),
        ("see what is there", greeting.epr("get deployments")),
        ("see what is there", greeting.epr("get routes")),
        ("see what is there", greeting.epr(&format!("explain tls://{}", greeting.host("hello-tls")))),
    ]
}

/// What `epr control` says.
pub(super) fn of_control(listening: &Listening, data_dir: &Path) -> Result<(), Failure> {
    let token = quoted(&data_dir.join("proxy.token").display().to_string());
    let Some(grpc) = listening.grpc else { return Ok(()) };
    let (at, follow) = match listening.grpc_tls {
        true => (format!("https://{grpc}"), format!("https://HOST:{} --ca FILE", grpc.port())),
        false => (format!("http://{grpc}"), format!("http://{grpc}")),
    };
    let mut out = Out::new();
    out.line(format_args!("control plane at {at}, its files in {}", data_dir.display()));
    out.line(format_args!("a proxy for it: {} proxy --control {follow} --token-file {token}", program()));
    if let Some(api) = api_url(listening) {
        out.line(format_args!("JSON API at {api}; for the rio client: {}", rio_config(&api)));
    }
    out.finish()
}

/// What `epr proxy` says.
pub(super) fn of_proxy(listening: &Listening, data_dir: &Path, control: &str) -> Result<(), Failure> {
    let shown = |addr: Option<SocketAddr>| addr.map(|addr| addr.to_string()).unwrap_or_default();
    let mut out = Out::new();
    out.line(format_args!(
        "proxy at {} (HTTP), {} (HTTPS, Secure TCP), its files in {}",
        shown(listening.http),
        shown(listening.https),
        data_dir.display()
    ));
    out.line(format_args!("following {control}; admin at http://{}/ready", shown(listening.admin)));
    out.finish()
}

/// The URL of the JSON API, if it is served.
fn api_url(listening: &Listening) -> Option<String> {
    let scheme = if listening.grpc_tls { "https" } else { "http" };
    let api = listening.api?;
    Some(format!("{scheme}://{}", SocketAddr::new(reachable(api.ip()), api.port())))
}

/// Writes the configuration with which the rio client finds the API at `url`.
fn rio_config(url: &str) -> String {
    format!(r#"echo '{{"v2api_host":"{url}","rip_host":"{url}"}}' > rio.json"#)
}

/// This program, as it was called.
fn program() -> String {
    let name = std::env::args_os().next().map(|name| name.to_string_lossy().into_owned());
    quoted(&name.unwrap_or_else(|| "epr".to_owned()))
}

/// Where a client on this machine reaches what listens on `ip`.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// Whether clients find `host` at `ip` by themselves: names under localhost are this machine (RFC 6761
/// 6.3), which they take to be 127.0.0.1 and ::1.
fn resolves_to(host: &str, ip: IpAddr) -> bool {
    let local = [IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)];
    host.ends_with(".localhost") && local.contains(&ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(http: &str) -> Listening {
        Listening {
            pid: 1,
            grpc: None,
            grpc_tls: false,
            api: None,
            http: http.parse().ok(),
            https: "127.0.0.1:8443".parse().ok(),
            admin: None,
        }
    }

    #[test]
    fn lines_say_what_the_name_service_does_not() {
        let domains = [Hostname::parse("ep-r.io").unwrap(), Hostname::parse("ep-r.localhost").unwrap()];
        let line = |http: &str, domains: &[Hostname], port| {
            let public = PublicPorts { http: port, https: 443 };
            let (listening, data_dir) = (listening(http), Path::new("my data"));
            Greeting { listening: &listening, data_dir, domains, public }.curl("http", "a", "", "/")
        };
        assert_eq!(line("0.0.0.0:80", &domains, 80), "curl http://a.ep-r.localhost/");
        assert_eq!(line("127.0.0.1:8080", &domains, 8080), "curl http://a.ep-r.localhost:8080/");
        assert_eq!(
            line("10.0.0.1:8080", &domains, 80),
            "curl --resolve a.ep-r.localhost:80:10.0.0.1 http://a.ep-r.localhost/"
        );
        assert_eq!(
            line("127.0.0.1:8080", &domains[..1], 80),
            "curl --resolve a.ep-r.io:80:127.0.0.1 http://a.ep-r.io/"
        );
    }
}
