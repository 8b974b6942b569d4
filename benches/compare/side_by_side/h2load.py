"""HTTP/2 by h2load. It asks for one host: it cannot ask for several over its connections."""

import re
import subprocess

from .around import rig
from .cells import Cell
from .loads import watch, weigh
from .setup import OTHER_CORE, Fault, host, run_json

CONNECTIONS, STREAMS = 8, 32


def run(running, cell: Cell, seconds: float) -> dict:
    warm, _, _ = ask(running, 1)
    sample = [rig(), "sample", *watch(running)]
    before = run_json(sample, OTHER_CORE)
    done, failed, cpu = ask(running, seconds)
    after = run_json(sample, OTHER_CORE)
    # h2load is gone, with what it has worked; samples know nothing of it.
    after["ours"] += cpu
    outcome = weigh(before, after, done, cell.mebibytes)
    return outcome | {"units": done, "failed": failed, "errors": {}, "asked": warm + done}


def ask(running, seconds: float) -> tuple[int, int, int]:
    """Requests answered, requests failed, nanoseconds of CPU."""
    name = host(0)
    words = ["h2load", "-t", 1, "-c", CONNECTIONS, "-m", STREAMS, "-D", max(1, round(seconds)),
             "--connect-to", f"127.0.0.1:{running.setup.port}", f"https://{name}/b/64"]
    timed = ["taskset", "-c", OTHER_CORE, "/bin/sh", "-c", '"$@"; code=$?; times; exit $code', "sh"]
    said = subprocess.run([*timed, *map(str, words)], check=False, capture_output=True, text=True)
    return parse(said.stdout) if said.returncode == 0 else fail(said.stderr)


def fail(why: str):
    raise Fault(f"h2load: {why[-1000:]}")


def parse(text: str) -> tuple[int, int, int]:
    """h2load's counts, and the children's times of the shell's `times`, which come last."""
    counts = re.search(r"requests: .*?(\d+) succeeded, (\d+) failed, (\d+) errored", text)
    if counts is None:
        raise Fault(f"h2load said nothing of requests: {text[-500:]}")
    times = re.findall(r"(\d+)m([\d.]+)s", text)[-2:]
    cpu = sum(int(minutes) * 60e9 + float(rest) * 1e9 for minutes, rest in times)
    return int(counts[1]), int(counts[2]) + int(counts[3]), round(cpu)
