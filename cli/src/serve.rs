//! `epr up`, `epr control`, `epr proxy`: what runs until it is told to stop.
//!
//! The proxy comes first: it binds, and serves the last good table before the control plane is up.

mod certificates;
mod edge;
mod greeting;
mod halves;
mod logging;
mod names;
mod ports;
mod room;
mod stop;

use std::net::Ipv4Addr;
use std::time::Duration;

use control::Control;
use control::config::{BackendNetworks, Config, PublicPorts};
use proto::wire::{ListProxiesRequest, Proxy};
use proxy::config::FeedConfig;

use crate::args::{ControlArgs, ProxyArgs, UpArgs};
use crate::client::{Client, check_url, read_token};
use crate::demo::Demo;
use crate::failure::Failure;
use crate::listening::{Listening, Published};
use edge::Edge;
use greeting::Greeting;
use halves::LateMetrics;
use ports::Reserved;
use room::Room;
use stop::Stop;

/// The proxy of a process that is both halves, in the fleet.
const LOCAL: &str = "local";
/// Between its tries to follow: there is nobody else whom they could be too many for.
const LOCAL_BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// How often it is looked at before the greeting comes without it.
const LOCAL_LOOKS: u32 = 250;

/// Both halves in one process.
pub(crate) fn up(args: UpArgs) -> Result<(), Failure> {
    logging::start(&args.log)?;
    let room = Room::enter(&args.data.data_dir)?;
    runtime()?.block_on(up_in(&room, &args))
}

async fn up_in(room: &Room, args: &UpArgs) -> Result<(), Failure> {
    let stop = Stop::listen()?;
    let domains = args.base_domains.base_domains.as_slice();
    ports::judge(
        &[args.edge.listeners().as_slice(), &[("--grpc", args.grpc), ("--api", args.api)]].concat(),
    )?;
    let grpc = Reserved::at(args.grpc, "--grpc")?;
    // The demonstration's backends are on this machine whoever is served.
    let loopback = args.demo || args.edge.serves_this_machine_alone();
    let edge = Edge { args: &args.edge, room, domains, loopback };
    if room.token_is_to_be_renewed() {
        // The control plane does that when it opens, and the proxy needs the new one to begin with.
        let briefly = Config {
            grpc: (Ipv4Addr::LOCALHOST, 0).into(),
            secrets_key: args.secrets.secrets_key.clone(),
            ..Config::new(room.path().to_owned(), domains.to_vec())
        };
        drop(Control::open(briefly).await.map_err(|error| halves::not_opened(&error))?);
    }
    let metrics = LateMetrics::default();
    let mut feed = FeedConfig::new(format!("http://{}", grpc.addr()), room.proxy_token()?, LOCAL.to_owned());
    feed.backoff = LOCAL_BACKOFF;
    let (proxy, public) = edge.bind(edge.development_certificates()?, feed, Some(metrics.source()))?;
    let demo = if args.demo { Some(Demo::start(domains).await?) } else { None };
    let listening = Listening::of_proxy(&proxy);

    // Withdrawn when this function ends, and everything with it.
    let mut published = None;
    let control = Box::pin(async {
        let config = Config {
            grpc: grpc.release(),
            api: Some(args.api),
            public_ports: PublicPorts { http: public.http, https: public.https },
            backend_networks: BackendNetworks::new(edge.networks()),
            secrets_key: args.secrets.secrets_key.clone(),
            ..Config::new(room.path().to_owned(), domains.to_vec())
        };
        let control =
            Control::open(args.names.within(config)?).await.map_err(|error| halves::not_opened(&error))?;
        metrics.set(control.metrics());
        let (grpc, api) = (Some(control.grpc_addr()), control.api_addr());
        let listening = Listening { grpc, api, ..listening.clone() };
        let greeting = Greeting { listening: &listening, data_dir: room.path(), domains, public };
        let serving = halves::run_control(control, &stop);
        let greeted = async {
            tokio::select! {
                greeted = greet(greeting, room, demo.as_ref(), &mut published) => greeted,
                () = stop.asked() => Ok(()),
            }
        };
        tokio::try_join!(serving, greeted).map(|_| ())
    });
    halves::run_both(proxy.run(stop.signal()), control, &stop).await
}

/// Says what is there, once it is; with a demonstration, first sees to it that there is something.
async fn greet(
    greeting: Greeting<'_>,
    room: &Room,
    demo: Option<&Demo>,
    published: &mut Option<Published>,
) -> Result<(), Failure> {
    let grpc = greeting.listening.grpc.map(|addr| format!("http://{addr}")).unwrap_or_default();
    let client = Client::connect(&grpc, &read_token(&room.path().join("admin.token"))?, None).await?;
    followed(&client).await?;
    *published = Some(greeting.listening.publish(room.path())?);
    let Some(demo) = demo else { return greeting.print(greeting::first_steps) };
    let lease = demo.set_up(&client, room.path()).await?;
    greeting.print(greeting::demo_steps)?;
    demo.keep_alive(&client, room.path(), lease).await
}

/// Waits until the proxy of this process serves what the control plane of this process says: then what is
/// applied is served when `epr apply` returns.
async fn followed(client: &Client) -> Result<(), Failure> {
    let serves = |proxy: &Proxy| proxy.id == LOCAL && proxy.connected && proxy.applied.is_some();
    for _ in 0..LOCAL_LOOKS {
        let fleet = client.fleet().list_proxies(ListProxiesRequest {}).await;
        let fleet = fleet.map_err(|status| Failure::of_call("cannot start", &status))?.into_inner();
        if fleet.proxies.iter().any(serves) {
            return Ok(());
        }
        tokio::time::sleep(LOCAL_BACKOFF.0).await;
    }
    tracing::warn!("the proxy does not follow the control plane yet; it goes on trying");
    Ok(())
}

/// The control plane alone.
pub(crate) fn control_alone(args: ControlArgs) -> Result<(), Failure> {
    logging::start(&args.log)?;
    let room = Room::enter(&args.data.data_dir)?;
    runtime()?.block_on(control_in(&room, &args))
}

async fn control_in(room: &Room, args: &ControlArgs) -> Result<(), Failure> {
    let stop = Stop::listen()?;
    let admin = args.admin.map(|admin| ("--admin", admin));
    let listeners: Vec<_> = [("--grpc", args.grpc), ("--api", args.api)].into_iter().chain(admin).collect();
    ports::judge(&listeners)?;
    let certificate = match (&args.tls_cert, &args.tls_key) {
        (Some(chain), Some(key)) => Some(certs::Sole::load(chain, key).map_err(Failure::refused)?),
        _ => None,
    };
    let tls = certificate.as_ref().map(certs::Sole::server_config).transpose().map_err(Failure::refused)?;
    let networks = args.backends.networks(args.grpc.ip().is_loopback());
    let config = Config {
        grpc: args.grpc,
        api: Some(args.api),
        tls: tls.clone(),
        public_ports: PublicPorts { http: args.public_http, https: args.public_https },
        backend_networks: BackendNetworks::new(networks),
        secrets_key: args.secrets.secrets_key.clone(),
        admin: args.admin,
        ..Config::new(room.path().to_owned(), args.base_domains.base_domains.clone())
    };
    let control =
        Control::open(args.names.within(config)?).await.map_err(|error| halves::not_opened(&error))?;
    let listening = Listening {
        pid: std::process::id(),
        grpc: Some(control.grpc_addr()),
        grpc_tls: tls.is_some(),
        api: control.api_addr(),
        http: None,
        https: None,
        admin: control.admin_addr(),
    };
    let _published = listening.publish(room.path())?;
    greeting::of_control(&listening, room.path())?;
    let serving = async {
        tokio::select! {
            ended = halves::run_control(control, &stop) => ended,
            () = certificates::keep_sole(certificate) => Ok(()),
        }
    };
    Box::pin(stop.until_done(serving)).await
}

/// A proxy alone.
pub(crate) fn proxy_alone(args: ProxyArgs) -> Result<(), Failure> {
    logging::start(&args.log)?;
    let room = Room::enter(&args.data_dir)?;
    runtime()?.block_on(proxy_in(&room, &args))
}

async fn proxy_in(room: &Room, args: &ProxyArgs) -> Result<(), Failure> {
    check_url(&args.control)?;
    ports::judge(&args.edge.listeners())?;
    let stop = Stop::listen()?;
    let domains = args.base_domains.base_domains.as_slice();
    let loopback = args.edge.serves_this_machine_alone();
    let edge = Edge { args: &args.edge, room, domains, loopback };
    let certificates = edge.certificates(&args.certificates)?;
    let id = args.id.clone().unwrap_or_else(|| edge.default_id());
    let mut feed = FeedConfig::new(args.control.clone(), read_token(&args.token_file)?, id);
    feed.ca = edge::control_ca(&args.control, args.ca.as_deref())?;
    let (proxy, _) = edge.bind(certificates.clone(), feed, None)?;
    let listening = Listening::of_proxy(&proxy);
    let _published = listening.publish(room.path())?;
    greeting::of_proxy(&listening, room.path(), &args.control)?;
    let serving = async {
        tokio::select! {
            report = proxy.run(stop.signal()) => halves::tell(&report),
            () = certificates::look_when_asked(certificates) => {}
        }
        Ok(())
    };
    stop.until_done(serving).await
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("epr")
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format_args!("cannot start: {error}")))
}
