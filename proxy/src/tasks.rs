//! The only place that spawns: every task has an owner that can wait for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio_util::task::TaskTracker;

/// The tasks of one owner: a worker's connections, or the side runtime's feed, admin and log.
///
/// Clones share one set. A task that panics ends alone and is counted.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    panics: Arc<AtomicU64>,
}

impl Tasks {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task` on the runtime this is called in.
    #[allow(clippy::disallowed_methods, reason = "the one owned spawn; the tracker waits for it")]
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(self.tracker.track_future(self.watched(task)));
    }

    /// Runs `task` on this thread; must be called within a `LocalSet`.
    #[allow(clippy::disallowed_methods, reason = "the one owned spawn; the tracker waits for it")]
    pub fn spawn_local<F>(&self, task: F)
    where
        F: Future<Output = ()> + 'static,
    {
        tokio::task::spawn_local(self.tracker.track_future(self.watched(task)));
    }

    fn watched<F>(&self, task: F) -> Watched<F> {
        Watched { task, _watch: PanicWatch(self.panics.clone()) }
    }

    /// Tasks that have not ended.
    pub fn running(&self) -> usize {
        self.tracker.len()
    }

    /// Tasks that ended by a panic.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Waits until every task has ended. Tasks spawned while this waits are waited for too.
    pub async fn finished(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Lets hyper run its HTTP/2 streams on the worker's thread.
impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output = ()> + 'static,
{
    fn execute(&self, task: F) {
        self.spawn_local(task);
    }
}

pin_project! {
    /// A task whose panic is counted. An async block around it would hold it twice.
    struct Watched<F> {
        #[pin]
        task: F,
        _watch: PanicWatch,
    }
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().task.poll(cx)
    }
}

/// Counts the panic that drops it.
struct PanicWatch(Arc<AtomicU64>);

impl Drop for PanicWatch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_counted_and_the_others_go_on() {
        let tasks = Tasks::new();
        let local = tokio::task::LocalSet::new();
        let (done, heard) = tokio::sync::oneshot::channel();
        local
            .run_until(async {
                tasks.spawn_local(async { panic!("as a connection might") });
                tasks.spawn_local(async move {
                    tokio::task::yield_now().await;
                    let _ = done.send(7);
                });
                tasks.spawn(async {});
                tasks.finished().await;
            })
            .await;
        assert_eq!((heard.await, tasks.panics(), tasks.running()), (Ok(7), 1, 0));
    }
}
