"""Rounds of one cell: contenders take turns, in another order each time."""

import sys

from . import bind, holding, round
from .cells import Cell, How
from .ours import Epr
from .setup import Fault

REPEATS = 5
"""How often a round is repeated that others disturbed, before it is kept as it is, and marked."""


class Version(Epr):
    """epr with another set-up, under a name of its own."""

    def __init__(self, name: str):
        self.name = name


def measure(stage: round.Stage, cell: Cell, playing: list, rounds: int, foreign: float) -> dict:
    """The raw rounds of a cell, by contender: what each came to, by its number."""
    if cell.how is How.BIND:
        return {"epr": {"0": attempt(bind.run)}}
    if cell.versions:
        players = [(Version(name), differs) for name, differs in cell.versions]
    else:
        players = [(contender, {}) for contender in playing if contender.plays(cell)]
    raw = {contender.name: {} for contender, _ in players}
    for number in range(rounds):
        for contender, differs in rotated(players, number):
            raw[contender.name][str(number)] = undisturbed(stage, contender, cell, differs, foreign)
            tell(contender.name, number, raw[contender.name][str(number)])
    return raw


def rotated(players: list, number: int) -> list:
    """Another one begins each round, and every second one goes backwards: neighbours differ too."""
    at = number % max(1, len(players))
    order = players[at:] + players[:at]
    return order[::-1] if number % 2 else order


def undisturbed(stage, contender, cell, differs, foreign: float) -> dict:
    """A round in which others took little of the machine."""
    method = {How.MEMORY: holding.memory, How.IMBALANCE: holding.imbalance}.get(cell.how, round.measure)
    thrown = []
    for _ in range(REPEATS + 1):
        outcome = attempt(lambda: method(stage, contender, cell, differs))
        outcome["thrown_away"] = thrown
        if outcome.get("foreign_cores", 0) <= foreign:
            return outcome
        thrown = [*thrown, outcome["foreign_cores"]]
    return outcome | {"disturbed": True}


def attempt(method) -> dict:
    """A round that fails is told and does not count; the others go on."""
    try:
        return method()
    except (Fault, OSError) as fault:
        return {"figure": None, "fault": str(fault)}


def tell(name: str, number: int, outcome: dict):
    figure = outcome.get("figure")
    shown = f"{figure:10.2f}" if figure is not None else outcome.get("fault", "no unit done")
    busy = outcome.get("core_busy")
    notes = [f"core {busy:.0%}"] if busy is not None else []
    notes += [f"foreign {outcome['foreign_cores']:.2f}"] if "foreign_cores" in outcome else []
    notes += [f"{outcome['failed']} failed"] if outcome.get("failed") else []
    notes += ["DISTURBED"] if outcome.get("disturbed") else []
    print(f"  {number:2} {name:14} {shown}  {', '.join(notes)}", file=sys.stderr)
