use std::sync::{Condvar, Mutex};
use std::time::SystemTime;

use serde_json::Value;

use super::*;
use crate::refusal::Refusal;
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
        self.0.1.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start(most: usize) -> (Lines, Writer, Pipe) {
    let pipe = Pipe::default();
    let (log, writer) = AccessLog::start_on(Box::new(pipe.clone()), most).unwrap();
    (Lines::new(log), writer, pipe)
}

fn note(protocol: &'static str, tls: bool) -> Note {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_500_000);
    Note::new(at, "192.0.2.1:5000".parse().unwrap(), protocol, tls)
}

fn request(path: &str) -> Note {
    Note { words: Words::new("GET", path, None), ..note("http/1.1", false) }
}

/// A line in a batch of its own.
fn write(lines: &Lines, path: &str) {
    lines.write(&request(path), &End::default());
    lines.hand_over();
}

#[test]
fn says_what_happened_but_not_the_query() {
    let routes = Routes::new();
    routes.apply(snapshot(1, vec![bound("a.x", "dep-a", &["10.0.0.1:80"])])).unwrap();
    let entry = routes.reader().get("a.x").unwrap();
    let (lines, writer, pipe) = start(10);
    let mut words = Words::new("GET", "/p\"th?token=secret", Some(b"curl\xff\""));
    words.named(b"id-1");
    let served = Note {
        status: Some(http::StatusCode::OK),
        upstream: entry.backends.first().cloned(),
        words,
        ..note("http/1.1", false)
    };
    let took = Duration::from_micros(1234);
    lines.write(&served, &End { took, entry: Some(&entry), refusal: None, bytes_in: 1, bytes_out: 2 });
    let refused = Note { asked: Some("nobody.x".into()), ..note("tls", true) };
    lines.write(&refused, &End { refusal: Some(Refusal::NoRoute), ..End::default() });
    let again = Note { retried: true, ..note("h2", true) };
    lines.write(&again, &End::default());
    drop(lines);
    assert!(writer.finish(PATIENCE));
    assert_eq!(
        pipe.lines(),
        [
            serde_json::json!({
                "time": "1970-01-01T00:00:01.500000Z", "client": "192.0.2.1:5000", "protocol": "http/1.1",
                "tls": false, "host": "a.x", "method": "GET", "path": "/p\"th", "status": 200,
                "bytes_in": 1, "bytes_out": 2, "duration_us": 1234, "project": "project-a",
                "deployment": "dep-a", "endpoint": "WEB", "backend": "10.0.0.1:80",
                "user_agent": "curl\u{fffd}\"", "request_id": "id-1",
            }),
            serde_json::json!({
                "time": "1970-01-01T00:00:01.500000Z", "client": "192.0.2.1:5000", "protocol": "tls",
                "tls": true, "host": "nobody.x", "status": null, "refusal": "no_route",
                "bytes_in": 0, "bytes_out": 0, "duration_us": 0,
            }),
            serde_json::json!({
                "time": "1970-01-01T00:00:01.500000Z", "client": "192.0.2.1:5000", "protocol": "h2",
                "tls": true, "host": null, "status": null, "retried": true,
                "bytes_in": 0, "bytes_out": 0, "duration_us": 0,
            }),
        ]
    );
}

#[test]
fn what_does_not_fit_is_dropped_and_counted_and_the_rest_comes_in_order() {
    let (lines, writer, pipe) = start(5);
    pipe.set(|content| content.held = true);
    write(&lines, "/0");
    pipe.wait_until(|content| content.waiting);
    (1..=8).for_each(|n| write(&lines, &format!("/{n}")));
    assert_eq!(lines.log.losses().dropped(), 3);
    pipe.set(|content| content.held = false);
    drop(lines);
    assert!(writer.finish(PATIENCE));
    let paths: Vec<_> = pipe.lines().iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(paths, ["/0", "/1", "/2", "/3", "/4", "/5"]);
}

#[test]
fn a_large_batch_goes_at_once() {
    let (lines, writer, pipe) = start(100_000);
    let count = LARGE / 100;
    (0..count).for_each(|n| lines.write(&request(&format!("/{n}")), &End::default()));
    pipe.wait_until(|content| !content.written.is_empty());
    drop(lines);
    assert!(writer.finish(PATIENCE));
    let paths: Vec<_> = pipe.lines().iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    assert!(paths.iter().eq((0..count).map(|n| format!("/{n}")).collect::<Vec<_>>().iter()));
}

#[tokio::test(start_paused = true)]
async fn a_small_batch_waits_for_a_moment() {
    let (lines, _writer, pipe) = start(5);
    let (handing_over, noticing) = (lines.hand_over_in_time(), async {
        for n in 0..2 {
            lines.write(&request(&format!("/{n}")), &End::default());
            sleep(PAUSE / 2).await;
            assert_eq!(lines.batch.borrow().0.lines, 1);
            sleep(PAUSE).await;
            assert_eq!(lines.batch.borrow().0.lines, 0);
        }
    });
    tokio::select! {
        never = handing_over => match never {},
        () = noticing => {}
    }
    pipe.wait_until(|content| content.written.iter().filter(|&&byte| byte == b'\n').count() == 2);
}

#[test]
fn long_texts_are_cut() {
    let (lines, writer, pipe) = start(5);
    write(&lines, &format!("/{}", "x".repeat(5000)));
    drop(lines);
    assert!(writer.finish(PATIENCE));
    assert_eq!(pipe.lines()[0]["path"].as_str().unwrap().len(), 1024);
}

#[test]
fn a_full_disk_is_counted_and_survived() {
    let (lines, writer, pipe) = start(5);
    pipe.set(|content| content.broken = true);
    write(&lines, "/lost");
    pipe.wait_until(|content| content.waiting);
    let losses = lines.log.losses();
    while losses.unwritable() == 0 {
        std::thread::yield_now();
    }
    pipe.set(|content| {
        content.written.extend_from_slice(b"{\"time\":");
        content.broken = false;
    });
    write(&lines, "/kept");
    drop(lines);
    assert!(writer.finish(PATIENCE));
    assert_eq!(losses.unwritable(), 1);
    let text = String::from_utf8(pipe.0.0.lock().unwrap().written.clone()).unwrap();
    let kept = text.strip_prefix("{\"time\":\n").expect("half a line is one of its own");
    assert_eq!(parsed(kept.as_bytes())["path"], "/kept");
    assert!(AccessLog::start(&AccessLogTarget::File("/proc/no/log".into()), 1).is_err());
}

#[test]
fn a_file_is_appended_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    for n in 0..2 {
        let (log, writer) = AccessLog::start(&AccessLogTarget::File(path.clone()), 5).unwrap();
        let lines = Lines::new(log);
        lines.write(&request(&format!("/{n}")), &End::default());
        drop(lines);
        assert!(writer.finish(PATIENCE));
    }
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
}

#[test]
fn an_output_that_takes_nothing_keeps_nobody_from_ending() {
    let (lines, writer, pipe) = start(5);
    pipe.set(|content| content.held = true);
    write(&lines, "/stuck");
    drop(lines);
    assert!(!writer.finish(Duration::from_millis(10)));
    pipe.set(|content| content.held = false);
}
