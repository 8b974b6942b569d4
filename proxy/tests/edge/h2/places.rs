//! Requests over one HTTP/2 connection take as many places as requests over many connections.

use std::num::{NonZeroU32, NonZeroUsize};

use proto::EdgeProtocol::Https;

use super::frames::{CANCEL, DATA, END_STREAM, HEADERS, Raw, get, reset};
use crate::backends::{echo, serve};
use crate::observed::admin;
use crate::stage::{Stage, bound};

/// The refusals of a stage with so many places, counted after three requests that hang on one connection.
async fn third_of_two(stage: &Stage, name: &str) {
    let silent = serve(&stage.tasks, |stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    });
    let (silent, backend) = (silent.await, echo(&stage.tasks, "backend").await);
    stage.apply(vec![bound("a.ep-r.io", Https, &[silent])]);
    let mut raw = Raw::open(stage).await;
    raw.send(&[get(1), get(3), get(5)].concat()).await;
    let refused = raw.until(|frame| frame.kind == DATA).await;
    let text = String::from_utf8(refused.payload).unwrap();
    assert_eq!((refused.stream, text.starts_with(name)), (5, true), "{text}");
    // A place that is given back is there for the next.
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    raw.send(&reset(3, CANCEL)).await;
    let mut stream = 7;
    loop {
        raw.send(&get(stream)).await;
        let head = raw.until(|frame| frame.stream == stream && frame.kind == HEADERS).await;
        raw.until(|frame| frame.stream == stream && frame.flags & END_STREAM != 0).await;
        // :status 200 is the eighth of the static table.
        if head.payload[0] == 0x88 {
            break;
        }
        stream += 2;
    }
    let metrics = admin(stage, "/metrics").await.body;
    assert!(metrics.contains(&format!("epr_refusals_total{{reason=\"{name}\"}}")), "{metrics}");
}

#[tokio::test]
async fn requests_beyond_the_first_need_a_place_each() {
    let stage = Stage::with(|config| config.limits.connections = NonZeroUsize::new(2).unwrap());
    third_of_two(&stage, "overloaded").await;
}

#[tokio::test]
async fn they_count_as_connections_of_their_source() {
    let stage = Stage::with(|config| {
        config.limits.connections_per_source = NonZeroU32::new(2).unwrap();
    });
    third_of_two(&stage, "too_many_connections").await;
}
