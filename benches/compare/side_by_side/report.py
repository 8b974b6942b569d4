"""Results as Markdown, and the plots beside it."""

import json
from pathlib import Path

from . import plot
from .cells import CELLS, Cell
from .judge import FLOOR, Row, Verdict, rows, verdicts
from .stats import Ratio, paired

HEAD = ("| cell | goal | against | ours | theirs | ratio | 95 % interval | verdict |\n"
        "|---|---|---|--:|--:|--:|--:|---|\n")


def write(results: dict, out: Path) -> str:
    """Writes results.json, report.md and the plots; the table of verdicts."""
    out.mkdir(parents=True, exist_ok=True)
    measured = [cell for cell in CELLS if cell.name in results["cells"]]
    judged = {cell.name: rows(cell, results["cells"][cell.name]) for cell in measured}
    table = HEAD + "".join(line for cell in measured for line in summary(cell, judged[cell.name]))
    (out / "results.json").write_text(json.dumps(results, indent=1))
    parts = [heading(results), "## Verdicts\n\n" + table]
    for cell in measured:
        name = f"{cell.name}.svg"
        (out / name).write_text(plot.bars(cell, judged[cell.name]))
        parts.append(detail(cell, judged[cell.name], results["cells"][cell.name], name))
    (out / "report.md").write_text("\n".join(parts))
    return f"{table}\n{out}/report.md"


def heading(results: dict) -> str:
    machine, arguments = results["machine"], results["arguments"]
    versions = ", ".join(f"{name} ({version})" for name, version in results["versions"].items())
    return (
        f"# epr beside its peers\n\n{results['begun']}, {machine['cores']} x {machine['model']}, Linux "
        f"{machine['kernel']}. {arguments['rounds']} rounds of {arguments['seconds']:g} s, {arguments['routes']} host "
        f"routes, rounds with more than {arguments['foreign']:g} cores of foreign load thrown away.\n\n{versions}\n")


def summary(cell: Cell, found: list[Row]):
    for verdict in verdicts(cell, found):
        yield line(cell, verdict, found)


def line(cell: Cell, verdict: Verdict, found: list[Row]) -> str:
    figures = {row.name: row.figure for row in found}
    name = cell.versions[-1][0] if cell.versions else "epr"
    ours, theirs = number(figures.get(name)), number(figures.get(verdict.against))
    middle = f"{verdict.ratio.middle:.3g}" if verdict.ratio else "-"
    return (f"| {cell.name} | {verdict.goal} | {verdict.against} | {ours} | {theirs} | {middle} | "
            f"{between(verdict.ratio)} | {verdict.word} |\n")


def detail(cell: Cell, found: list[Row], raw: dict, image: str) -> str:
    lines = [f"## {cell.name}: {cell.what}\n", f"![{cell.what}]({image})\n",
             f"| contender | {cell.unit} | epr to it | 95 % interval | core busy | p50, p99 | notes |",
             "|---|--:|--:|--:|--:|--:|---|"]
    ours = next((row for row in found if row.name == "epr"), None)
    for row in found:
        ratio = paired(ours.figures, row.figures) if ours and row is not ours else None
        busy = f"{row.busy:.0%}" if row.busy is not None else "-"
        middle = f"{ratio.middle:.2f}" if ratio else "-"
        notes = "; ".join(row.notes + (["bare relay"] if row.name == FLOOR else []))
        lines.append(f"| {row.name} | {number(row.figure)} | {middle} | {between(ratio)} | {busy} | "
                     f"{latency(raw[row.name])} | {notes} |")
    for name, rounds in raw.items():
        faults = {outcome["fault"].strip().splitlines()[-1] for outcome in rounds.values() if outcome.get("fault")}
        lines += [f"\n{name} failed: {fault}" for fault in sorted(faults)]
    return "\n".join(lines) + "\n"


def latency(rounds: dict) -> str:
    """The middle round's; under a closed loop it says how many wait, not how quick anyone is."""
    known = [outcome["latency_ns"] for outcome in rounds.values() if outcome.get("latency_ns")]
    if not known:
        return "-"
    times = [sorted(each[key] for each in known)[len(known) // 2] / 1e6 for key in ("p50", "p99")]
    return ", ".join(f"{time:.2f} ms" for time in times)


def between(ratio: Ratio | None) -> str:
    if ratio is None:
        return "-"
    shown = f"{ratio.low:.3g} to {ratio.high:.3g}"
    return shown if ratio.certain else f"({shown}: {ratio.confidence:.0%})"


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 10 else f"{value:.1f}"
