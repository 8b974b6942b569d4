//! Reaching the control plane.

mod unreached;

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use proto::wire::deployment_service_client::DeploymentServiceClient;
use proto::wire::fleet_service_client::FleetServiceClient;
use proto::wire::identity_service_client::IdentityServiceClient;
use proto::wire::package_service_client::PackageServiceClient;
use proto::wire::route_service_client::RouteServiceClient;
use proto::wire::secret_service_client::SecretServiceClient;
use proto::wire::static_route_service_client::StaticRouteServiceClient;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};

use crate::args::ServerArgs;
use crate::failure::Failure;
use crate::listening::Listening;

const CONNECT: Duration = Duration::from_secs(5);
/// Longer than the longest wait a bind may ask for.
const CALL: Duration = Duration::from_secs(90);

/// A connection to the control plane on which every call carries the token.
#[derive(Clone)]
pub(crate) struct Client {
    channel: Channel,
    bearer: Bearer,
    /// The project calls are about; empty for the token's.
    project: String,
}

pub(crate) type Authenticated = InterceptedService<Channel, Bearer>;

#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Runs a verb on a runtime of its own.
pub(crate) fn block_on(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::refused(format_args!("cannot start: {error}")))?.block_on(verb)
}

impl Client {
    /// Connects to the server the arguments name.
    pub(crate) async fn of(args: &ServerArgs) -> Result<Self, Failure> {
        let data_dir = args.data.data_dir.as_path();
        let url = match &args.server {
            Some(url) => url.clone(),
            None => url_of(&Listening::read(data_dir)?, data_dir)?,
        };
        let token = match (&args.token_file, std::env::var("EPR_TOKEN")) {
            (None, Ok(token)) if !token.is_empty() => token,
            (file, _) => read_token(&file.clone().unwrap_or_else(|| data_dir.join("admin.token")))?,
        };
        let ca = args.ca.clone().or_else(|| Some(data_dir.join("tls/ca.pem")).filter(|path| path.exists()));
        let client = Self::connect(&url, &token, ca).await?;
        Ok(Self { project: args.project.clone().unwrap_or_default(), ..client })
    }

    /// Connects to `url`, verifying an https one by `ca`, or by the system's CAs.
    pub(crate) async fn connect(url: &str, token: &str, ca: Option<PathBuf>) -> Result<Self, Failure> {
        let bearer =
            Bearer(format!("Bearer {}", token.trim()).parse().map_err(|_| {
                Failure::usage("EPR_TOKEN holds no token: they are printable ASCII characters")
            })?);
        let target = Target::parse(url)?;
        let tls = match target.tls {
            true => Some(certs::client_config(ca.as_deref()).map_err(untrusted)?),
            false => None,
        };
        let endpoint = Endpoint::from_shared(format!("http://{}", target.authority))
            .map_err(|_| not_a_url(url))?
            .connect_timeout(CONNECT)
            .timeout(CALL);
        let connector = tower::service_fn(move |_: Uri| dial(target.clone(), tls.clone()));
        let connected = endpoint.connect_with_connector(connector).await;
        let channel = connected.map_err(|error| unreached::not_connected(url, ca.as_deref(), &error))?;
        Ok(Self { channel, bearer, project: String::new() })
    }

    /// The project a call is about, as requests have it.
    pub(crate) fn project(&self) -> String {
        self.project.clone()
    }

    pub(crate) fn authenticated(&self) -> Authenticated {
        InterceptedService::new(self.channel.clone(), self.bearer.clone())
    }

    pub(crate) fn packages(&self) -> PackageServiceClient<Authenticated> {
        PackageServiceClient::new(self.authenticated())
    }

    pub(crate) fn deployments(&self) -> DeploymentServiceClient<Authenticated> {
        DeploymentServiceClient::new(self.authenticated())
    }

    pub(crate) fn static_routes(&self) -> StaticRouteServiceClient<Authenticated> {
        StaticRouteServiceClient::new(self.authenticated())
    }

    pub(crate) fn routes(&self) -> RouteServiceClient<Authenticated> {
        RouteServiceClient::new(self.authenticated())
    }

    pub(crate) fn secrets(&self) -> SecretServiceClient<Authenticated> {
        SecretServiceClient::new(self.authenticated())
    }

    pub(crate) fn identity(&self) -> IdentityServiceClient<Authenticated> {
        IdentityServiceClient::new(self.authenticated())
    }

    pub(crate) fn fleet(&self) -> FleetServiceClient<Authenticated> {
        FleetServiceClient::new(self.authenticated())
    }
}

/// Reads a token; the file may end in a line break.
pub(crate) fn read_token(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format_args!("cannot read the token {}: {error}", path.display())))
        .map_err(|failure| {
            failure.hint("--token-file FILE names another, EPR_TOKEN holds the token itself")
        })?;
    match text.trim() {
        token if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(token.to_owned())
        }
        _ => Err(Failure::usage(format_args!("{} holds no token", path.display()))
            .hint("--token-file FILE names another, EPR_TOKEN holds the token itself")),
    }
}

fn untrusted(error: certs::CertsError) -> Failure {
    Failure::usage(format_args!("{error}; --ca FILE names the CA to trust"))
}

fn url_of(listening: &Listening, data_dir: &Path) -> Result<String, Failure> {
    let scheme = if listening.grpc_tls { "https" } else { "http" };
    let grpc = listening.grpc.ok_or_else(|| {
        Failure::unreachable(format_args!(
            "what runs with {} is a proxy without a control plane",
            data_dir.display()
        ))
        .hint("name the control plane: --server URL")
    })?;
    let host = match grpc.ip() {
        ip if !ip.is_unspecified() => return Ok(format!("{scheme}://{grpc}")),
        // Every address of this machine; a certificate names none of them but by chance.
        _ if listening.grpc_tls => "localhost",
        IpAddr::V4(_) => "127.0.0.1",
        IpAddr::V6(_) => "[::1]",
    };
    Ok(format!("{scheme}://{host}:{}", grpc.port()))
}

/// What a server's URL says.
#[derive(Clone)]
struct Target {
    tls: bool,
    host: String,
    authority: String,
}

impl Target {
    fn parse(url: &str) -> Result<Self, Failure> {
        let uri: Uri = url.parse().map_err(|_| not_a_url(url))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(not_a_url(url)),
        };
        let (Some(host), true) = (uri.host(), matches!(uri.path(), "" | "/")) else {
            return Err(not_a_url(url));
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let authority = format!("{host}:{port}");
        Ok(Self { tls, host: host.trim_matches(['[', ']']).to_owned(), authority })
    }
}

/// Whether `url` is one that a server can have.
pub(crate) fn check_url(url: &str) -> Result<(), Failure> {
    Target::parse(url).map(|_| ())
}

fn not_a_url(url: &str) -> Failure {
    Failure::usage(format_args!("{url:?} is not a server URL like http://127.0.0.1:7700"))
}

trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

type Dialled = TokioIo<Pin<Box<dyn Stream>>>;

/// Connects, and makes the TLS handshake when one is wanted.
async fn dial(target: Target, tls: Option<Arc<tokio_rustls::rustls::ClientConfig>>) -> io::Result<Dialled> {
    let tcp = TcpStream::connect(&target.authority).await?;
    tcp.set_nodelay(true)?;
    let Some(tls) = tls else {
        may_hear_tokens(tcp.peer_addr()?.ip())?;
        return Ok(TokioIo::new(Box::pin(tcp)));
    };
    let name = target.host.try_into().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = TlsConnector::from(tls).connect(name, tcp).await?;
    Ok(TokioIo::new(Box::pin(stream)))
}

/// Whether a token may go to `peer` in the clear: it travels with each call, and so to everybody on the way.
fn may_hear_tokens(peer: IpAddr) -> io::Result<()> {
    match peer.to_canonical().is_loopback() {
        true => Ok(()),
        false => {
            let why = "http:// would send the token in the clear beyond this machine; use https://";
            Err(io::Error::new(io::ErrorKind::InvalidInput, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_leave_the_machine_under_tls_alone() {
        for (peer, may) in
            [("127.0.0.1", true), ("::ffff:127.0.0.1", true), ("10.0.0.7", false), ("fd00::1", false)]
        {
            assert_eq!(may_hear_tokens(peer.parse().unwrap()).is_ok(), may, "{peer}");
        }
    }

    #[test]
    fn urls_are_read_whole() {
        let target = |url| Target::parse(url).map(|target| (target.tls, target.host, target.authority));
        assert_eq!(target("http://[::1]:7700").unwrap(), (false, "::1".into(), "[::1]:7700".into()));
        assert_eq!(target("https://c.example").unwrap(), (true, "c.example".into(), "c.example:443".into()));
        for bad in ["127.0.0.1:7700", "ftp://x", "http://x/path", ""] {
            assert!(target(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn nobody_there_is_said_so() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let failure = Client::connect(&url, "token", None).await.err().unwrap();
        assert!(failure.to_string().contains("Connection refused"), "{failure}");
    }
}
