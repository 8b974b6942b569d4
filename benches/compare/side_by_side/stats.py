"""Medians, paired ratios and their intervals."""

from dataclasses import dataclass
from math import comb
from statistics import median

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """The median of paired ratios and where it lies, with the confidence the number of rounds allows."""

    middle: float
    low: float
    high: float
    rounds: int
    confidence: float

    @property
    def certain(self) -> bool:
        return self.confidence >= CONFIDENCE


def interval(values: list[float]) -> Ratio:
    """The median with its order-statistic interval: no assumption about how values are spread.

    The median lies between the k-th lowest and the k-th highest of n values unless fewer than k of them
    lie on one side of it, which is a matter of coins. Fewer than six values can't give 95 %: least and
    most are given then, with the confidence they have.
    """
    ordered = sorted(values)
    n = len(ordered)
    if n == 0:
        raise ValueError("no rounds")
    rank = 1
    while 2 * (rank + 1) <= n + 1 and coverage(n, rank + 1) >= CONFIDENCE:
        rank += 1
    return Ratio(median(ordered), ordered[rank - 1], ordered[n - rank], n, coverage(n, rank))


def coverage(n: int, rank: int) -> float:
    """How surely the median lies between the rank-th lowest and the rank-th highest of n values."""
    tail = sum(comb(n, below) for below in range(rank)) / 2**n
    return max(0.0, 1 - 2 * tail)


def paired(ours: dict[int, float], theirs: dict[int, float]) -> Ratio | None:
    """Ours to theirs, round by round; none without a round in common."""
    rounds = sorted(ours.keys() & theirs.keys())
    ratios = [ours[at] / theirs[at] for at in rounds if theirs[at] > 0]
    return interval(ratios) if ratios else None


def middle(figures: dict[int, float]) -> float:
    return median(figures.values())
