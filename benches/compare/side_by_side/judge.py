"""From raw rounds to figures, ratios and verdicts."""

from dataclasses import dataclass
from statistics import median

from .cells import Cell, Goal
from .stats import Ratio, interval, middle, paired

OURS = "epr"
FLOOR = "floor"
SATURATED = 0.95
LOGGED = 0.99
"""Share of the requests a line must have come for."""
RESUMED = 0.95


@dataclass
class Row:
    """One contender in one cell."""

    name: str
    figures: dict[int, float]
    busy: float | None
    """Share of the proxy's core that was busy, in the median."""
    notes: list[str]
    comparable: bool
    """Whether it did the same work."""

    @property
    def figure(self) -> float:
        return middle(self.figures)


@dataclass
class Verdict:
    goal: Goal
    against: str
    ratio: Ratio | None
    word: str


def rows(cell: Cell, raw: dict) -> list[Row]:
    """Contenders with a figure, the cheapest first."""
    found = [row(cell, name, rounds) for name, rounds in raw.items()]
    return sorted((row for row in found if row.figures), key=lambda row: row.figure)


def row(cell: Cell, name: str, rounds: dict) -> Row:
    good = {int(at): outcome for at, outcome in rounds.items() if outcome.get("figure") is not None}
    figures = {at: outcome["figure"] for at, outcome in good.items()}
    outcomes = list(good.values())
    busy = [outcome["core_busy"] for outcome in outcomes if "core_busy" in outcome]
    notes = []
    if faults := len(rounds) - len(good):
        notes.append(f"{faults} rounds failed")
    if failed := sum(outcome.get("failed", 0) for outcome in outcomes):
        notes.append(f"{failed} requests failed")
    if disturbed := sum(bool(outcome.get("disturbed")) for outcome in outcomes):
        notes.append(f"{disturbed} rounds disturbed")
    lines = [outcome["log_lines"] / max(1, outcome["asked"]) for outcome in outcomes
             if outcome.get("log_lines") is not None and cell.logged]
    if lines and median(lines) < LOGGED:
        notes.append(f"logged {median(lines):.0%}")
    different = other_handshakes(cell, outcomes)
    return Row(name, figures, median(busy) if busy else None, notes + different, not different)


def other_handshakes(cell: Cell, outcomes: list[dict]) -> list[str]:
    """In what way its handshakes were others than the cell's."""
    notes = []
    groups = total(outcomes, "groups")
    if cell.group and groups and set(groups) != {cell.group}:
        notes.append(f"negotiated {', '.join(sorted(groups))}")
    kinds = total(outcomes, "handshakes")
    share = kinds.get("resumed", 0) / max(1, sum(kinds.values()))
    if cell.resumed and kinds and share < RESUMED:
        notes.append(f"resumed {share:.0%}")
    return notes


def total(outcomes: list[dict], key: str) -> dict:
    counts = {}
    for outcome in outcomes:
        for name, count in outcome.get(key, {}).items():
            counts[name] = counts.get(name, 0) + count
    return counts


def verdicts(cell: Cell, rows: list[Row]) -> list[Verdict]:
    """What the rounds say of each goal. With versions of our own the last of them is ours."""
    name = cell.versions[-1][0] if cell.versions else OURS
    ours = next((row for row in rows if row.name == name), None)
    if ours is None:
        return [Verdict(goal, "-", None, "not measured") for goal in cell.goals]
    return [verdict(cell, goal, ours, rows) for goal in cell.goals]


def verdict(cell: Cell, goal: Goal, ours: Row, rows: list[Row]) -> Verdict:
    if goal.against == "absolute":
        ratio = interval(list(ours.figures.values()))
        return Verdict(goal, "-", ratio, word(goal, ratio, []))
    others = [row for row in rows if row is not ours and row.name != FLOOR and row.comparable]
    if goal.against != "best":
        others = [row for row in others if row.name.startswith(goal.against)]
    if not others:
        return Verdict(goal, goal.against, None, "no such peer")
    best = others[0]
    ratio = paired(ours.figures, best.figures)
    if ratio is None:
        return Verdict(goal, best.name, None, "no round in common")
    unsaturated = [row.name for row in (ours, best) if cell.saturates and (row.busy or 0) < SATURATED]
    return Verdict(goal, best.name, ratio, word(goal, ratio, unsaturated))


def word(goal: Goal, ratio: Ratio, unsaturated: list[str]) -> str:
    met = ratio.low <= 1 if goal.parity else ratio.high <= goal.most
    said = "met" if met else "missed"
    doubts = [f"{' and '.join(unsaturated)} not saturated"] if unsaturated else []
    doubts += [] if ratio.certain else [f"{ratio.rounds} rounds are too few"]
    return f"{said}, but {', '.join(doubts)}" if doubts else said
