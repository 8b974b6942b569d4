//! The page about the tool, taken at its word: its examples are typed, and what they print is compared.

use std::path::Path;
use std::process::Command;

use super::running::{Running, typed};

const PAGE: &str = include_str!("../../../docs/CLI.md");

/// A block of the page between fences, and the language it is said to be in.
struct Block<'p> {
    language: &'p str,
    lines: Vec<&'p str>,
}

/// A command, and the lines that the page says it prints.
struct Example<'p> {
    command: &'p str,
    told: Vec<&'p str>,
    exit: i32,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => open = Some(Block { language, lines: Vec::new() }),
            (None, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

fn examples<'p>(lines: &[&'p str]) -> Vec<Example<'p>> {
    let mut examples: Vec<Example<'_>> = Vec::new();
    for line in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example { command, told: Vec::new(), exit: 0 });
            continue;
        }
        let example = examples.last_mut().unwrap();
        match line.strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']')) {
            Some(code) => example.exit = code.parse().unwrap(),
            None => example.told.push(line),
        }
    }
    examples
}

/// Whether lines are what the page says: `…` stands for anything, alone on its line for any lines. How wide
/// columns are is no matter.
fn fit(told: &[&str], printed: &[&str]) -> bool {
    match (told.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), _) => (0..=printed.len()).any(|skipped| fit(rest, &printed[skipped..])),
        (Some((line, told)), Some((seen, printed))) => line_fits(line, seen) && fit(told, printed),
        _ => false,
    }
}

fn line_fits(told: &str, printed: &str) -> bool {
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let (told, printed) = (squeeze(told), squeeze(printed));
    let mut parts = told.split('…');
    let Some(mut rest) = printed.strip_prefix(parts.next().unwrap()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let found = if last {
            rest.strip_suffix(part).map(|_| rest.len())
        } else {
            rest.find(part).map(|at| at + part.len())
        };
        let Some(end) = found else { return false };
        rest = &rest[end..];
    }
    true
}

/// Types a line in `dir`, where `epr` is the one under test and talks to `epr`.
fn type_line(epr: &Running, dir: &Path, line: &str) -> (i32, String) {
    let path = format!("{}:{}", dir.join("bin").display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1; {line}")]).current_dir(dir);
    shell.env("PATH", path).env("EPR_DATA_DIR", epr.path(""));
    for variable in ["EPR_SERVER", "EPR_TOKEN", "EPR_CA", "EPR_PROJECT"] {
        shell.env_remove(variable);
    }
    let done = typed(&mut shell);
    (done.code, done.out)
}

#[test]
fn every_example_of_the_page_prints_what_it_says() {
    let epr = Running::up_with(&["--public-http", "80", "--public-https", "443"]);
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_epr"), dir.path().join("bin/epr")).unwrap();
    let mut typed = 0;
    for block in blocks(PAGE) {
        match block.language {
            "yaml" => {
                let name = block.lines[0].strip_prefix("# ").unwrap();
                std::fs::write(dir.path().join(name), block.lines.join("\n")).unwrap();
            }
            "console" => {
                for example in examples(&block.lines) {
                    let (code, printed) = type_line(&epr, dir.path(), example.command);
                    let lines: Vec<_> = printed.lines().collect();
                    assert!(
                        code == example.exit && fit(&example.told, &lines),
                        "$ {}\nexit {code}, and it printed\n{printed}\nwhere the page has\n{}",
                        example.command,
                        example.told.join("\n")
                    );
                    typed += 1;
                }
            }
            _ => {}
        }
    }
    assert!(typed > 30, "{typed}");
}

#[test]
fn dots_stand_for_anything() {
    assert!(fit(&["a …", "…", "z"], &["a   b c", "x", "y", "z"]));
    assert!(fit(&["…"], &[]));
    assert!(fit(&["https://inst-….ep-r.io"], &["https://inst-abc.ep-r.io"]));
    assert!(!fit(&["a … c"], &["a b d"]));
    assert!(!fit(&["a"], &["a", "b"]));
}
