"""The command: which cells, which contenders, how many rounds."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from . import around, cells, report, rounds
from .contender import PEERS
from .peers import contenders
from .round import Stage
from .setup import HERE, Fault, stop

QUICK = {"rounds": 1, "seconds": 2.0, "foreign": 9.0}
QUICK_CONTENDERS = "epr,floor,nginx-1.22"
TOOLS = {"taskset": "util-linux", "openssl": "openssl", "h2load": "nghttp2-client"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benches/compare/run", description="epr beside its peers.")
    parser.add_argument("--only", metavar="CELL,...", help="measure these cells")
    parser.add_argument("--contenders", metavar="NAME,...", help="measure these contenders (default: all found)")
    parser.add_argument("--rounds", type=int, help="rounds of each cell (default 15)")
    parser.add_argument("--seconds", type=float, help="measured seconds of a round (default 5)")
    parser.add_argument("--routes", type=int, default=1000, help="host routes of every contender (default 1000)")
    parser.add_argument("--foreign", type=float, help="cores of foreign load a round may have (default 0.25)")
    parser.add_argument("--quick", action="store_true",
                        help=f"one round of 2 s of {QUICK_CONTENDERS}, whatever else the machine does: does it work?")
    parser.add_argument("--out", type=Path, help="where results go (default benches/compare/results/TIME)")
    parser.add_argument("--keep", type=Path, help="keep configurations and output of contenders there")
    parser.add_argument("--list", action="store_true", help="tell the cells and contenders, and what is missing")
    parser.add_argument("--report", type=Path, metavar="JSON", help="measure nothing, make the report of these results")
    args = parser.parse_args()
    usual = {"rounds": 15, "seconds": 5.0, "foreign": 0.25}
    for name, value in (QUICK if args.quick else usual).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def main():
    args = arguments()
    if args.report:
        results = json.loads(args.report.read_text())
        print(report.write(results, args.out or args.report.parent))
        return
    wanted = cells.chosen(args.only)
    everyone = contenders()
    if args.list:
        return tell(wanted, everyone)
    missing = [f"{tool}: apt-get install {package}" for tool, package in TOOLS.items() if not shutil.which(tool)]
    if missing:
        raise SystemExit("\n".join(missing))
    playing = choose(everyone, args.contenders or (QUICK_CONTENDERS if args.quick else None))
    now = datetime.now(UTC)
    out = args.out or HERE / "results" / now.strftime("%Y-%m-%dT%H%M%S")
    out.mkdir(parents=True, exist_ok=True)
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    results = {"begun": now.isoformat(), "machine": machine(), "arguments": shown(args),
               "versions": {contender.name: contender.version() for contender in playing}, "cells": {}}
    measure(args, wanted, playing, out, results)
    print(report.write(results, out))


def measure(args, wanted, playing, out: Path, results: dict):
    """Measures cell by cell; what was measured is written after each, lest it be lost."""
    directory = Path(tempfile.mkdtemp(prefix="compare-"))
    backend = around.Backend()
    try:
        certificate = around.certificate(directory)
        stage = Stage(backend, certificate, args.routes, args.seconds, args.keep)
        for cell in wanted:
            print(f"{cell.name}: {cell.what}", file=sys.stderr)
            results["cells"][cell.name] = rounds.measure(stage, cell, playing, args.rounds, args.foreign)
            (out / "results.json").write_text(json.dumps(results, indent=1))
    finally:
        stop(backend.process)
        shutil.rmtree(directory, ignore_errors=True)


def choose(everyone: list, names: str | None) -> list:
    """Those of these names, all of which must be there; or all that are there."""
    if names is None:
        found = [contender for contender in everyone if not contender.missing()]
        for contender in everyone:
            if contender not in found:
                print(contender.missing(), file=sys.stderr)
        if not any(contender.name == "epr" for contender in found):
            raise SystemExit("nothing to compare without epr")
        return found
    known = {contender.name: contender for contender in everyone}
    chosen = []
    for name in names.split(","):
        if name not in known:
            raise SystemExit(f"no contender {name}; there are: {', '.join(known)}")
        if why := known[name].missing():
            raise SystemExit(why)
        chosen.append(known[name])
    return chosen


def tell(wanted: list, everyone: list):
    for cell in wanted:
        goals = ", ".join(map(str, cell.goals))
        print(f"{cell.name:12} {cell.what} [{goals}]")
    print(f"\npeers of no package manager are looked for in {PEERS}")
    for contender in everyone:
        missing = contender.missing()
        print(f"{contender.name:12} {f'MISSING: {missing}' if missing else contender.version()}")


def machine() -> dict:
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "?")
    return {"model": model, "cores": os.cpu_count(), "kernel": os.uname().release}


def shown(args) -> dict:
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()}


def run():
    # What was started is stopped, however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Fault as fault:
        raise SystemExit(f"benches/compare: {fault}") from fault
    except KeyboardInterrupt:
        raise SystemExit(130) from None
