//! Static routes: changed, found by all that they are called, filtered, under every base domain.

use std::collections::HashMap;
use std::sync::Arc;

use proto::wire;
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::samples::{bound, deployment, guid_of, hello, name_of, static_route};
use crate::stage::{Stage, assert_refused};

fn labelled(name: &str, labels: &[(&str, &str)]) -> wire::StaticRoute {
    let mut route = static_route(name);
    let pairs = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    route.metadata.as_mut().unwrap().labels = pairs.collect();
    route
}

impl Stage {
    async fn update(&self, route: wire::StaticRoute) -> Result<wire::UpdateStaticRouteResponse, Status> {
        let request = wire::UpdateStaticRouteRequest { static_route: Some(route), ..Default::default() };
        self.static_routes().update_static_route(request).await.map(tonic::Response::into_inner)
    }

    async fn claim(&self, route: wire::StaticRoute) -> wire::StaticRoute {
        let request = wire::CreateStaticRouteRequest { static_route: Some(route), dry_run: false };
        self.static_routes().create_static_route(request).await.unwrap().into_inner()
    }

    async fn listed(&self, size: u32, filter: wire::Filter) -> Vec<String> {
        let mut names = Vec::new();
        let mut token = String::new();
        loop {
            let page = Some(wire::PageRequest { size, token });
            let filter = Some(filter.clone());
            let request = wire::ListStaticRoutesRequest { page, filter, ..Default::default() };
            let listed = self.static_routes().list_static_routes(request).await.unwrap().into_inner();
            names.extend(listed.static_routes.iter().map(|route| name_of(&route.metadata).to_owned()));
            token = listed.page.unwrap().next_token;
            if token.is_empty() {
                return names;
            }
        }
    }
}

#[tokio::test]
async fn labels_and_sources_change_and_nothing_else() {
    let stage = Stage::start().await;
    let package = stage.create_package(hello()).await.unwrap();
    let made = stage.claim(labelled("my-shop", &[("team", "web")])).await;
    assert!(made.metadata.as_ref().unwrap().creator.starts_with("user-"));
    stage.deploy(bound(deployment("shop"), "my-shop", "WEB")).await;

    let mut closed = labelled("my-shop", &[("team", "api")]);
    closed.source_ranges = vec!["10.0.0.0/8".into()];
    let changed = stage.update(closed.clone()).await.unwrap();
    let (route, revision) = (changed.static_route.unwrap(), changed.receipt.unwrap().revision.unwrap());
    assert_eq!(route.source_ranges, ["10.0.0.0/8"]);
    assert_eq!(route.bound_to.as_ref().unwrap().deployment_name, "shop", "what it serves stays");
    assert_eq!(route.bound_to.as_ref().unwrap().package_guid, guid_of(&package.metadata));
    let (before, after) = (made.metadata.unwrap(), route.metadata.clone().unwrap());
    assert_eq!(after.labels, HashMap::from([("team".to_owned(), "api".to_owned())]));
    assert_eq!(
        (&after.guid, after.created_at, &after.creator),
        (&before.guid, before.created_at, &before.creator)
    );
    for host in ["my-shop.ep-r.io", "my-shop.ep-r.localhost"] {
        let at_edge = stage.route_at(host, &revision).await.unwrap();
        assert_eq!(at_edge.source_ranges, ["10.0.0.0/8"], "{host}");
        assert!(matches!(at_edge.target, Some(wire::route::Target::Binding(_))));
    }
    // What says the same changes nothing, not even the revision.
    assert_eq!(stage.update(closed.clone()).await.unwrap().receipt.unwrap().revision.unwrap(), revision);

    let mut by_guid = labelled("", &[]);
    by_guid.metadata.as_mut().unwrap().guid = after.guid.clone();
    let opened = stage.update(by_guid.clone()).await.unwrap().static_route.unwrap();
    assert!(opened.source_ranges.is_empty() && opened.metadata.unwrap().labels.is_empty());
    by_guid.metadata.as_mut().unwrap().name = "my-shop.ep-r.localhost".into();
    stage.update(by_guid.clone()).await.unwrap();
    by_guid.metadata.as_mut().unwrap().name = "my-store".into();
    by_guid.source_ranges = vec!["10.0.0.0/33".into()];
    let status = stage.update(by_guid).await.unwrap_err();
    let faults = crate::stage::told(&status).1;
    let fields: Vec<_> = faults.iter().map(|(field, rule)| (field.as_str(), rule.as_str())).collect();
    assert_eq!(fields, [("metadata.name", "static_route_name_fixed"), ("source_ranges[0]", "source_range")]);
    assert_eq!(stage.update(static_route("never-was")).await.unwrap_err().code(), Code::NotFound);
    let nameless = stage.update(static_route("")).await;
    assert_refused(nameless, Code::InvalidArgument, "metadata.name", "static_route_name");
}

#[tokio::test]
async fn lists_are_filtered_and_their_pages_go_on() {
    let stage = Stage::start().await;
    let mut guids = Vec::new();
    for n in 0..12 {
        let team = if n % 5 == 0 { "web" } else { "api" };
        let route = stage.claim(labelled(&format!("shop-{n:02}"), &[("team", team), ("n", &n.to_string())]));
        guids.push(guid_of(&route.await.metadata).to_owned());
    }
    let labels = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let web = wire::Filter { labels: labels(&[("team", "web")]), ..Default::default() };
    for size in [0, 1, 2, 3] {
        assert_eq!(stage.listed(size, web.clone()).await, ["shop-00", "shop-05", "shop-10"], "{size}");
    }
    let named = wire::Filter { names: vec!["shop-11".into(), "no".into()], ..Default::default() };
    assert_eq!(stage.listed(1, named.clone()).await, ["shop-11"]);
    let one = wire::Filter { guids: vec![guids[3].clone()], ..Default::default() };
    assert_eq!(stage.listed(1, one).await, ["shop-03"]);
    let both = wire::Filter { labels: labels(&[("team", "web")]), ..named };
    assert_eq!(stage.listed(1, both).await, Vec::<String>::new());
    assert_eq!(stage.listed(5, wire::Filter::default()).await.len(), 12);
}

#[tokio::test]
async fn a_route_is_found_with_and_without_the_organizations_short_id() {
    let stage = Stage::start().await;
    let own = stage.admin().identity().get_organization(wire::GetOrganizationRequest::default()).await;
    let short = own.unwrap().into_inner().short_guid;
    let made = stage.create_static_route("my-shop").await.unwrap();
    assert_eq!(made.hostname, "my-shop.ep-r.io");
    assert_eq!(stage.get_static_route(&format!("my-shop-{short}")).await, made);

    let dir = stage.stop().await;
    let stage = Stage::with(dir, |config| config.organization_suffix = true).await;
    let made = stage.create_static_route("my-store").await.unwrap();
    let label = format!("my-store-{short}");
    assert_eq!((name_of(&made.metadata), made.hostname.clone()), ("my-store", format!("{label}.ep-r.io")));
    for name in
        ["my-store", &label, &made.hostname, &format!("{label}.ep-r.localhost"), guid_of(&made.metadata)]
    {
        assert_eq!(stage.get_static_route(name).await, made, "{name}");
    }
    let request = wire::GetStaticRouteRequest { name: "my-store.ep-r.io".into(), ..Default::default() };
    let other_host = stage.static_routes().get_static_route(request).await;
    assert_eq!(other_host.unwrap_err().code(), Code::NotFound, "that host name is another one's");
    for again in ["my-store", &label, "my-shop"] {
        let refused = stage.create_static_route(again).await;
        assert_refused(refused, Code::AlreadyExists, "metadata.name", "static_route_taken");
    }
    let long = "a".repeat(58);
    let message = assert_refused(
        stage.create_static_route(&long).await,
        Code::InvalidArgument,
        "metadata.name",
        "static_route_length",
    );
    assert!(message.contains("at most 57") && message.contains(&short), "{message}");
    assert_eq!(
        stage.listed(0, wire::Filter { names: vec!["my-store".into()], ..Default::default() }).await.len(),
        1
    );

    stage.create_package(hello()).await.unwrap();
    let shop = stage.deploy(bound(deployment("shop"), "my-store", "WEB")).await;
    let hosts = &shop.status.as_ref().unwrap().endpoints[0].static_hosts;
    assert_eq!(hosts, std::slice::from_ref(&made.hostname));
    let other = stage.deploy(deployment("other")).await;
    assert_eq!(other.status.unwrap().endpoints[0].static_hosts, Vec::<String>::new());
    stage.bind("my-store", "other", true).await.unwrap();
    stage
        .deploy(bound(
            deployment("by-guid"),
            guid_of(&stage.get_static_route("my-shop").await.metadata),
            "WEB",
        ))
        .await;
    let delete = wire::DeleteStaticRouteRequest { name: "my-store".into(), ..Default::default() };
    let refused = stage.static_routes().delete_static_route(delete.clone()).await;
    let message = assert_refused(refused, Code::FailedPrecondition, "name", "static_route_bound");
    assert!(message.contains("of deployment other (dep-"), "{message}");
    stage.unbind(&label).await.unwrap();
    stage.static_routes().delete_static_route(delete).await.unwrap();
    stage.create_static_route("my-store").await.unwrap();
}

#[tokio::test]
async fn every_base_domain_is_explained() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let shop = stage.deploy(bound(deployment("shop"), "my-shop", "WEB")).await;
    let random = shop.status.unwrap().endpoints[0].random_host.clone();
    let random = random.strip_suffix(".ep-r.io").unwrap().to_owned();
    for domain in ["ep-r.io", "ep-r.localhost"] {
        for label in ["my-shop", &random] {
            let request = wire::ExplainRequest { url: format!("http://{label}.{domain}") };
            let explained = stage.routes().explain(request).await.unwrap().into_inner();
            assert_eq!(explained.refusal, "", "{label}.{domain}: {:?}", explained.steps);
            assert_eq!(explained.route.unwrap().hostname, format!("{label}.{domain}"));
        }
    }
}

#[tokio::test]
async fn reserved_words_can_be_added() {
    let reserved = control::config::Reserved::read("acme\nacme-*\n").unwrap();
    let dir = Arc::new(TempDir::new().unwrap());
    let stage = Stage::with(dir, |config| config.reserved = reserved).await;
    for name in ["acme", "acme-shop", "admin", "xn--shop", "inst-shop", "ns12"] {
        let refused = stage.create_static_route(name).await;
        assert_refused(refused, Code::InvalidArgument, "metadata.name", "static_route_reserved");
    }
    stage.create_static_route("acmeshop").await.unwrap();
}

/// All rules of names and sources, each with what breaks it, told together.
#[tokio::test]
async fn every_rule_has_its_name() {
    let stage = Stage::start().await;
    for (name, rule) in [
        ("", "static_route_length"),
        ("abc", "static_route_length"),
        (&"a".repeat(64), "static_route_length"),
        ("Shop", "static_route_name"),
        ("my_shop", "static_route_name"),
        ("my.shop", "static_route_name"),
        ("-shop", "static_route_name"),
        ("shop-", "static_route_name"),
        ("shöp", "static_route_name"),
        ("status", "static_route_reserved"),
        ("inst-shop", "static_route_reserved"),
    ] {
        let refused = stage.create_static_route(name).await;
        assert_refused(refused, Code::InvalidArgument, "metadata.name", rule);
    }
    for name in ["shop", "4ever", "a--b", &"a".repeat(63)] {
        stage.create_static_route(name).await.unwrap();
    }
    let mut route = labelled("my-shop", &[("a\u{7}", "")]);
    route.source_ranges = (0..257).map(|n| format!("10.0.{}.0/24", n % 256)).collect();
    route.source_ranges[9] = "10.0.0.0/240".into();
    let request = wire::CreateStaticRouteRequest { static_route: Some(route), dry_run: true };
    let refused = stage.static_routes().create_static_route(request).await.unwrap_err();
    let rules: Vec<_> = crate::stage::told(&refused).1.into_iter().map(|(_, rule)| rule).collect();
    assert_eq!(rules, ["labels", "too_many_source_ranges", "source_range"]);
}
