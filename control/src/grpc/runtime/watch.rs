//! What a watch tells, as messages.

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use proto::wire;
use proto::wire::watch_deployments_response::Message;
use tonic::{Code, Status};

use super::super::status::status;
use crate::convert::deployment::message;
use crate::convert::package::plan_message;
use crate::domain::rules::Rules;
use crate::service::Service;
use crate::watch::{Cut, ToRun, ToStop, Told, Watch};

/// A stream of messages, until it ends with a status.
pub(in super::super) type Stream = BoxStream<'static, Result<wire::WatchDeploymentsResponse, Status>>;

pub(super) fn stream(watch: Watch, service: Service) -> Stream {
    watch
        .map(move |told| match told {
            Ok(told) => Ok(message_of(told, service.rules())),
            Err(cut) => Err(cut_status(&cut)),
        })
        .boxed()
}

fn message_of(told: Told, rules: &Rules) -> wire::WatchDeploymentsResponse {
    let message = match told {
        Told::Run(to_run) => {
            let ToRun { viewed, plan } = *to_run;
            let (deployment, plan) = (Some(message(viewed, rules)), Some(plan_message(plan)));
            Message::Run(wire::DeploymentToRun { deployment, plan })
        }
        Told::Stop(ToStop { guid, name, project }) => Message::Stop(wire::DeploymentToStop {
            guid: guid.to_string(),
            name: name.to_string(),
            project: project.to_string(),
        }),
        Told::Synced => Message::Synced(wire::WatchSynced {}),
        Told::Heartbeat => Message::Heartbeat(wire::WatchHeartbeat {}),
    };
    wire::WatchDeploymentsResponse { message: Some(message) }
}

fn cut_status(cut: &Cut) -> Status {
    match cut {
        Cut::Slow => Status::new(Code::ResourceExhausted, cut.to_string()),
        Cut::Missed | Cut::Old | Cut::Stopping => Status::new(Code::Unavailable, cut.to_string()),
        Cut::Failed(error) => status(error),
    }
}
