"""One round of one contender: a start, a check of its duties, a load, and what that cost."""

import os
import shutil
import socket
import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import h2load, loads
from .around import Sink
from .cells import Cell, Duty, How
from .contender import Contender
from .setup import Fault, Setup, host, start, stop, wait_for

START = 120
"""Seconds a contender may take until it serves."""


@dataclass
class Stage:
    """What all rounds share."""

    backend: object
    certificate: tuple[Path, Path, Path]
    routes: int
    seconds: float
    keep: Path | None = None
    """Where contenders' own output is kept, for those who look for a fault."""


class Running:
    """A contender that serves."""

    def __init__(self, stage: Stage, contender: Contender, cell: Cell, differs: dict):
        self.stage, self.contender = stage, contender
        self.process, self.sink = None, None
        self.dir = Path(tempfile.mkdtemp(prefix=f"compare-{contender.name}-"))
        self.dir.chmod(0o755)
        try:
            self._start(cell, differs)
        except BaseException:
            self.close()
            raise

    def _start(self, cell: Cell, differs: dict):
        stage = self.stage
        self.sink = Sink(self.dir)
        cert, key, pem = stage.certificate
        self.setup = Setup(
            self.dir, cell.duty, differs.get("routes", stage.routes), differs.get("workers", 1), stage.backend.http,
            stage.backend.tls, cert, key, pem, self.sink.pipe, self.sink.socket)
        asked = cell.hosts_asked or self.setup.routes
        self.hosts = self.setup.write("asked", "".join(f"{host(at)}\n" for at in range(asked)))
        command, environment = self.contender.command(self.setup)
        # Whoever logs to its standard output logs to the same pipe.
        with self.sink.pipe.open("wb") as pipe, (self.dir / "stderr").open("wb") as errors:
            self.process = start(command, self.setup.cores, stdout=pipe, stderr=errors, env=environment, cwd=self.dir)
        wait_for(f"{self.contender.name} serving", START, self._serves)

    def _serves(self) -> bool:
        if self.process.poll() is not None:
            raise SystemExit(f"{self.contender.name} ended:\n{self.errors()}")
        setup = self.setup
        if setup.duty is Duty.PASSTHROUGH:
            return passes(setup.port, setup.hosts[-1])
        return self.forwards(ask(setup.port, setup.hosts[-1], "/head", setup.duty is Duty.HTTPS))

    def forwards(self, answer: str) -> bool:
        """Whether the backend was asked, and with the fields that say for whom."""
        if not answer.startswith("HTTP/1.1 200"):
            raise ValueError(answer[:200])
        text = answer.lower()
        lacks = [field for field in self.contender.forwards if f"{field}:" not in text]
        if lacks:
            raise ValueError(f"no {' '.join(lacks)}")
        return True

    def errors(self) -> str:
        return (self.dir / "stderr").read_text(errors="replace")[-2000:]

    def others(self) -> list[int]:
        """Processes of the comparison that are neither the contender nor the load."""
        return [self.stage.backend.process.pid, os.getpid(), *(process.pid for process in self.sink.processes)]

    def close(self):
        stop(self.process)
        if self.sink:
            self.sink.close()
        if self.stage.keep:
            not_files = shutil.ignore_patterns("*.pipe", "*.socket", "*.sock")
            shutil.copytree(self.dir, self.stage.keep / self.dir.name, ignore=not_files)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask(port: int, name: str, path: str, tls: bool) -> str:
    """One request; the answer's head and body."""
    connection = socket.create_connection(("127.0.0.1", port), 2)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = context.wrap_socket(connection, server_hostname=name)
    with connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        connection.settimeout(2)
        parts = []
        with suppress(TimeoutError):
            while part := connection.recv(65_536):
                parts.append(part)
    return b"".join(parts).decode("latin-1")


def passes(port: int, name: str) -> bool:
    """Whether what is asked for behind a ClientHello comes, and nothing else."""
    read, written = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(read, written, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        session.do_handshake()
    with socket.create_connection(("127.0.0.1", port), 2) as connection:
        connection.sendall(written.read() + (8).to_bytes(8, "big"))
        connection.settimeout(2)
        answer = connection.recv(100)
    if answer != b"x" * 8:
        raise ValueError(f"{len(answer)} bytes instead of 8")
    return True


def measure(stage: Stage, contender: Contender, cell: Cell, differs: dict) -> dict:
    """One round by a load; the figure and all that is needed to judge it."""
    with Running(stage, contender, cell, differs) as running:
        run = h2load.run if cell.how is How.H2LOAD else loads.run
        outcome = run(running, cell, stage.seconds)
        outcome["log_lines"] = settled(running.sink) if contender.logs else None
    return outcome


def settled(sink: Sink) -> int:
    """Lines that came, once none came for a while: buffers are written within two seconds."""
    seen = {"lines": -1, "since": 0}

    def still():
        lines = sink.lines()
        seen["since"] = seen["since"] + 1 if lines == seen["lines"] else 0
        seen["lines"] = lines
        return seen["since"] >= 60

    with suppress(Fault):
        wait_for("the last line", 6, still)
    return sink.lines()
