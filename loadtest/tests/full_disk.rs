//! A full disk: writes are refused in words, reads and traffic go on, and writes work again afterwards.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use loadtest::backend::HttpBackend;
use loadtest::manifest::{App, Speaks};
use loadtest::{Epr, Fault, Outcome, Stage, Start, eventually, play};

const LIMIT: Duration = Duration::from_secs(90);
const SIZE: &str = "size=8m,mode=0700";
/// More routes than the disk holds.
const MOST: usize = 20_000;

/// A small file system of its own, gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this user may not mount.
    fn mount(stage: &Stage) -> Outcome<Option<Self>> {
        let dir = stage.dir().join("disk");
        fs::create_dir(&dir)?;
        let mut mount = Command::new("mount");
        let status = mount.args(["-t", "tmpfs", "-o", SIZE, "epr-test"]).arg(&dir).output()?;
        Ok(status.status.success().then_some(Self(dir)))
    }

    /// Writes until nothing more goes in.
    fn fill(&self) -> Outcome<PathBuf> {
        let path = self.0.join("filler");
        let mut file = File::create(&path)?;
        while file.write_all(&[0; 4096]).is_ok() {}
        Ok(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has it open is just being killed.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Claims names until one is refused; those acknowledged, and the refusal.
async fn claim_until_refused(epr: &Epr) -> Outcome<(Vec<String>, tonic::Status)> {
    let (api, mut claimed) = (epr.api().await?, Vec::new());
    for number in 0..MOST {
        let name = format!("claim-{number}");
        match api.create_static_route(&name).await {
            Ok(_) => claimed.push(name),
            Err(status) => return Ok((claimed, status)),
        }
    }
    Err(Fault::new("the disk never filled up"))
}

async fn assert_there(epr: &Epr, names: &[String]) -> Outcome {
    let listed = epr.ok(&["get", "static-routes", "-o", "name"]).await?;
    let listed: std::collections::HashSet<_> =
        listed.lines().filter_map(|line| line.split('/').nth(1)).collect();
    for name in names {
        assert!(listed.contains(name.as_str()), "{name} was acknowledged and is gone");
    }
    Ok(())
}

async fn serves(epr: &Epr) -> Outcome {
    let page = epr.curl("http://hello-web.ep-r.io/")?.get().await?;
    assert_eq!((page.status, page.backend()), (200, "blue"), "{page:?}");
    Ok(())
}

fn data_on(disk: &SmallDisk) -> PathBuf {
    Path::new(&disk.0).join("data")
}

#[test]
fn a_full_disk_refuses_writes_and_loses_nothing() -> Outcome {
    play(LIMIT, async |stage| {
        let Some(disk) = SmallDisk::mount(stage)? else {
            writeln!(std::io::stderr(), "SKIPPED: only root can mount the small disk this test fills")?;
            return Ok(());
        };
        let mut epr = Epr::start(stage, Start::up(stage).data(data_on(&disk))).await?;
        let backend = HttpBackend::start(stage, "blue").await?;
        let app = App::new("hello").endpoint("WEB", Speaks::Http, &[backend.addr()]).bound("hello-web");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        let filler = disk.fill()?;
        let (claimed, refusal) = claim_until_refused(&epr).await?;
        let words = refusal.message().to_lowercase();
        assert!(words.contains("space") || words.contains("full"), "{refusal:?}");
        let finished = epr.run(&["apply", "-f", "-"]).await?;
        assert!(!finished.err.contains("panicked"), "{finished:?}");
        serves(&epr).await?;
        assert_there(&epr, &claimed).await?;

        fs::remove_file(filler)?;
        let api = epr.api().await?;
        eventually("a write after space was freed", Duration::from_secs(10), async || {
            Ok(api.create_static_route("after-all").await.ok())
        })
        .await?;
        assert_there(&epr, &claimed).await?;

        epr.kill_and_restart(stage).await?;
        epr.settled(1).await?;
        assert_there(&epr, &claimed).await?;
        assert_there(&epr, &["after-all".to_owned()]).await?;
        serves(&epr).await
    })
}

#[test]
fn a_start_on_a_full_disk_says_so() -> Outcome {
    play(LIMIT, async |stage| {
        let Some(disk) = SmallDisk::mount(stage)? else {
            writeln!(std::io::stderr(), "SKIPPED: only root can mount the small disk this test fills")?;
            return Ok(());
        };
        disk.fill()?;
        let start = Start::up(stage).data(data_on(&disk));
        let finished = loadtest::tools::finish(start.command()?).await?;
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.err.contains("error: ") && !finished.err.contains("panicked"), "{finished:?}");

        // What it left behind does not stand in the way of a start with space.
        fs::remove_file(disk.0.join("filler"))?;
        let epr = Epr::start(stage, start).await?;
        epr.ok(&["get", "routes"]).await?;
        Ok(())
    })
}
