use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use proto::{DeploymentId, EndpointName};
use tokio::sync::watch;

use super::live::News;
use super::{RouteEntry, Routes};

/// Tells a tunnel what becomes of its route.
pub struct RouteWatch {
    /// What had happened already when the watch began.
    already: Option<News>,
    news: watch::Receiver<News>,
    opened_to: Option<(DeploymentId, EndpointName)>,
    moved: bool,
}

/// Why a tunnel has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelEnd {
    /// Its route was moved, unbound or removed: it gets its grace.
    Moved,
    /// Its client is not among the route's sources any more: it is cut now.
    Forbidden,
}

impl Routes {
    /// Watches over a tunnel that was opened over `entry`. What has happened since `entry` was looked
    /// up counts too.
    pub fn watch(&self, entry: &Arc<RouteEntry>) -> RouteWatch {
        let news = entry.live().subscribe();
        // The writer shows a new table and then looks whether anyone listens; this listens and then
        // looks at the table. With both fences one of the two sees the other.
        fence(Ordering::SeqCst);
        let table = self.current.load();
        let already = match table.get(entry.route.hostname.as_str()) {
            Some(now) if Arc::ptr_eq(now, entry) => None,
            Some(now) if now.live_if_any().is_some_and(|live| std::ptr::eq(live, &**entry.live())) => {
                Some(News::of(now))
            }
            // The name was removed, and perhaps made again: that is another route.
            Some(_) | None => Some(News::Gone),
        };
        let opened_to = entry.binding().map(|to| (to.deployment.clone(), to.endpoint.clone()));
        RouteWatch { already, news, opened_to, moved: false }
    }
}

impl RouteWatch {
    /// Returns when the tunnel of a client at `source` has to end. After it has told
    /// [`TunnelEnd::Moved`] it can be asked again, and returns if the client is forbidden as well.
    /// May be dropped and asked anew without losing anything.
    pub async fn ended(&mut self, source: IpAddr) -> TunnelEnd {
        loop {
            let news = match self.already.take() {
                Some(news) => news,
                None => self.next().await,
            };
            if let Some(end) = self.judge(&news, source) {
                return end;
            }
        }
    }

    async fn next(&mut self) -> News {
        if self.news.changed().await.is_err() {
            // Nobody is left who could tell: the table itself is gone, and the drain sees to it.
            std::future::pending::<()>().await;
        }
        self.news.borrow_and_update().clone()
    }

    fn judge(&mut self, news: &News, source: IpAddr) -> Option<TunnelEnd> {
        let same = match news {
            News::None => true,
            News::Gone => false,
            News::Now { sources, .. } if !sources.allow(source) => return Some(TunnelEnd::Forbidden),
            News::Now { leads_to, .. } => *leads_to == self.opened_to,
        };
        if same || self.moved {
            return None;
        }
        self.moved = true;
        Some(TunnelEnd::Moved)
    }
}
