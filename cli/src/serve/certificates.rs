use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use certs::{Certificates, News, Pair, Sole, Sources};
use tokio::signal::unix::{self, SignalKind};
use tokio::time::{MissedTickBehavior, interval};

use super::edge::Edge;
use crate::args::CertArgs;
use crate::failure::Failure;
use crate::output::remark;

/// Between two looks at the files of the control plane's certificate.
const LOOK: Duration = Duration::from_secs(2);

impl Edge<'_> {
    /// The certificates the command line names, or one for development.
    pub(super) fn certificates(&self, args: &CertArgs) -> Result<Arc<Certificates>, Failure> {
        let (named, tickets) = (args.sources()?, args.ticket_secrets.clone());
        let sources = match named {
            Some(sources) => sources,
            None => self.development_certificate()?.into(),
        };
        Certificates::open(sources, tickets, SystemTime::now()).map_err(Failure::refused)
    }

    /// A certificate under this machine's own CA, made when there is none.
    pub(super) fn development_certificates(&self) -> Result<Arc<Certificates>, Failure> {
        let pair = self.development_certificate()?;
        Certificates::open(pair.into(), None, SystemTime::now()).map_err(Failure::refused)
    }

    fn development_certificate(&self) -> Result<Pair, Failure> {
        let dir = self.room.path().join("tls");
        let files = certs::dev_certificates(&dir, self.domains, SystemTime::now());
        let files = files.map_err(Failure::refused)?;
        if let Some(why) = &files.replaced {
            remark(format_args!("made a new development certificate: {why}"));
        }
        Ok(Pair { chain: files.chain, key: files.key })
    }
}

impl CertArgs {
    /// None when nothing is named.
    fn sources(&self) -> Result<Option<Sources>, Failure> {
        let (chains, keys) = (&self.certs, &self.keys);
        if chains.len() != keys.len() {
            return Err(Failure::usage(format_args!(
                "there are {} --cert and {} --key; each certificate needs its key: --cert FILE --key FILE",
                chains.len(),
                keys.len()
            )));
        }
        let pair = |(chain, key): (&PathBuf, &PathBuf)| Pair { chain: chain.clone(), key: key.clone() };
        let pairs: Vec<Pair> = chains.iter().zip(keys).map(pair).collect();
        let directories = self.directories.clone();
        let is_none = pairs.is_empty() && directories.is_empty();
        Ok((!is_none).then_some(Sources { pairs, directories }))
    }
}

/// Looks at the files at once when SIGHUP asks for it, for ever. In a terminal that signal says that the
/// terminal is gone, and ends the process as it always does.
pub(super) async fn look_when_asked(certificates: Arc<Certificates>) {
    let asked = match io::stdin().is_terminal() {
        true => None,
        false => unix::signal(SignalKind::hangup()).ok(),
    };
    let Some(mut asked) = asked else { return std::future::pending().await };
    while asked.recv().await.is_some() {
        let looking = certificates.clone();
        let looked = tokio::task::spawn_blocking(move || looking.look(SystemTime::now())).await;
        looked.iter().flatten().for_each(tell);
    }
}

/// Looks at the files of the control plane's certificate, for ever.
pub(super) async fn keep_sole(certificate: Option<Arc<Sole>>) {
    let Some(certificate) = certificate else { return std::future::pending().await };
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let looking = certificate.clone();
        let looked = tokio::task::spawn_blocking(move || looking.look()).await;
        looked.iter().flatten().for_each(tell);
    }
}

fn tell(news: &News) {
    match news.is_bad() {
        true => tracing::warn!("{news}"),
        false => tracing::info!("{news}"),
    }
}
