"""One run of epr under callgrind, and what it counted."""

import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from side_by_side import around
from side_by_side.ours import Epr
from side_by_side.setup import OTHER_CORE, PROXY_CORE, Fault, Setup, start, stop, wait_for

from .exchanges import Exchange, dial

ROUTES = 1000
PATIENCE = 120.0
"""Seconds for what takes a few without valgrind."""


@dataclass
class Counted:
    """Instructions in user space, of all threads, from the first to the last."""

    total: int
    functions: dict[str, int]
    """Each without what it calls."""


def count(exchange: Exchange, units: int, *, by_function: bool) -> Counted:
    """Starts epr, has it do so many units, and ends it."""
    with tempfile.TemporaryDirectory(prefix="instructions-") as name:
        directory = Path(name)
        backend, sink = around.Backend(), around.Sink(directory)
        epr = None
        try:
            cert, key, pem = around.certificate(directory)
            setup = Setup(dir=directory, duty=exchange.duty, routes=ROUTES, workers=1, backend=backend.http,
                          raw_backend=backend.tls, cert=cert, key=key, pem=pem, log=sink.pipe, log_socket=sink.socket)
            out = directory / "callgrind.out"
            words, environment = Epr().command(setup)
            epr = start(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *words], PROXY_CORE,
                        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            wait_for("epr under valgrind", PATIENCE, lambda: is_up(setup, epr))
            exchange.work(setup, units)
            epr.send_signal(signal.SIGTERM)
            epr.communicate(timeout=PATIENCE)
            return read(out, by_function=by_function)
        finally:
            stop(epr)
            sink.close()
            backend.close()


def is_up(setup: Setup, epr: subprocess.Popen) -> bool:
    if epr.poll() is not None:
        raise SystemExit(f"epr ended at once: {epr.stderr.read().decode(errors='replace')[-1500:]}")
    dial(setup).close()
    return True


def read(out: Path, *, by_function: bool) -> Counted:
    summary = re.search(r"^(?:summary|totals): (\d+)", out.read_text(errors="replace"), re.M)
    if not summary:
        raise Fault("callgrind counted nothing")
    functions = {}
    if by_function:
        words = ["taskset", "-c", OTHER_CORE, "callgrind_annotate", "--threshold=100", "--show-percs=no", out]
        listed = subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout
        for line in listed.splitlines():
            found = re.match(r"\s*([\d,]+)\s+\S*?:(.+?)(?: \[[^\]]*\])?$", line)
            if found:
                name = found[2].strip()
                functions[name] = functions.get(name, 0) + int(found[1].replace(",", ""))
    return Counted(int(summary[1]), functions)
