"""slowhttptest: slow heads, slow bodies, slow readers, each many at once; the service must stay and they must go."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score

PROGRAM = "slowhttptest"
# A reader that is reset still reads what its kernel holds, before it learns of that: some 1,200 bytes, 32 a second.
MODES = {
    "slow heads (-H)": ["-H", "-i", "10", "-x", "24"],
    "slow bodies (-B)": ["-B", "-i", "10", "-s", "8192", "-x", "10"],
    "slow readers (-X)": ["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "3"],
}
COMMON = ["-c", "150", "-r", "100", "-l", "100", "-p", "3"]
ROUTE = "slow-http"


def version() -> str | None:
    if not shutil.which(PROGRAM):
        return None
    told = subprocess.run([PROGRAM, "-h"], capture_output=True, text=True, check=False)
    found = re.search(r"version ([0-9.]+)", told.stdout + told.stderr)
    return found[1] if found else "?"


def run(score: Score) -> None:
    with RawBackend(bytes(4 << 20)) as backend, running([Route(ROUTE, "http", backend.address)]) as edge:
        pool = ThreadPoolExecutor(len(MODES))
        score.add(pool.map(lambda item: _case(edge, *item), MODES.items()))


def _case(edge: Edge, name: str, mode: list[str]) -> Case:
    # No resolver knows the name: the edge is told to be a proxy, which makes requests in absolute form.
    through = "{}:{}".format(*edge.http)
    command = [PROGRAM, *mode, *COMMON, "-u", f"http://{ROUTE}.ep-r.io/", "-d", through]
    told = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False).stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", told)
    available = re.findall(r"service available:\s+(\w+)", plain)
    status = re.findall(r"Exit status:\s+(.*)", plain)
    right = "NO" not in available and status == ["No open connections left"]
    return Case(name, right, f"service available {set(available)}, {status}")
