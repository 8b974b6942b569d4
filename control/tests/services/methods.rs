//! Every method there is, called by everyone there is.

use prost::Message as _;
use proto::wire;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};

use crate::actors::Actor;
use crate::stage::Stage;

/// Messages of any kind without any field, and of any kind with all fields thrown away.
#[derive(Debug, Clone, Copy, Default)]
struct Nothing;

impl Codec for Nothing {
    type Encode = ();
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Nothing {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl Decoder for Nothing {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        bytes::Buf::advance(bytes, bytes::Buf::remaining(bytes));
        Ok(Some(()))
    }
}

/// Every method, as service and method.
fn methods() -> Vec<(String, String)> {
    let set = prost_types::FileDescriptorSet::decode(wire::DESCRIPTORS).unwrap();
    let ours = set.file.into_iter().filter(|file| file.package() == "epr.v1").flat_map(|file| file.service);
    let named = |service: prost_types::ServiceDescriptorProto| {
        let name = service.name().to_owned();
        service.method.into_iter().map(move |method| (name.clone(), method.name().to_owned()))
    };
    ours.flat_map(named).collect()
}

/// What an empty message meets.
async fn call(actor: &Actor, service: &str, method: &str) -> Code {
    let mut client = tonic::client::Grpc::new(actor.channel());
    client.ready().await.unwrap();
    let path = format!("/epr.v1.{service}/{method}").parse().unwrap();
    // A single answer is a stream of one, so that this serves for both.
    let answered = client.server_streaming(Request::new(()), path, Nothing).await;
    let mut stream = match answered {
        Ok(response) => response.into_inner(),
        Err(status) => return status.code(),
    };
    if method == "WatchDeployments" || method == "Follow" {
        return Code::Ok;
    }
    stream.message().await.err().map_or(Code::Ok, |status| status.code())
}

fn reads(service: &str, method: &str) -> bool {
    let own = ["WhoAmI", "CreateToken", "ListTokens", "DeleteToken"].contains(&method);
    let looks = ["Get", "List", "Explain"].iter().any(|verb| method.starts_with(verb));
    own || (looks && service != "RuntimeService")
}

fn changes(service: &str, method: &str) -> bool {
    reads(service, method)
        || ["PackageService", "DeploymentService", "StaticRouteService", "SecretService"].contains(&service)
}

fn runs(service: &str, method: &str) -> bool {
    service == "RuntimeService" || method == "WhoAmI"
}

#[tokio::test]
async fn each_method_is_refused_to_whom_it_is_not_for() {
    let stage = Stage::start().await;
    let member = |role| [("project", "default", role)];
    let viewer = stage.user("viewer", wire::Role::Unspecified, &member(wire::Role::Viewer)).await;
    let developer = stage.user("developer", wire::Role::Unspecified, &member(wire::Role::Developer)).await;
    let bound = wire::CreateTokenRequest {
        name: "to look".into(),
        role: wire::Role::Viewer.into(),
        ..Default::default()
    };
    let bound = stage.with_token(&stage.admin(), bound).await;
    let stranger = stage.user("stranger", wire::Role::Unspecified, &[]).await;
    let (runtime, proxy) = (stage.file("runtime.token"), stage.file("proxy.token"));
    let mut wrong = Vec::new();
    for (service, method) in methods() {
        let follows = method == "Follow" || method == "WhoAmI";
        let expected = [
            ("viewer", &viewer, reads(&service, &method)),
            ("admin with a viewer's token", &bound, reads(&service, &method)),
            ("developer", &developer, changes(&service, &method)),
            ("runtime", &runtime, runs(&service, &method)),
            ("proxy", &proxy, follows),
            ("admin", &stage.admin(), method != "Follow"),
        ];
        for (who, actor, may) in expected {
            let met = call(actor, &service, &method).await;
            if (met == Code::PermissionDenied) == may || met == Code::Unauthenticated {
                wrong.push(format!("{service}/{method}: {who} met {met:?}"));
            }
        }
        if call(&stage.nobody(), &service, &method).await != Code::Unauthenticated {
            wrong.push(format!("{service}/{method} lets nobody in"));
        }
        let met = call(&stranger, &service, &method).await;
        let own = service == "IdentityService" || method == "ListProxies";
        if !own && ![Code::PermissionDenied, Code::NotFound].contains(&met) {
            wrong.push(format!("{service}/{method}: somebody without any role met {met:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
