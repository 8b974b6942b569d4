use std::sync::Arc;
use std::time::{Duration, SystemTime};

use certs::{Certificates, News};
use tokio::time::{MissedTickBehavior, interval};

use crate::drain::Signal;

/// Looks at the files of certificates and ticket secrets every so often, until the drain.
pub(super) async fn keep(certificates: Arc<Certificates>, every: Duration, mut drain: Signal) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drain.draining() => return,
            _ = ticks.tick() => {}
        }
        let looking = certificates.clone();
        // A file system that hangs must not hold up the feed.
        let looked = tokio::task::spawn_blocking(move || looking.look(SystemTime::now()));
        tokio::select! {
            () = drain.draining() => return,
            news = looked => news.iter().flatten().for_each(tell),
        }
    }
}

fn tell(news: &News) {
    match news {
        News::Wrong(fault) => tracing::warn!(reason = fault.reason.label(), "{news}"),
        News::Aging { left: None, .. } => tracing::error!("{news}"),
        News::Aging { .. } => tracing::warn!("{news}"),
        News::Served { .. } | News::Withdrawn { .. } | News::TicketSecrets | News::Mended { .. } => {
            tracing::info!("{news}");
        }
    }
}
