"""Runs kits: python -m suite [--list] [--no-record] [KIT...]. Exits with 1 when a failure has no explanation."""

import importlib
import os
import pkgutil
import subprocess
import sys
import time

from . import kits, score
from .edge import BINARY

EXPENSIVE = ("flood", "slow", "slowhttptest", "testssl")


def names() -> list[str]:
    found = [module.name for module in pkgutil.iter_modules(kits.__path__)]
    return sorted(found, key=lambda name: (name in EXPENSIVE, name))


def play(name: str) -> score.Score | None:
    """One kit; nothing when what it needs is not installed."""
    kit = importlib.import_module(f"{kits.__name__}.{name}")
    version = kit.version()
    if version is None:
        print(f"{name}: not installed, left out")
        return None
    result, begun = score.Score(name, version), time.monotonic()
    kit.run(result)
    result.seconds = time.monotonic() - begun
    for case in result.failures:
        known = f" (known: {case.known})" if case.known else ""
        print(f"  FAILED {name}/{case.name}: {case.told}{known}")
    passed = len(result.cases) - len(result.failures)
    print(
        f"{name} {version}: {passed} passed, {len(result.failures)} failed in {result.seconds:.0f} s {result.summary}"
    )
    return result


def main() -> int:
    arguments = sys.argv[1:]
    if "--list" in arguments:
        print("\n".join(names()))
        return 0
    chosen = [word for word in arguments if not word.startswith("--")] or names()
    if unknown := set(chosen) - set(names()):
        print(f"no such kit: {', '.join(sorted(unknown))}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    scores = [result for name in chosen if (result := play(name))]
    if "--no-record" not in arguments:
        score.record(scores, _epr())
    return 1 if any(result.unexplained for result in scores) else 0


def _epr() -> str:
    """Version and commit of what was tried."""
    told = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if revision := os.environ.get("EPR_REVISION"):
        return f"{told} at {revision}"
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return f"{told} at {git.stdout.strip()}" if git.returncode == 0 else told


sys.exit(main())
