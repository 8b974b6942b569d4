"""What idle connections take, and how they are spread over workers."""

import subprocess
import time
from pathlib import Path

from .around import rig
from .cells import Cell, Duty
from .contender import Contender
from .round import Running, Stage
from .setup import OTHER_CORE, said, start, stop

FEW, MANY = 1000, 10_000
IDLE = 10.0
"""Seconds without a word before memory is read."""


def memory(stage: Stage, contender: Contender, cell: Cell, differs: dict) -> dict:
    """Bytes a connection: the slope from few connections to many, after one request each."""
    quick = stage.seconds < 5
    few, many = (100, 1000) if quick else (FEW, min(MANY, contender.held))
    idle = stage.seconds if quick else IDLE
    with Running(stage, contender, cell, differs) as running:
        holder = hold(running, cell)
        try:
            sizes = [grow(holder, running, count, idle) for count in (few, many)]
        finally:
            stop(holder)
    return {"figure": (sizes[1] - sizes[0]) / (many - few), "resident": sizes, "connections": [few, many]}


def imbalance(stage: Stage, contender: Contender, cell: Cell, differs: dict) -> dict:
    """Connections of the busiest worker to the mean, as the workers' epoll instances have them."""
    count = 1000 if stage.seconds < 5 else MANY
    with Running(stage, contender, cell, differs) as running:
        holder = hold(running, cell)
        try:
            grow(holder, running, count, 0.5)
            watched = epolls(running.process.pid)
        finally:
            stop(holder)
    workers = watched[: running.setup.workers]
    return {"figure": max(workers) / (sum(workers) / len(workers)), "connections": workers}


def hold(running: Running, cell: Cell) -> subprocess.Popen:
    words = [rig(), "hold", "--target", f"127.0.0.1:{running.setup.port}", "--hosts", running.hosts]
    words += ["--tls"] if cell.duty is Duty.HTTPS else []
    return start(words, OTHER_CORE, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def grow(holder: subprocess.Popen, running: Running, count: int, idle: float) -> int:
    """Opens connections up to so many; resident bytes once they were idle."""
    holder.stdin.write(f"{count}\n".encode())
    holder.stdin.flush()
    said(holder)
    time.sleep(idle)
    return sum(resident(pid) for pid in family(running.process.pid))


def family(root: int) -> list[int]:
    """A process and all it has started."""
    found, following = [], [root]
    while following:
        pid = following.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            following += map(int, task.read_text().split())
    return found


def resident(pid: int) -> int:
    """Proportional resident bytes: what processes share is counted once."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def epolls(root: int) -> list[int]:
    """How many descriptors each epoll instance watches, the most first."""
    found = set()
    for pid in family(root):
        for info in Path(f"/proc/{pid}/fdinfo").glob("*"):
            try:
                watched = watches(info.read_text())
            except OSError:
                continue
            if watched:
                # Several descriptors of one instance watch the same.
                found.add((pid, watched))
    return sorted((len(watched) for _, watched in found), reverse=True)


def watches(info: str) -> frozenset[str]:
    """What an epoll instance watches, from its fdinfo (proc(5))."""
    return frozenset(line.split()[1] for line in info.splitlines() if line.startswith("tfd:"))
