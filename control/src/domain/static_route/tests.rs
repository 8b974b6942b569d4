use super::*;
use crate::domain::fault::Faults;
use crate::domain::organization::ShortId;
use crate::domain::reserved::Reserved;

#[test]
fn all_faults_at_once() {
    let draft = StaticRouteDraft {
        name: "Admin".into(),
        labels: [("a\nb".to_owned(), String::new())].into(),
        source_ranges: vec!["10.0.0.0/8".into(), "10.0.0.0/33".into(), "everyone".into()],
        creator: None,
    };
    let faults = draft.judge(&Reserved::default(), None, Faults::new()).unwrap_err();
    let told: Vec<_> = faults.as_slice().iter().map(|f| (f.field.as_str(), f.rule)).collect();
    assert_eq!(
        told,
        [
            ("metadata.name", "static_route_name"),
            ("metadata.labels.a\nb", "labels"),
            ("source_ranges[1]", "source_range"),
            ("source_ranges[2]", "source_range"),
        ]
    );
}

#[test]
fn an_unbound_route_remembers_what_it_spoke() {
    let draft = StaticRouteDraft { name: "shop".into(), ..Default::default() };
    let judged = draft.judge(&Reserved::default(), None, Faults::new()).unwrap();
    let now = Timestamp::from(std::time::UNIX_EPOCH);
    let chance = crate::domain::guid::tests::Counting::default();
    let mut route = judged.create(crate::domain::built_in_project(), now, &chance).unwrap();
    route.unbind(now);
    assert_eq!(route.last_protocol, None);
    let bound_to = BoundTo {
        deployment: DeploymentGuid::draw(&chance).unwrap(),
        deployment_name: DeploymentName::parse("a").unwrap(),
        endpoint: EndpointName::parse("WEB").unwrap(),
        protocol: EdgeProtocol::SecureTcp,
    };
    route.bind(bound_to, now);
    route.unbind(now);
    assert_eq!(route.last_protocol, Some(LastProtocol(EdgeProtocol::SecureTcp)));
}

fn draft(name: &str) -> StaticRouteDraft {
    StaticRouteDraft { name: name.into(), ..Default::default() }
}

#[test]
fn an_organizations_names_end_with_its_short_id() {
    let suffix = ShortId::parse("abcde").unwrap();
    let judge = |name: &str| draft(name).judge(&Reserved::default(), Some(&suffix), Faults::new());
    let judged = judge("shop").unwrap();
    assert_eq!((judged.label.as_str(), judged.called.unwrap().as_str()), ("shop-abcde", "shop"));
    let whole = judge("shop-abcde").unwrap();
    assert_eq!((whole.label.as_str(), whole.called), ("shop-abcde", None), "nothing is added twice");
    assert_eq!(judge(&"a".repeat(57)).unwrap().label.as_str().len(), 63);
    for (name, rule) in [
        ("a".repeat(58), "static_route_length"),
        ("abc".to_owned(), "static_route_length"),
        ("admin".to_owned(), "static_route_reserved"),
    ] {
        assert_eq!(judge(&name).unwrap_err().as_slice()[0].rule, rule, "{name}");
    }
}

#[test]
fn what_changes_nothing_is_no_change() {
    let now = Timestamp::from(std::time::UNIX_EPOCH);
    let later = Timestamp::from(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1));
    let chance = crate::domain::guid::tests::Counting::default();
    let judged = draft("shop").judge(&Reserved::default(), None, Faults::new()).unwrap();
    let mut route = judged.create(crate::domain::built_in_project(), now, &chance).unwrap();
    assert!(!route.change(draft("").judge_change(Faults::new()).unwrap(), later));
    assert_eq!(route.updated_at, now);
    let closed = StaticRouteDraft { source_ranges: vec!["10.0.0.0/8".into()], ..draft("") };
    assert!(route.change(closed.judge_change(Faults::new()).unwrap(), later));
    assert_eq!((route.source_ranges.len(), route.updated_at), (1, later));
}

#[test]
fn records_of_the_version_before_are_read() {
    let stored = r#"{"guid":"staticroute-aaaaaaaaaaaaaaaaaaaa","project":"project-builtin0000000000000",
        "label":"shop","labels":{},"created_at":1,"updated_at":2,"source_ranges":[],"bound_to":null,
        "last_protocol":null}"#;
    let route: StaticRoute = serde_json::from_str(stored).unwrap();
    assert_eq!((route.name().as_str(), &route.creator), ("shop", &None));
}
