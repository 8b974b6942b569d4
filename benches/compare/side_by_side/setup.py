"""What every contender is given, and the processes around it."""

import json
import os
import resource
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from .cells import Duty

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent
PROXY_CORE, OTHER_CORE = "0", "1"
DOMAIN = "ep-r.io"
OPEN_FILES = 20_000


class Fault(Exception):
    """Why something could not be measured."""


@dataclass
class Setup:
    """One start of one contender."""

    dir: Path
    duty: Duty
    routes: int
    workers: int
    backend: str
    raw_backend: str
    """Where bytes are served behind a ClientHello."""
    cert: Path
    key: Path
    pem: Path
    """Both in one file."""
    log: Path
    """A pipe that is read."""
    log_socket: Path
    """The same for syslog."""
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        self.ports = dict(zip(("http", "https", "pass", "admin"), free_ports(4), strict=True))

    @property
    def hosts(self) -> list[str]:
        return [host(at) for at in range(self.routes)]

    @property
    def port(self) -> int:
        return self.ports[{Duty.HTTP: "http", Duty.HTTPS: "https", Duty.PASSTHROUGH: "pass"}[self.duty]]

    @property
    def cores(self) -> str:
        return PROXY_CORE if self.workers == 1 else f"{PROXY_CORE},{OTHER_CORE}"

    def write(self, name: str, text: str) -> Path:
        path = self.dir / name
        path.write_text(text)
        return path

    def render(self, template: str, **more) -> Path:
        """Fills a template of the tree: @name@ is replaced, and nothing else."""
        text = (HERE / "templates" / template).read_text()
        values = {
            "dir": self.dir, "workers": self.workers, "backend": self.backend, "raw_backend": self.raw_backend,
            "cert": self.cert, "key": self.key, "pem": self.pem, "log": self.log, "log_socket": self.log_socket,
            **self.ports, **more,
        }
        for name, address in (("backend", self.backend), ("raw_backend", self.raw_backend)):
            values[f"{name}_host"], values[f"{name}_port"] = address.split(":")
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        return self.write(template, text)


def host(at: int) -> str:
    return f"unit-{at}.{DOMAIN}"


def free_ports(count: int) -> list[int]:
    """Ports nobody has now; below those that connections come from."""
    found, sockets = [], []
    candidate = 20_000 + os.getpid() % 5000
    while len(found) < count:
        candidate = 20_000 + (candidate - 19_999) % 12_000
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", candidate))
            found.append(candidate)
            sockets.append(probe)
        except OSError:
            probe.close()
    for probe in sockets:
        probe.close()
    return found


def start(command: list, cores: str, *, stdout=None, stderr=None, stdin=None, env=None, cwd=None) -> subprocess.Popen:
    """Starts a process on these cores, in a group of its own, with as many files as are allowed."""

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    words = ["prlimit", f"--nofile={files}:{files}", "taskset", "-c", cores, *map(str, command)]
    environment = {**os.environ, **(env or {})}
    return subprocess.Popen(words, stdout=stdout, stderr=stderr, stdin=stdin or subprocess.DEVNULL, env=environment,
                            cwd=cwd, start_new_session=True)


def stop(process: subprocess.Popen | None):
    """Ends a process and whatever it has started."""
    if process is None:
        return
    for number, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait(5)


def said(process: subprocess.Popen) -> dict:
    """The line of JSON a process of the rig says next."""
    line = process.stdout.readline()
    if not line:
        raise Fault(f"{' '.join(process.args[5:7])} ended with {process.wait()}")
    return json.loads(line)


def wait_for(what: str, seconds: float, seen):
    """Waits until `seen` gives something; its last error is told if it never does."""
    end, why = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            found = seen()
            if found:
                return found
        except (OSError, ValueError, Fault) as error:
            why = error
        time.sleep(0.02)
    raise Fault(f"{what} not within {seconds:g} s: {why}")


def run_json(command: list, cores: str) -> dict:
    """Runs a program to its end; the JSON it said."""
    process = start(command, cores, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, errors = process.communicate(timeout=600)
    finally:
        stop(process)
    if process.returncode != 0:
        raise Fault(errors.decode(errors="replace")[-1500:])
    return json.loads(out)
