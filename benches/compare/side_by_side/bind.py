"""The time from a bind to the first request it serves, by the bench that measures it."""

import json
import os
import subprocess

from .ours import binary
from .setup import REPOSITORY, Fault

COMMAND = ["cargo", "bench", "-p", "benches", "--bench", "bind_to_served", "--locked", "--", "--full"]


def run() -> dict:
    """The p99 of the larger table, in milliseconds; infinite if a request failed."""
    said = subprocess.run(COMMAND, check=False, cwd=REPOSITORY, capture_output=True, text=True,
                          env={**os.environ, "EPR_BIN": str(binary())})
    if said.returncode != 0:
        raise Fault(said.stderr[-1500:])
    return parse(said.stdout)


def parse(output: str) -> dict:
    results = json.loads(output.strip().splitlines()[-1])["results"]
    largest = max(results, key=lambda table: table["routes"])
    figure = largest["served_after_return_ns"]["p99"] / 1e6
    failures = largest["failures"]
    return {"figure": figure if not failures else float("inf"), "failed": failures, "table": largest}
