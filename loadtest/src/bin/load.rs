//! Runs load scenarios against the release binary with real backends on loopback, and prints a table.
//!
//! `load [SECONDS] [SCENARIO...]`: 5 seconds of each scenario unless told otherwise.
//!
//! `load switch [TIMES] [bind|update]`: a static route goes from one deployment to the other and back that
//! often (200 times, by updates, unless told otherwise) under continuous load. The receipts are a table on
//! standard error and lines of JSON on standard output; it fails when any request does.
//!
//! `load chaos [SECONDS] [SEED] [--moves N]`: a storm of two rounds of so many seconds (30 unless told otherwise).
//! It fails when anything happened that must not, and when fewer than N routes (1,000 unless told otherwise) were
//! moved a second: that was no storm.

use std::env;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use loadtest::backend::{self, Nginx, PythonBackend};
use loadtest::manifest::{App, Speaks};
use loadtest::scenario::{ALL, Measured, Scenario};
use loadtest::switch::{self, Move, Switched};
use loadtest::{Epr, Fault, OrFault as _, Outcome, Stage, Start, chaos, eventually, play};

const NAMES: [&str; 4] = ["http://load-web", "https://load-safe", "https://load-tcp", "https://load-chat"];

/// What runs while scenarios run.
struct Site {
    proxy: Epr,
    _control: Epr,
    _nginx: Nginx,
    _chat: PythonBackend,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let outcome = match words.split_first() {
        Some((first, rest)) if first == "switch" => run_switches(rest),
        Some((first, rest)) if first == "chaos" => run_chaos(rest),
        _ => run_scenarios(&words),
    };
    outcome.map_or_else(|fault| fail(&fault), |()| ExitCode::SUCCESS)
}

/// What `load chaos` is told.
struct Storm {
    seconds: u64,
    seed: u64,
    /// The least number of routes to be moved a second.
    moves: f64,
}

impl Storm {
    fn read(words: &[String]) -> Outcome<Self> {
        let (mut storm, mut numbers) = (Self { seconds: 30, seed: 1, moves: 1000.0 }, Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--moves" {
                let number = words.next().and_then(|number| number.parse().ok());
                storm.moves = number.or_fault("--moves needs the least number of routes moved a second")?;
            } else {
                let number = word.parse().ok();
                numbers.push(number.or_fault(format_args!(
                    "{word:?} is not a number; chaos takes [SECONDS] [SEED] [--moves N]"
                ))?);
            }
        }
        match numbers.as_slice() {
            [] => {}
            [seconds] => storm.seconds = *seconds,
            [seconds, seed] => (storm.seconds, storm.seed) = (*seconds, *seed),
            _ => return Err(Fault::new("chaos takes two numbers at most: [SECONDS] [SEED]")),
        }
        Ok(storm)
    }
}

fn run_chaos(words: &[String]) -> Outcome {
    let Storm { seconds, seed, moves } = Storm::read(words)?;
    play(Duration::from_secs(180 + 2 * seconds), async |stage| {
        let report = chaos::storm(stage, Duration::from_secs(seconds), seed).await?;
        print(format_args!("{}", report.table().trim_end()))?;
        if !report.wrong.is_empty() {
            return Err(Fault::new("what must not happen did"));
        }
        if report.moves_per_second < moves {
            let moved = report.moves_per_second;
            return Err(Fault::new(format_args!(
                "{moved:.0} routes moved a second, of {moves:.0} that make a storm; give the machine to it alone, or \
                 ask for less with --moves"
            )));
        }
        Ok(())
    })
}

fn run_switches(words: &[String]) -> Outcome {
    let (mut times, mut how) = (200, Move::Update);
    for word in words {
        match (word.as_str(), word.parse::<u32>()) {
            (_, Ok(number)) => times = number,
            ("bind", _) => how = Move::Bind,
            ("update", _) => how = Move::Update,
            _ => return Err(Fault::new(format_args!("{word:?} is neither a number nor bind nor update"))),
        }
    }
    play(Duration::from_secs(60 + u64::from(times)), async |stage| {
        let mut site = switch::Site::set_up(stage, 2).await?;
        tell(format_args!("{}", Switched::heading()))?;
        let mut clean = 0;
        for _ in 0..times {
            let switched = site.switch(how).await?;
            tell(format_args!("{}", switched.row()))?;
            print(format_args!("{}", switched.json()))?;
            clean += u32::from(switched.is_clean());
        }
        let (answered, failures) = site.stop().await?;
        tell(format_args!("{clean} of {times} clean; {answered} requests, {} failed", failures.len()))?;
        match failures.first() {
            Some(first) => Err(Fault::new(format_args!("a request failed: {first}"))),
            None if clean < times => {
                Err(Fault::new("a proxy was late, or served the old deployment after it"))
            }
            None => Ok(()),
        }
    })
}

fn run_scenarios(words: &[String]) -> Outcome {
    let (seconds, scenarios) = read_arguments(words)?;
    let limit = Duration::from_secs((seconds + 70) * 12);
    play(limit, async |stage| {
        let mut site = set_up(stage).await?;
        print(format_args!(
            "{:<22}{:>10}{:>9}{:>10}{:>10}{:>12}  shows",
            "scenario", "req/s", "failed", "p50 us", "p99 us", "cpu us/req"
        ))?;
        for scenario in scenarios {
            let measured = scenario.run(&mut site.proxy, seconds).await?;
            print_row(&scenario, &measured)?;
        }
        Ok(())
    })
}

fn fail(fault: &Fault) -> ExitCode {
    // Without standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "error: {fault}");
    ExitCode::FAILURE
}

fn read_arguments(words: &[String]) -> Outcome<(u64, Vec<Scenario>)> {
    let (mut seconds, mut chosen) = (5, Vec::new());
    for word in words {
        if let Ok(number) = word.parse() {
            seconds = number;
        } else if let Some(scenario) = ALL.iter().find(|scenario| scenario.name == word.as_str()) {
            chosen.push(*scenario);
        } else {
            let known: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
            return Err(Fault::new(format_args!("no scenario {word:?}; there are: {}", known.join(", "))));
        }
    }
    Ok((seconds, if chosen.is_empty() { ALL.to_vec() } else { chosen }))
}

/// Control and proxy apart, so that the proxy's CPU time is its own.
async fn set_up(stage: &Stage) -> Outcome<Site> {
    let nginx = Nginx::start_with_tls(stage).await?;
    for (name, size) in [("small", 1024), ("medium", 64 * 1024), ("large", 1024 * 1024)] {
        nginx.put(name, vec![b'x'; size])?;
    }
    let chat = backend::websocket(stage, "chat").await?;
    let control = Epr::start(stage, Start::control(stage)).await?;
    let app = App::new("load")
        .endpoint("WEB", Speaks::Http, &[nginx.addr()])
        .bound("load-web")
        .endpoint("SAFE", Speaks::Https, &[nginx.addr()])
        .bound("load-safe")
        .endpoint("TCP", Speaks::SecureTcp, &[nginx.tls_addr()])
        .bound("load-tcp")
        .endpoint("CHAT", Speaks::Https, &[chat.addr()])
        .bound("load-chat");
    control.apply(stage, &app.manifest_with_routes()).await?;
    let proxy = control.proxy(stage, "proxy")?;
    let proxy = Epr::start(stage, proxy.flag("--access-log", "off").flag("--log", "warn")).await?;
    for name in NAMES {
        eventually(name, Duration::from_secs(20), async || {
            let curl = proxy.curl(&format!("{name}.ep-r.io/small"))?.args(&["--insecure"]);
            Ok(curl.try_get().await?.1.filter(|page| page.refusal().is_empty()).map(drop))
        })
        .await?;
    }
    Ok(Site { proxy, _control: control, _nginx: nginx, _chat: chat })
}

/// For people, beside what programs read.
fn tell(line: std::fmt::Arguments<'_>) -> Outcome {
    Ok(writeln!(std::io::stderr(), "{line}")?)
}

fn print(line: std::fmt::Arguments<'_>) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn print_row(scenario: &Scenario, measured: &Measured) -> Outcome {
    let Measured { failed, rate, p50_us, p99_us, cpu_us, .. } = *measured;
    let (name, shows) = (scenario.name, scenario.shows);
    print(format_args!("{name:<22}{rate:>10.0}{failed:>9}{p50_us:>10}{p99_us:>10}{cpu_us:>12.1}  {shows}"))
}
