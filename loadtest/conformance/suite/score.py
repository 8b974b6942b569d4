"""What kits found: cases, and the record of all kits in SCORES.md."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# As much of what a failure told as a line of the page takes.
LONGEST = 160
HERE = Path(__file__).parent.parent
RECORD, PAGE = HERE / "scores.json", HERE / "SCORES.md"
INTRODUCTION = """# Scores

How the edge does in each kit: written by `loadtest/conformance/run`, from `scores.json`, never by hand.
The [README](README.md) says what each kit does. A kit's row is as of its own last run. What failed and is *explained*
is none of ours, or accepted; the reasons are below.

"""


@dataclass(frozen=True)
class Case:
    """One thing that was tried. `told` says what happened; `known` why a failure is none of ours, or is accepted."""

    name: str
    passed: bool
    told: str = ""
    known: str = ""


@dataclass
class Score:
    """How one run of a kit went."""

    kit: str
    version: str
    cases: list[Case] = field(default_factory=list)
    seconds: float = 0.0
    summary: str = ""

    @property
    def failures(self) -> list[Case]:
        return [case for case in self.cases if not case.passed]

    @property
    def unexplained(self) -> list[Case]:
        return [case for case in self.failures if not case.known]

    def add(self, cases: Iterable[Case]) -> None:
        self.cases.extend(cases)


def record(scores: list[Score], epr: str) -> None:
    """Takes the scores into the record, beside those of kits that did not run, and writes the page anew."""
    kept = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for score in scores:
        kept[score.kit] = {
            "version": score.version,
            "epr": epr,
            "date": time.strftime("%Y-%m-%d"),
            "cases": len(score.cases),
            "summary": score.summary,
            "seconds": round(score.seconds),
            "failures": [{**vars(case), "told": case.told[: 4 * LONGEST]} for case in score.failures],
        }
    RECORD.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(_page(kept))


def _page(kept: dict) -> str:
    rows = ["| kit | version | cases | passed | explained | defects | seconds | of |", "| --- " * 8 + "|"]
    sections = []
    for kit, row in sorted(kept.items()):
        failed = len(row["failures"])
        explained = sum(bool(case["known"]) for case in row["failures"])
        counts = f"{row['cases']} | {row['cases'] - failed} | {explained} | {failed - explained}"
        rows.append(f"| {kit} | {row['version']} | {counts} | {row['seconds']} | {row['epr']}, {row['date']} |")
        if row["summary"] or failed:
            sections.append(f"\n## {kit}\n\n{row['summary']}\n" if row["summary"] else f"\n## {kit}\n")
        if failed:
            sections.append("\n" + "\n".join(_lines(row["failures"])) + "\n")
    return INTRODUCTION + "\n".join(rows) + "\n" + "".join(sections)


def _lines(failures: list[dict]) -> Iterator[str]:
    """One line for each defect, and one for all failures of one explanation."""
    known: dict[str, list[str]] = {}
    for case in failures:
        if case["known"]:
            known.setdefault(case["known"], []).append(f"`{_short(case['name'])}`")
        else:
            yield f"- **a defect**: `{_short(case['name'])}`: {_short(case['told'])}"
    for why, names in known.items():
        yield f"- {why}: {', '.join(names)}"


def _short(text: str) -> str:
    """On one line, without what would be Markdown's."""
    line = " ".join(text.replace("`", "'").split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
