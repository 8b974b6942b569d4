"""What every contender has in common."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .cells import Cell, Duty
from .setup import HERE, Setup

PEERS = Path(os.environ.get("COMPARE_PEERS", HERE / ".peers"))
"""Where `install` puts what no package manager of the system has."""
TRIXIE = PEERS / "trixie"
EVERYTHING = frozenset({Duty.HTTP, Duty.HTTPS, Duty.PASSTHROUGH})
TERMINATES = frozenset({Duty.HTTP, Duty.HTTPS})


class Contender:
    """A program, and how it is put to the work."""

    name: str
    """Unique; its beginning names the family in goals."""
    duties: frozenset[Duty] = EVERYTHING
    can: frozenset[str] = frozenset({"h2", "websocket"})
    peer = True
    """Whether it is what ours is compared with."""
    logs = True
    forwards: tuple[str, ...] = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
    """The fields by which it says for whom it asks."""
    advice = "benches/compare/install"
    held = 10_000
    """Connections it can be asked to hold with the files it may open."""

    def program(self) -> list:
        """How it is run, without arguments."""
        raise NotImplementedError

    def version(self) -> str:
        raise NotImplementedError

    def command(self, setup: Setup) -> tuple[list, dict]:
        """What runs in the foreground, and what is added to its environment."""
        raise NotImplementedError

    def missing(self) -> str | None:
        program = Path(self.program()[-1])
        found = program.exists() if program.is_absolute() else shutil.which(str(program))
        return None if found else f"{self.name}: no {program}; get it by {self.advice}"

    def plays(self, cell: Cell) -> bool:
        return cell.duty in self.duties and cell.needs <= self.can


def ask_version(command: list, pattern: str) -> str:
    """What a program says its version is."""
    said = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, timeout=20)
    found = re.search(pattern, said.stdout + said.stderr)
    return found[1] if found else "?"


def in_trixie(program: str) -> list:
    """A program of the other Debian, with that one's libraries, on these very files."""
    loader = TRIXIE / "lib64/ld-linux-x86-64.so.2"
    return [loader, "--library-path", TRIXIE / "usr/lib/x86_64-linux-gnu", TRIXIE / "usr/sbin" / program]
