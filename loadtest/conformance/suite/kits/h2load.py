"""nghttp2's h2load: an independent client, many streams and connections at once; no request may fail."""

import re
import shutil
import subprocess

from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score

PROGRAM = "h2load"
HOST = "loaded-web.ep-r.io"
RUNS = {
    "h2, 1 connection, 1 stream": ["-n", "200", "-c", "1", "-m", "1"],
    "h2, 4 connections, 100 streams each": ["-n", "4000", "-c", "4", "-m", "100"],
    "h2, 100 connections, 10 streams each": ["-n", "4000", "-c", "100", "-m", "10"],
    "h2, windows of 1 kB": ["-n", "400", "-c", "4", "-m", "20", "-w", "10", "-W", "10"],
    "h2, bodies of 100 kB": ["-n", "400", "-c", "4", "-m", "20", "-d", "@BODY@"],
    "HTTP/1.1 over TLS, 20 connections": ["-n", "2000", "-c", "20", "--h1"],
}


def version() -> str | None:
    if not shutil.which(PROGRAM):
        return None
    return (
        subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False)
        .stdout.split("/")[-1]
        .strip()
    )


def run(score: Score) -> None:
    with RawBackend(bytes(20_000)) as backend, running([Route("loaded-web", "https", backend.address)]) as edge:
        body = edge.directory / "body"
        body.write_bytes(bytes(100_000))
        for name, flags in RUNS.items():
            score.add([_case(edge, name, [flag.replace("@BODY@", str(body)) for flag in flags])])


def _case(edge: Edge, name: str, flags: list[str]) -> Case:
    sent_to = ["--connect-to", "{}:{}".format(*edge.https), f"https://{HOST}/"]
    told = subprocess.run([PROGRAM, *flags, *sent_to], capture_output=True, text=True, timeout=120, check=False).stdout
    line = (re.findall(r"^requests: .*$", told, re.M) or [told[-300:]])[-1]
    asked = flags[flags.index("-n") + 1]
    right = f"{asked} succeeded, 0 failed, 0 errored" in line and f"status codes: {asked} 2xx" in told
    return Case(name, right, line)
