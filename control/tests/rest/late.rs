//! Requests whose body comes late: the head says who calls, and a lot may happen before the rest is there.

use proto::wire::identity_service_client::IdentityServiceClient;
use proto::wire::{CreateTokenRequest, DeleteTokenRequest};
use tonic::Request;
use tonic::transport::Channel;

use super::*;

/// What the administrator sends over gRPC.
struct Admin {
    identity: IdentityServiceClient<Channel>,
    bearer: String,
}

impl Admin {
    async fn of(stage: &Stage) -> Self {
        let identity = IdentityServiceClient::connect(format!("http://{}", stage.grpc)).await.unwrap();
        Self { identity, bearer: format!("Bearer {}", stage.token("admin.token")) }
    }

    fn signed<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer.parse().unwrap());
        request
    }

    /// Another token of the administrator: its id, and what its holder sends.
    async fn token(&mut self, name: &str) -> (String, String) {
        let wanted = self.signed(CreateTokenRequest { name: name.to_owned(), ..Default::default() });
        let made = self.identity.create_token(wanted).await.unwrap().into_inner();
        (made.token.unwrap().id, made.secret)
    }

    async fn delete_token(&mut self, id: String) {
        let request = self.signed(DeleteTokenRequest { id });
        self.identity.delete_token(request).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_deleted_meanwhile_opens_nothing() {
    let stage = Stage::set(ApiLimits::default()).await;
    let mut admin = Admin::of(&stage).await;
    for (what, body) in [
        ("POST /v2/staticroutes/", route("shop-one")),
        ("POST /v2/projects/", json!({ "metadata": { "name": "shop" } })),
    ] {
        let (id, secret) = admin.token("passing").await;
        let (mut busy, body) = (TcpStream::connect(stage.api).await.unwrap(), body.to_string());
        let head = format!(
            "{what} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {secret}\r\nexpect: 100-continue\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        busy.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body once it has let the caller in.
        let mut interim = [0; 25];
        busy.read_exact(&mut interim).await.unwrap();
        assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
        admin.delete_token(id).await;
        busy.write_all(body.as_bytes()).await.unwrap();
        let told = told(busy).await;
        assert_eq!(told.status, 401, "{told:?}");
    }
    assert_eq!(stage.get("/v2/staticroutes/").await.body["items"], json!([]));
    stage.end().await;
}

#[tokio::test]
async fn two_who_walk_over_a_list_do_not_lead_each_other_astray() {
    let stage = Stage::set(ApiLimits::default()).await;
    let other = Admin::of(&stage).await.token("another").await.1;
    for number in 0..8 {
        assert_eq!(stage.post("/v2/staticroutes/", &route(&format!("shop-{number}"))).await.status, 201);
    }
    let names = |told: &Told| -> Vec<String> {
        let items = told.body["items"].as_array().unwrap().iter();
        items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let mut seen = names(&stage.get("/v2/staticroutes/?continue=0&limit=3").await);
    stage.ask("DELETE /v2/staticroutes/shop-0/", "", "").await;
    // Of what is left, the first three end elsewhere.
    let theirs = stage.ask_as(&other, "GET /v2/staticroutes/?continue=0&limit=3", "", "").await;
    assert_eq!(names(&theirs), ["shop-1", "shop-2", "shop-3"]);
    seen.extend(names(&stage.get("/v2/staticroutes/?continue=3&limit=5").await));
    assert_eq!(seen, (0..8).map(|number| format!("shop-{number}")).collect::<Vec<_>>());
    stage.end().await;
}
