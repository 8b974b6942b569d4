//! Who has a commit.

use std::time::Duration;

use proto::{Revision, wire};
use tonic::Status;

use super::Parts;
use super::status::status;
use crate::domain::Faults;
use crate::feed::Receipt;
use crate::service::Error;

/// How long to wait for the proxies, as asked; none: not at all.
pub(super) struct Wait(Option<Duration>);

impl Parts {
    /// Reads how long to wait. To be done before anything is committed.
    pub(super) fn wait(&self, asked: Option<wire::WaitForProxies>) -> Result<Wait, Status> {
        let Some(asked) = asked else {
            return Ok(Wait(None));
        };
        let Some(timeout) = asked.timeout else {
            return Ok(Wait(Some(self.timeouts.wait_default)));
        };
        let most = self.timeouts.wait_most;
        match Duration::try_from(timeout) {
            Ok(timeout) if timeout <= most => Ok(Wait(Some(timeout))),
            _ => {
                let message = format!("must be 0 to {} seconds", most.as_secs());
                Err(status(&Error::Invalid(Faults::one("wait.timeout", "wait_timeout", message))))
            }
        }
    }

    /// Waits as asked, and tells who has `revision` then.
    pub(super) async fn receipt(&self, revision: Revision, wait: Wait) -> wire::Receipt {
        match wait.0 {
            Some(timeout) => receipt_out(self.feed.wait_applied(revision, timeout).await),
            None => wire::Receipt { revision: Some(revision.into()), ..Default::default() },
        }
    }
}

fn receipt_out(receipt: Receipt) -> wire::Receipt {
    let lagging = receipt.lagging.into_iter().map(|lagging| wire::Laggard {
        proxy: lagging.proxy.as_str().to_owned(),
        at: lagging.at.map(Into::into),
        nack: lagging.nack.unwrap_or_default(),
    });
    wire::Receipt {
        revision: Some(receipt.revision.into()),
        lagging: lagging.collect(),
        applied_by: receipt.applied_by.iter().map(|proxy| proxy.as_str().to_owned()).collect(),
    }
}
