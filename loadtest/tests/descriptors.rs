//! Out of file descriptors: connections wait, nothing breaks, and all is well afterwards.

use std::time::Duration;

use loadtest::backend::HttpBackend;
use loadtest::manifest::{App, Speaks};
use loadtest::{Epr, Outcome, Start, eventually, play};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(60);
const DESCRIPTORS: usize = 128;
/// Clients of the flood that a proxy must let in at least.
const MANY: usize = 16;
const FLOOD: usize = 300;

#[test]
fn a_flood_beyond_the_limit_is_survived() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = HttpBackend::start(stage, "blue").await?;
        let control = Epr::start(stage, Start::control(stage)).await?;
        let app = App::new("hello").endpoint("WEB", Speaks::Http, &[backend.addr()]).bound("hello-web");
        control.apply(stage, &app.manifest_with_routes()).await?;
        let start = control.proxy(stage, "proxy")?;
        let mut proxy = Epr::start(stage, start.descriptors(DESCRIPTORS)).await?;
        let served = async |proxy: &Epr| {
            let (_, page) = proxy.curl("http://hello-web.ep-r.io/")?.try_get().await?;
            Ok(page.filter(|page| page.backend() == "blue").map(drop))
        };
        eventually("the route", Duration::from_secs(20), async || served(&proxy).await).await?;

        let fds = format!("/proc/{}/fd", proxy.process().pid().as_raw_nonzero());
        let count = || Outcome::Ok(std::fs::read_dir(&fds)?.count());
        let idle = count()?;
        let mut flood = Vec::new();
        for number in 0..FLOOD {
            let edge = if number % 2 == 0 { proxy.http()? } else { proxy.https()? };
            flood.push(TcpStream::connect(edge).await?);
        }
        // How many of the flood it takes in and how many wait in the kernel's queue is its own affair.
        eventually("a flooded proxy", Duration::from_secs(20), async || {
            Ok((count()? >= idle + MANY).then_some(()))
        })
        .await?;
        assert!(proxy.process().ended()?.is_none());

        drop(flood);
        eventually("service after the flood", Duration::from_secs(20), async || served(&proxy).await).await?;
        assert!(proxy.process().ended()?.is_none());
        assert!(!proxy.process().err().contains("panicked"), "{}", proxy.process().err());
        Ok(())
    })
}
