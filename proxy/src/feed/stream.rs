use std::sync::Arc;
use std::time::Duration;

use proto::wire::route_feed_service_client::RouteFeedServiceClient;
use proto::wire::{self, FollowRequest, FollowResponse, follow_request};
use proto::{Hostname, Revision, RouteUpdate};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming};

use super::connect::{channel, reason};
use super::session::{Refused, Session, Step};
use super::state::FeedState;
use crate::config::{FeedConfig, fixed};
use crate::routes::{ApplyError, Routes};

/// How a stream ended.
pub(super) struct Ended {
    pub(super) error: String,
    /// Whether control said anything on it: the way there is fine.
    pub(super) was_of_use: bool,
}

/// Follows one stream to its end.
pub(super) async fn run(config: &FeedConfig, routes: &Arc<Routes>, most: usize, state: &FeedState) -> Ended {
    let mut was_of_use = false;
    let error = match Following::begin(config, routes, most, state).await {
        Ok(mut following) => match following.run(config.silence, &mut was_of_use).await {
            Ok(()) => "control closed the stream".to_owned(),
            Err(error) => error,
        },
        Err(error) => error,
    };
    Ended { error, was_of_use }
}

struct Following<'a> {
    responses: Streaming<FollowResponse>,
    replies: mpsc::Sender<FollowRequest>,
    session: Session,
    routes: &'a Arc<Routes>,
    most: usize,
    state: &'a FeedState,
}

impl<'a> Following<'a> {
    async fn begin(
        config: &FeedConfig,
        routes: &'a Arc<Routes>,
        most: usize,
        state: &'a FeedState,
    ) -> Result<Self, String> {
        let channel = channel(config).await?;
        let mut client = RouteFeedServiceClient::new(channel).max_decoding_message_size(fixed::FEED_MESSAGE);
        let held = routes.revision();
        let (replies, requests) = mpsc::channel(fixed::FEED_REPLIES);
        let hello = wire::Hello {
            proxy_id: config.proxy_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            holds: held.map(Into::into),
        };
        let first = request(follow_request::Message::Hello(hello));
        replies.try_send(first).map_err(|_| "the stream closed before it began".to_owned())?;
        let mut request = Request::new(ReceiverStream::new(requests));
        let token = format!("Bearer {}", config.token);
        let token =
            token.parse().map_err(|_| "the token is not printable ASCII; is the token file right?")?;
        request.metadata_mut().insert("authorization", token);
        let opening = tokio::time::timeout(config.silence, client.follow(request)).await;
        let responses =
            opening.map_err(|_| silent(config.silence))?.map_err(|status| said(&status))?.into_inner();
        state.connected();
        Ok(Self { responses, replies, session: Session::new(held, most), routes, most, state })
    }

    async fn run(&mut self, silence: Duration, was_of_use: &mut bool) -> Result<(), String> {
        loop {
            let message = tokio::time::timeout(silence, self.responses.message()).await;
            let Some(response) = message.map_err(|_| silent(silence))?.map_err(|status| said(&status))?
            else {
                return Ok(());
            };
            *was_of_use = true;
            self.state.heard();
            // A kind of message this epr does not know is for a newer one.
            let Some(message) = response.message else { continue };
            match self.session.on(message) {
                Step::None => {}
                Step::Apply(update) => self.apply(update).await?,
                Step::Refuse(refused) => self.refuse(refused)?,
            }
        }
    }

    async fn apply(&mut self, update: RouteUpdate) -> Result<(), String> {
        let revision = update.revision;
        let applied = match self.is_too_large(&update) {
            true => Err(format!("the table would have more than the {} routes this proxy takes", self.most)),
            false => apply(self.routes, update).await,
        };
        match applied {
            Ok(()) => {
                self.session.applied(revision);
                self.state.applied();
                tracing::debug!(%revision, routes = self.routes.len(), "applied a revision");
                let ack = wire::Ack { revision: Some(revision.into()) };
                self.reply(follow_request::Message::Ack(ack))
            }
            Err(error) => {
                self.session.refused();
                self.refuse(Refused { revision: Some(revision), reasons: vec![error] })
            }
        }
    }

    /// Whether a table would grow beyond its bound by a delta; a whole one is judged as it comes.
    fn is_too_large(&self, update: &RouteUpdate) -> bool {
        let table = self.routes.table();
        if update.base.is_none() || table.len() + update.upserts.len() <= self.most {
            return false;
        }
        let is_there = |name: &Hostname| table.get(name.as_str()).is_some();
        let new = update.upserts.iter().filter(|route| !is_there(&route.hostname)).count();
        let gone = update.removals.iter().filter(|name| is_there(name)).count();
        (table.len() + new).saturating_sub(gone) > self.most
    }

    fn refuse(&self, refused: Refused) -> Result<(), String> {
        let Refused { revision, reasons } = refused;
        self.state.refused(&reasons);
        let text = revision.map(|revision: Revision| revision.to_string());
        tracing::error!(revision = text, ?reasons, "refused a revision; serving on with the routes held");
        self.reply(follow_request::Message::Nack(wire::Nack { revision: revision.map(Into::into), reasons }))
    }

    fn reply(&self, message: follow_request::Message) -> Result<(), String> {
        self.replies
            .try_send(request(message))
            .map_err(|_| "control does not take acknowledgements".to_owned())
    }
}

/// Applies an update; a whole table beside the runtime, for it takes long.
async fn apply(routes: &Arc<Routes>, update: RouteUpdate) -> Result<(), String> {
    let text = |error: ApplyError| error.to_string();
    if update.base.is_some() {
        return routes.apply(update).map_err(text);
    }
    let routes = routes.clone();
    let applied = tokio::task::spawn_blocking(move || routes.apply(update)).await;
    applied.map_err(|error| error.to_string())?.map_err(text)
}

fn request(message: follow_request::Message) -> FollowRequest {
    FollowRequest { message: Some(message) }
}

/// Why a call failed. What control itself says has no further cause.
fn said(status: &tonic::Status) -> String {
    match (std::error::Error::source(status), status.message()) {
        (Some(_), _) => format!("the stream broke: {}", reason(status)),
        (None, "") => format!("control refused: {}", status.code().description()),
        (None, message) => format!("control refused: {message}"),
    }
}

fn silent(silence: Duration) -> String {
    format!("control said nothing for {silence:?}")
}
