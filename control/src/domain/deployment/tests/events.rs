use super::*;

fn messages(deployment: &Deployment) -> Vec<&str> {
    deployment.events.iter().map(|event| event.message.as_str()).collect()
}

#[test]
fn what_happens_is_kept_in_mind() {
    let mut deployment = create(&DeploymentDraft { static_routes: vec![binding("shop", "WEB")], ..draft() });
    let label = |name: &str| StaticRouteLabel::parse(name).unwrap();
    let (web, other) = (samples::web(), DeploymentName::parse("other").unwrap());
    deployment.gain(label("gate"), web.clone(), Some(&other), samples::now()).unwrap();
    deployment.lose(&label("shop"), Some(&other), samples::now());
    deployment.gain(label("door"), web, None, samples::now()).unwrap();
    deployment.lose(&label("door"), None, samples::now());
    deployment.stop(samples::now());
    assert_eq!(
        messages(&deployment),
        [
            "created in phase InProgress",
            "bound static route shop to WEB",
            "moved static route gate here, to WEB, from deployment other",
            "moved static route shop to deployment other",
            "bound static route door to WEB",
            "unbound static route door",
            "unbound static route gate",
            "stopped",
        ]
    );
    assert_eq!(deployment.stopped_at, Some(samples::now()));
}

#[test]
fn what_happened_long_before_is_forgotten() {
    let mut deployment = create(&draft());
    for n in 0..50 {
        deployment.note(samples::now(), format!("event {n}"));
    }
    assert_eq!(deployment.events.len(), 20);
    assert_eq!((messages(&deployment)[0], messages(&deployment)[19]), ("event 30", "event 49"));
}
