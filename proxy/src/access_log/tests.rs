use std::sync::{Condvar, Mutex};

use serde_json::Value;

use super::*;
use crate::routes::Routes;
use crate::routes::tests::{bound, snapshot};

const PATIENCE: Duration = Duration::from_secs(60);

/// An output the test can read, and hold up.
#[derive(Clone, Default)]
struct Pipe(Arc<(Mutex<Content>, Condvar)>);

#[derive(Default)]
struct Content {
    written: Vec<u8>,
    held: bool,
    waiting: bool,
    broken: bool,
}

impl Pipe {
    fn set(&self, change: impl FnOnce(&mut Content)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn wait_until(&self, met: impl Fn(&Content) -> bool) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |content| !met(content)).unwrap());
    }

    fn lines(&self) -> Vec<Value> {
        let content = self.0.0.lock().unwrap();
        content.written.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(parsed).collect()
    }
}

fn parsed(line: &[u8]) -> Value {
    serde_json::from_slice(line).unwrap()
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.set(|content| content.waiting = true);
        let mut content = self.0.1.wait_while(self.0.0.lock().unwrap(), |content| content.held).unwrap();
        if content.broken {
            return Err(io::ErrorKind::StorageFull.into());
        }
        content.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start(queue: usize) -> (AccessLog, Writer, Pipe) {
    let pipe = Pipe::default();
    let (log, writer) = AccessLog::start_on(Box::new(pipe.clone()), queue).unwrap();
    (log, writer, pipe)
}

fn request(path: &str) -> Record {
    Record {
        method: Some(http::Method::GET),
        path: Some(Record::path_of(path)),
        protocol: "http/1.1",
        ..Record::default()
    }
}

#[test]
fn says_what_happened_but_not_the_query() {
    let routes = Routes::new();
    routes.apply(snapshot(1, vec![bound("a.x", "dep-a", &["10.0.0.1:80"])])).unwrap();
    let entry = routes.reader().get("a.x").unwrap();
    let (log, writer, pipe) = start(10);
    log.record(Record {
        at: Some(SystemTime::UNIX_EPOCH + Duration::from_micros(1_500_000)),
        took: Duration::from_micros(1234),
        client: Some("192.0.2.1:5000".parse().unwrap()),
        upstream: entry.backends.first().cloned(),
        entry: Some(entry),
        status: Some(http::StatusCode::OK),
        bytes_in: 1,
        bytes_out: 2,
        user_agent: Some(HeaderValue::from_bytes(b"curl\xff\"").unwrap()),
        ..request("/p\"th?token=secret")
    });
    log.record(Record {
        asked: Some("nobody.x".into()),
        refusal: Some(Refusal::NoRoute),
        tls: true,
        protocol: "tls",
        ..Record::default()
    });
    drop(log);
    assert!(writer.finish(PATIENCE));
    assert_eq!(
        pipe.lines(),
        [
            serde_json::json!({
                "time": "1970-01-01T00:00:01.500000Z", "client": "192.0.2.1:5000", "protocol": "http/1.1",
                "tls": false, "host": "a.x", "method": "GET", "path": "/p\"th", "status": 200,
                "bytes_in": 1, "bytes_out": 2, "duration_us": 1234, "project": "project-a",
                "deployment": "dep-a", "endpoint": "WEB", "backend": "10.0.0.1:80",
                "user_agent": "curl\u{fffd}\"",
            }),
            serde_json::json!({
                "time": "1970-01-01T00:00:00.000000Z", "client": null, "protocol": "tls", "tls": true,
                "host": "nobody.x", "status": null, "refusal": "no_route",
                "bytes_in": 0, "bytes_out": 0, "duration_us": 0,
            }),
        ]
    );
}

#[test]
fn what_does_not_fit_is_dropped_and_counted_and_the_rest_comes_in_order() {
    let (log, writer, pipe) = start(5);
    pipe.set(|content| content.held = true);
    log.record(request("/0"));
    pipe.wait_until(|content| content.waiting);
    for n in 1..=8 {
        log.record(request(&format!("/{n}")));
    }
    assert_eq!(log.losses().dropped(), 3);
    pipe.set(|content| content.held = false);
    drop(log);
    assert!(writer.finish(PATIENCE));
    let paths: Vec<_> = pipe.lines().iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(paths, ["/0", "/1", "/2", "/3", "/4", "/5"]);
}

#[test]
fn long_texts_are_cut() {
    let (log, writer, pipe) = start(5);
    log.record(request(&format!("/{}", "x".repeat(5000))));
    drop(log);
    assert!(writer.finish(PATIENCE));
    assert_eq!(pipe.lines()[0]["path"].as_str().unwrap().len(), 1024);
}

#[test]
fn a_full_disk_is_counted_and_survived() {
    let (log, writer, pipe) = start(5);
    pipe.set(|content| content.broken = true);
    log.record(request("/lost"));
    pipe.wait_until(|content| content.waiting);
    let losses = log.losses();
    drop(log);
    assert!(writer.finish(PATIENCE));
    assert_eq!(losses.unwritable(), 1);
    assert!(AccessLog::start(&AccessLogTarget::File("/proc/no/log".into()), 1).is_err());
}

#[test]
fn a_file_is_appended_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    for n in 0..2 {
        let (log, writer) = AccessLog::start(&AccessLogTarget::File(path.clone()), 5).unwrap();
        log.record(request(&format!("/{n}")));
        drop(log);
        assert!(writer.finish(PATIENCE));
    }
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
}

#[test]
fn an_output_that_takes_nothing_keeps_nobody_from_ending() {
    let (log, writer, pipe) = start(5);
    pipe.set(|content| content.held = true);
    log.record(request("/stuck"));
    drop(log);
    assert!(!writer.finish(Duration::from_millis(10)));
    pipe.set(|content| content.held = false);
}
