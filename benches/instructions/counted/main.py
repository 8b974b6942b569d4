"""The command."""

import argparse
import json
import shutil
import subprocess
from pathlib import Path

from side_by_side.around import rig
from side_by_side.ours import binary

from .exchanges import EXCHANGES, Exchange
from .valgrind import count

RECORDED = Path(__file__).resolve().parent.parent / "recorded.json"
ALLOWED = 1.05
"""More than so many times what is recorded fails."""


def run():
    args = arguments()
    missing = [str(tool) for tool in (binary(), rig(), "valgrind", "taskset", "openssl", "h2load")
               if not shutil.which(str(tool))]
    if missing:
        raise SystemExit(f"missing: {', '.join(missing)} (cargo build --release --locked -p cli -p rig; "
                         "Debian's valgrind, util-linux, openssl, nghttp2-client)")
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {"figures": {}}
    figures, worse = {}, []
    for exchange in chosen(args.only):
        figure, functions = measured(exchange, by_function=args.functions > 0)
        figures[exchange.name] = figure
        before = recorded["figures"].get(exchange.name)
        ratio = figure / before if before else None
        print(f"{exchange.what:<50} {figure:>9,}" + (f"  {ratio:.3f} of what is recorded" if ratio else ""), flush=True)
        if ratio and ratio > ALLOWED:
            worse.append(exchange.name)
        for name, instructions in functions[:args.functions]:
            print(f"    {instructions:>9,.0f}  {name[:140]}")
    if args.record:
        figures = {**recorded["figures"], **figures}
        RECORDED.write_text(json.dumps({"rustc": rustc(), "figures": figures}, indent=2) + "\n")
    elif worse:
        raise SystemExit(f"more than {ALLOWED - 1:.0%} above what is recorded: {', '.join(worse)}; if that is meant, "
                         "run again with --record and say why in the commit")


def measured(exchange: Exchange, *, by_function: bool) -> tuple[int, list[tuple[str, float]]]:
    """Instructions a unit: what the longer of two runs has more, so that start and end cost nothing."""
    few, many = (count(exchange, units, by_function=by_function) for units in (exchange.few, exchange.many))
    units = exchange.many - exchange.few
    functions = [(name, (many.functions.get(name, 0) - few.functions.get(name, 0)) / units)
                 for name in many.functions]
    return round((many.total - few.total) / units), sorted(functions, key=lambda function: -function[1])


def chosen(names: str | None) -> list[Exchange]:
    known = {exchange.name: exchange for exchange in EXCHANGES}
    wanted = names.split(",") if names else list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(f"no exchange {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in wanted]


def rustc() -> str:
    return subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.strip()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benches/instructions/run", description=__doc__)
    parser.add_argument("--only", metavar="NAMES", help="exchanges, separated by commas: "
                        + ", ".join(exchange.name for exchange in EXCHANGES))
    parser.add_argument("--record", action="store_true", help="write the figures to recorded.json")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="show the N dearest functions of each")
    return parser.parse_args()
