//! What processes and cores have worked, from proc(5).

use std::collections::BTreeSet;
use std::fs;
use std::io;

use serde_json::{Map, Value, json};

use crate::clock;

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Args {
    /// A process of the proxy; what it has started counts with it.
    #[arg(long = "proxy", value_name = "PID")]
    proxies: Vec<u32>,
    /// Another process that belongs to the comparison, for what is foreign load and what not.
    #[arg(long = "ours", value_name = "PID")]
    ours: Vec<u32>,
}

/// One moment: nanoseconds of the clock, of every task of the proxy by its number and name, of the other
/// processes together, of this one, and the cores' ticks.
pub(crate) fn take(args: &Args) -> io::Result<Value> {
    let at = clock::now();
    let mut tasks = Map::new();
    for pid in family(&args.proxies) {
        tasks.extend(tasks_of(pid).into_iter().map(|task| (task.key, json!(task.ran))));
    }
    let own = std::process::id();
    let others = args.ours.iter().filter(|&&pid| pid != own);
    let others: u64 = others.flat_map(|&pid| tasks_of(pid)).map(|task| task.ran).sum();
    let this: u64 = tasks_of(own).iter().map(|task| task.ran).sum();
    Ok(json!({
        "at": at,
        "proxy": tasks,
        "ours": others,
        "rig": this,
        "kernel": kernel_threads()?,
        "cores": cores(&fs::read_to_string("/proc/stat")?),
    }))
}

struct Task {
    key: String,
    ran: u64,
}

/// Run time of every thread of a process. One that is gone has none.
fn tasks_of(pid: u32) -> Vec<Task> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let task = |entry: fs::DirEntry| {
        let path = entry.path();
        let ran = run_time(&fs::read_to_string(path.join("schedstat")).ok()?)?;
        let name = fs::read_to_string(path.join("comm")).ok()?;
        Some(Task { key: format!("{} {}", entry.file_name().to_str()?, name.trim_end()), ran })
    };
    entries.flatten().filter_map(task).collect()
}

/// Nanoseconds on a core: the first number of `schedstat`.
fn run_time(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}

/// The processes and all they have started.
fn family(roots: &[u32]) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut next = roots.to_vec();
    while let Some(pid) = next.pop() {
        if !found.insert(pid) {
            continue;
        }
        let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for entry in entries.flatten() {
            let children = fs::read_to_string(entry.path().join("children")).unwrap_or_default();
            next.extend(children.split_ascii_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    found
}

/// Run time of the kernel's own threads of the first core, which work for whoever runs there.
fn kernel_threads() -> io::Result<u64> {
    let mut ran = 0;
    for entry in fs::read_dir("/proc")?.flatten() {
        let path = entry.path();
        if entry.file_name().to_str().is_none_or(|name| name.parse::<u32>().is_err()) {
            continue;
        }
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.starts_with("ksoftirqd/0") || name.starts_with("kworker/0:") {
            let schedstat = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
            ran += run_time(&schedstat).unwrap_or_default();
        }
    }
    Ok(ran)
}

/// Ticks (of 10 ms) of every core since the start of the machine.
fn cores(stat: &str) -> Vec<Value> {
    const NAMES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
    let lines = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    let core = |line: &str| {
        let ticks = line.split_ascii_whitespace().skip(1).map(|ticks| ticks.parse().unwrap_or(0_u64));
        Value::Object(NAMES.iter().map(|&name| name.to_owned()).zip(ticks.map(Value::from)).collect())
    };
    lines.map(core).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_read_one_by_one() {
        let stat = "cpu  3 0 0 7 0 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 2 0 0 3 0 0 0 0 0 0\nintr 9\n";
        let cores = cores(stat);
        assert_eq!(cores.len(), 2);
        assert_eq!(cores[0]["idle"], 4);
        assert_eq!(cores[0]["steal"], 8);
    }

    #[test]
    fn run_time_comes_first() {
        assert_eq!(run_time("123456 78 9\n"), Some(123_456));
        assert_eq!(run_time(""), None);
    }

    #[test]
    fn this_process_has_worked() {
        let own = std::process::id();
        let sample = take(&Args { proxies: vec![own], ours: Vec::new() }).unwrap();
        let ran: u64 = sample["proxy"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert!(ran > 0, "{sample}");
        assert!(family(&[own]).contains(&own));
    }
}
