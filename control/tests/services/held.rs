//! Calls whose message comes late: the head says who calls, and a lot may happen before the rest is there.

use bytes::BufMut as _;
use prost::Message;
use proto::wire;
use proto::wire::Role::{Admin, Developer, Unspecified};
use tokio::sync::oneshot;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};

use crate::actors::{Actor, package_in};
use crate::stage::Stage;

/// Messages as their bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
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

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        bytes::Buf::advance(bytes, bytes::Buf::remaining(bytes));
        Ok(Some(()))
    }
}

/// What a call meets that begins now, and whose message is sent once `meanwhile` has happened.
async fn held(
    actor: &Actor,
    method: &str,
    message: &impl Message,
    meanwhile: impl Future<Output = ()>,
) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(actor.channel());
    client.ready().await.unwrap();
    let path = format!("/epr.v1.{method}").parse().unwrap();
    let (send, sent) = oneshot::channel();
    let message = message.encode_to_vec();
    let late = futures_util::stream::once(async move {
        sent.await.unwrap();
        message
    });
    let call = client.client_streaming(Request::new(late), path, Raw);
    let meanwhile = async {
        // The same connection: what is answered after the head was sent was sent after it.
        actor.who().await.unwrap();
        meanwhile.await;
        send.send(()).unwrap();
    };
    futures_util::future::join(call, meanwhile).await.0.map(|_| ())
}

fn code(result: Result<(), Status>) -> Code {
    result.err().map_or(Code::Ok, |status| status.code())
}

#[tokio::test]
async fn a_token_deleted_meanwhile_opens_nothing() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let amy = stage.user("amy", Unspecified, &[("project", "default", Developer)]).await;
    let request = wire::ListTokensRequest { user: "amy".into(), ..Default::default() };
    let tokens = admin.identity().list_tokens(request).await.unwrap().into_inner().tokens;
    let another = wire::CreateTokenRequest { name: "another".into(), ..Default::default() };
    let made = held(&amy, "IdentityService/CreateToken", &another, async {
        let request = wire::DeleteTokenRequest { id: tokens[0].id.clone() };
        admin.identity().delete_token(request).await.unwrap();
    });
    assert_eq!(code(made.await), Code::Unauthenticated);
}

#[tokio::test]
async fn a_role_taken_meanwhile_is_had_no_more() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let boss = stage.user("boss", Admin, &[]).await;
    let again = wire::SetUserRolesRequest { email: "boss".into(), role: Admin.into(), ..Default::default() };
    let raised = held(&boss, "IdentityService/SetUserRoles", &again, async {
        admin.set_roles("boss", Unspecified, &[("project", "default", Developer)]).await.unwrap();
    });
    assert_eq!(code(raised.await), Code::PermissionDenied);

    let package = package_in("");
    let created = held(&boss, "PackageService/CreatePackage", &package, async {
        admin.set_roles("boss", Unspecified, &[]).await.unwrap();
    });
    assert_eq!(code(created.await), Code::NotFound);
}
