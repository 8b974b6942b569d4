//! Backends that lead back to an edge: a request, or a connection that passes through, does not go round for ever.

use std::num::NonZeroU32;

use proto::EdgeProtocol::{Http, SecureTcp};

use crate::client::{alert, get};
use crate::observed::admin;
use crate::stage::{Stage, bound};

/// Two edges that take each other for a backend; neither knows the other's addresses.
fn pair(limit: u32) -> (Stage, Stage) {
    let stage = || Stage::with(|config| config.limits.in_flight_per_route = NonZeroU32::new(limit).unwrap());
    let (a, b) = (stage(), stage());
    for (one, other) in [(&a, &b), (&b, &a)] {
        let (http, https) = (other.http, other.https);
        one.apply(vec![bound("a.ep-r.io", Http, &[http]), bound("tcp.ep-r.io", SecureTcp, &[https])]);
    }
    (a, b)
}

#[tokio::test]
async fn a_request_goes_round_eight_times() {
    let (a, b) = pair(1000);
    let answer = get(&a, "a.ep-r.io", "/").await;
    // The edge that refused is a backend to the one before it, which keeps the name of a refusal to its own.
    assert_eq!((answer.status, answer.field("epr-refusal")), (508, None), "{}", answer.head);
    let refused = "epr_refusals_total{reason=\"loop\"} 1\n";
    assert!(admin(&a, "/metrics").await.body.contains(refused));
    assert!(!admin(&b, "/metrics").await.body.contains(refused));
}

/// Nothing in its bytes tells how often a connection has passed, so a limit ends it.
#[tokio::test]
async fn a_connection_that_passes_through_goes_round_until_its_route_is_busy() {
    let (a, b) = pair(8);
    assert_eq!(alert(&a, "tcp.ep-r.io").await, Some(rustls::AlertDescription::InternalError));
    let busy = |metrics: String| metrics.contains("epr_refusals_total{reason=\"route_busy\"} 1\n");
    let (at_a, at_b) = (admin(&a, "/metrics").await.body, admin(&b, "/metrics").await.body);
    assert!(busy(at_a) != busy(at_b));
}

#[tokio::test]
async fn an_edge_is_no_backend_of_its_own() {
    let stage = Stage::open();
    let backends = [stage.http];
    stage.apply(vec![bound("a.ep-r.io", Http, &backends), bound("b.ep-r.io", Http, &[stage.admin])]);
    for name in ["a.ep-r.io", "b.ep-r.io"] {
        assert_eq!(get(&stage, name, "/").await.refusal(), (502, "backend_forbidden"), "{name}");
    }
}
