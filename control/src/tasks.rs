//! The only place that spawns: every task has an owner that can wait for it.

use std::future::Future;

use tokio_util::task::TaskTracker;

/// The tasks of the control plane. Clones share one set; a task that panics ends alone.
#[derive(Debug, Clone, Default)]
pub struct Tasks(TaskTracker);

impl Tasks {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task`, called `name` in the log, on the runtime this is called in.
    #[allow(clippy::disallowed_methods, reason = "the one owned spawn; the tracker waits for it")]
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let watch = PanicWatch(name);
        tokio::spawn(self.0.track_future(async move {
            let _watch = watch;
            task.await;
        }));
    }

    /// Tasks that have not ended.
    pub fn running(&self) -> usize {
        self.0.len()
    }

    /// Waits until every task has ended. Tasks spawned while this waits are waited for too.
    pub async fn finished(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

/// Says so when the panic drops it: whoever waits for the task learns only that it has ended.
struct PanicWatch(&'static str);

impl Drop for PanicWatch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(task = self.0, "a task panicked; this is a defect in epr");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_task_is_waited_for() {
        let tasks = Tasks::new();
        let (go, waits) = tokio::sync::oneshot::channel::<()>();
        let (done, heard) = tokio::sync::oneshot::channel();
        tasks.spawn("fails", async { panic!("as a defect might") });
        tasks.spawn("waits", async move {
            let _ = waits.await;
            let _ = done.send(7);
        });
        assert_eq!(tasks.running(), 2);
        go.send(()).unwrap();
        tasks.finished().await;
        assert_eq!((heard.await, tasks.running()), (Ok(7), 0));
    }
}
