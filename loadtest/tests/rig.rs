//! The rig itself: clients and backends without an edge between them, so that a fault of theirs is not
//! taken for one of the edge.

use std::time::Duration;

use loadtest::backend::{self, HttpBackend, Nginx, SecureBackend};
use loadtest::hello::{client_hello, in_records};
use loadtest::{Curl, Fault, KeepAlive, OrFault as _, Outcome, Process, Talk, eventually, play, tools};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn hellos_written_by_hand_are_understood() -> Outcome {
    play(LIMIT, async |stage| {
        let server = SecureBackend::start(stage, "some.ep-r.io").await?;
        let hello = client_hello(Some("some.ep-r.io"));
        for bytes in [hello.clone(), in_records(&hello, 1), in_records(&hello, 50)] {
            let mut stream = TcpStream::connect(server.addr()).await?;
            stream.write_all(&bytes).await?;
            // A handshake record: the server asks for a key share (RFC 8446 4.1.4).
            assert_eq!(stream.read_u8().await?, 22);
        }
        Ok(())
    })
}

#[test]
fn clients_and_backends_understand_each_other() -> Outcome {
    play(LIMIT, async |stage| {
        let web = HttpBackend::start(stage, "web").await?;
        let mut client = KeepAlive::connect(web.addr(), "any.host").await?;
        assert_eq!(client.get("/bytes/100000").await?.bytes, 100_000);
        assert_eq!(client.get("/").await?.by, "web");
        let page = Curl::plain(&format!("http://{}/x", web.addr()))?.get().await?;
        assert_eq!((page.status, page.version.as_str(), page.backend()), (200, "1.1", "web"));
        assert_eq!(web.requests(), 3);

        let nginx = Nginx::start_with_tls(stage).await?;
        nginx.put("page", "text")?;
        for base in [format!("http://{}", nginx.addr()), format!("https://{}", nginx.tls_addr())] {
            let page = Curl::plain(&format!("{base}/page"))?.args(&["--insecure"]).get().await?;
            assert_eq!((page.status, page.body.as_str()), (200, "text"), "{base}");
        }

        let chat = backend::websocket(stage, "chat").await?;
        let mut command = tools::python("websocket_client.py")?;
        command.arg("ws://any.host/").arg(chat.addr().ip().to_string()).arg(chat.addr().port().to_string());
        let mut talk = Talk::start(stage, "chat-client", command)?;
        assert_eq!(talk.hear().await?.as_deref(), Some("open"));
        assert_eq!(talk.ask("hello").await?, "chat: hello");
        assert_eq!(talk.rest().await?, ["closed 1000"]);
        Ok(())
    })
}

#[test]
fn a_story_that_fails_says_where_and_leaves_nobody_behind() -> Outcome {
    let mut pid = None;
    let outcome = play(LIMIT, async |stage| {
        let process = Process::start(stage, "sleeper", tools::command("sleep", ["600"])?)?;
        pid = Some(process.pid());
        Err(Fault::new("as told"))
    });
    let fault = format!("{:?}", outcome.err());
    assert!(fault.contains("as told") && fault.contains("tests/rig.rs"), "{fault}");
    let stat = format!("/proc/{}/stat", pid.or_fault("it did not start")?.as_raw_nonzero());
    play(LIMIT, async |_| {
        eventually("its end", Duration::from_secs(10), async || {
            // Killed; reaped, or a zombie that nobody has asked after.
            let stat = std::fs::read_to_string(&stat).unwrap_or_default();
            Ok((stat.is_empty() || stat.contains(") Z ")).then_some(()))
        })
        .await
    })
}
