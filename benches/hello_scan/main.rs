//! Our reading of a `ClientHello` against rustls' `Acceptor`, on the same real hellos.
//!
//! `cargo bench -p benches --bench hello_scan`

mod hellos;

use std::error::Error;
use std::hint::black_box;

use benches::clock::{Cost, per_unit};
use benches::rounds::{Contender, Measured, interleave};
use benches::{Table, machine_line, nanoseconds, print};
use clap::Parser;
use proxy::hello::{Scan, ServerName, scan};
use rustls::server::Acceptor;
use serde_json::json;

use hellos::{NAME, greased, hello};

#[derive(Parser)]
struct Arguments {
    /// Counted turns of each contender.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Hellos read in one turn.
    #[arg(long, default_value_t = 20_000)]
    turn: usize,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The proxy's own default.
const LIMIT: usize = 16 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let (plain, post_quantum) = (hello(false)?, hello(true)?);
    let browser = greased(&post_quantum).ok_or("a hello that does not read as one")?;
    let hellos = [("X25519", plain), ("X25519MLKEM768", post_quantum), ("X25519MLKEM768, GREASE", browser)];
    let mut table =
        Table::new("Reading a ClientHello", &["hello", "bytes", "contender", "CPU", "least to most"]);
    let mut results = serde_json::Map::new();
    for (label, wire) in &hellos {
        if !(scanned(wire) && accepted(wire)) {
            return Err(format!("{label}: not every reader finds {NAME} in it").into());
        }
        let measured = measure(wire, &arguments);
        for measured in &measured {
            let (least, most) = measured.cpu.spread();
            table.row([
                (*label).to_owned(),
                wire.len().to_string(),
                measured.name.to_owned(),
                nanoseconds(measured.cpu.median()),
                format!("{} to {}", nanoseconds(least), nanoseconds(most)),
            ]);
        }
        let one = |measured: &Measured| (measured.name.to_owned(), measured.cpu.median().into());
        let cpu: serde_json::Map<_, _> = measured.iter().map(one).collect();
        results.insert((*label).to_owned(), json!({ "bytes": wire.len(), "cpu_ns": cpu }));
    }
    print(table)?;
    Ok(machine_line("hello_scan", &results.into())?)
}

fn measure(wire: &[u8], arguments: &Arguments) -> Vec<Measured> {
    let half = wire.get(..wire.len() / 2).unwrap_or_default();
    let turn = |read: &dyn Fn() -> bool| -> Cost {
        per_unit(arguments.turn, || {
            for _ in 0..arguments.turn {
                black_box(read());
            }
        })
    };
    let contenders = vec![
        Contender::new("scan", |_| turn(&|| scanned(black_box(wire)))),
        Contender::new("scan, of the first half", |_| turn(&|| wants_more(black_box(half)))),
        Contender::new("rustls Acceptor", |_| turn(&|| accepted(black_box(wire)))),
    ];
    interleave(arguments.rounds, contenders)
}

fn scanned(wire: &[u8]) -> bool {
    matches!(scan(wire, LIMIT), Scan::Hello { server_name: ServerName::Name(name), alpn, .. } if *name == *NAME && alpn.h2)
}

fn wants_more(wire: &[u8]) -> bool {
    scan(wire, LIMIT) == Scan::NeedMore
}

fn accepted(wire: &[u8]) -> bool {
    let mut acceptor = Acceptor::default();
    if acceptor.read_tls(&mut &*wire).is_err() {
        return false;
    }
    let accepted = acceptor.accept();
    matches!(accepted, Ok(Some(accepted)) if accepted.client_hello().server_name() == Some(NAME))
}
