use proto::wire;
use tonic::Code;

use crate::samples::{bound, deployment, hello};
use crate::stage::{Stage, assert_refused};

async fn explain(stage: &Stage, url: &str) -> wire::ExplainResponse {
    stage.routes().explain(wire::ExplainRequest { url: url.into() }).await.unwrap().into_inner()
}

#[tokio::test]
async fn routes_are_listed_in_pages_under_every_domain() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let created = stage.create_deployment(bound(deployment("shop"), "my-shop", "WEB")).await.unwrap();
    stage.route_at("my-shop.ep-r.io", &created.receipt.unwrap().revision.unwrap()).await.unwrap();
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let request = wire::ListRoutesRequest {
            page: Some(wire::PageRequest { size: 3, token }),
            ..Default::default()
        };
        let page = stage.routes().list_routes(request).await.unwrap().into_inner();
        names.extend(page.routes.into_iter().map(|route| route.hostname));
        token = page.page.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    assert!(names.is_sorted() && names.len() == 4, "{names:?}");
    assert!(
        names.contains(&"my-shop.ep-r.io".to_owned()) && names.contains(&"my-shop.ep-r.localhost".to_owned())
    );
    let page = Some(wire::PageRequest { size: 3, token: "no host".into() });
    let bad = stage.routes().list_routes(wire::ListRoutesRequest { page, ..Default::default() }).await;
    assert_refused(bad, Code::InvalidArgument, "page.token", "page_token");
}

#[tokio::test]
async fn a_url_is_explained_from_the_table_the_edge_has() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let created = stage.create_deployment(bound(deployment("shop"), "my-shop", "WEB")).await.unwrap();
    stage.route_at("my-shop.ep-r.io", &created.receipt.unwrap().revision.unwrap()).await.unwrap();

    let served = explain(&stage, "http://my-shop.ep-r.io/x").await;
    assert_eq!(served.refusal, "");
    assert_eq!(served.route.unwrap().hostname, "my-shop.ep-r.io");
    assert_eq!(served.steps.last().unwrap(), "It is sent to 10.0.0.7:8080.");
    assert_eq!(explain(&stage, "https://my-shop.ep-r.io").await.refusal, "http_on_tls");
    assert_eq!(explain(&stage, "https://other.ep-r.io").await.refusal, "no_route");
    let bad = stage.routes().explain(wire::ExplainRequest { url: "ftp://x".into() }).await;
    assert_refused(bad, Code::InvalidArgument, "url", "url");
}
