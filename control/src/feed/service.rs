use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BufMut as _;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use prost::Message as _;
use proto::wire::FollowRequest;
use proto::wire::route_feed_service_server::SERVICE_NAME;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};

use super::Shared;
use super::follow::follow;
use super::frame::Frame;
use crate::drain::Signal;
use crate::tasks::Tasks;

/// Largest message a proxy may send: a refusal with its reasons.
const MAX_REQUEST: usize = 256 << 10;

/// The route feed service.
///
/// Written by hand where the generated server would encode each message anew for each proxy: what is
/// sent here has been encoded already.
#[derive(Clone)]
pub struct RouteFeedServer {
    shared: Arc<Shared>,
    tasks: Tasks,
    signal: Signal,
}

impl RouteFeedServer {
    pub(super) fn new(shared: Arc<Shared>, tasks: Tasks, signal: Signal) -> Self {
        Self { shared, tasks, signal }
    }
}

impl NamedService for RouteFeedServer {
    const NAME: &'static str = SERVICE_NAME;
}

impl tower::Service<http::Request<tonic::body::Body>> for RouteFeedServer {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let method = Follow(self.clone());
        async move {
            if request.uri().path().strip_prefix('/') != Some("epr.v1.RouteFeedService/Follow") {
                return Ok(Status::unimplemented("the route feed has one method, Follow").into_http());
            }
            let mut grpc = Grpc::new(FrameCodec).max_decoding_message_size(MAX_REQUEST);
            Ok(grpc.streaming(method, request).await)
        }
        .boxed()
    }
}

/// The method of the service.
struct Follow(RouteFeedServer);

impl StreamingService<FollowRequest> for Follow {
    type Response = Frame;
    type ResponseStream = BoxStream<'static, Result<Frame, Status>>;
    type Future = Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<FollowRequest>>) -> Self::Future {
        let RouteFeedServer { shared, tasks, signal } = &self.0;
        let frames = follow(shared.clone(), tasks, signal.clone(), request);
        ready(Ok(Response::new(frames)))
    }
}

/// Sends what is encoded already, decodes what comes.
struct FrameCodec;

impl Codec for FrameCodec {
    type Encode = Frame;
    type Decode = FollowRequest;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for FrameCodec {
    type Item = Frame;
    type Error = Status;

    fn encode(&mut self, Frame(bytes): Frame, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(bytes);
        Ok(())
    }
}

impl Decoder for FrameCodec {
    type Item = FollowRequest;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<FollowRequest>, Status> {
        let decoded = FollowRequest::decode(from);
        decoded.map(Some).map_err(|error| Status::invalid_argument(format!("not a FollowRequest: {error}")))
    }
}
