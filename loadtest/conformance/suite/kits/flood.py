"""Clients by the thousand that keep a connection and give nothing for it: what that costs is bounded, others go on."""

import contextlib
import re
import resource
import selectors
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from .. import hello
from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score
from ..wire import tls

COUNT, HELD = 2000, 2.0
GOOD, BIG, DEAF, SAFE = "flood-good", "flood-big", "flood-deaf", "flood-safe"
KIB = 1024
# What docs/OPERATIONS.md says one connection may have at most, in bytes, by what is under way on it.
TASK, BUFFER, HELLO, SESSION = 16 * KIB, 64 * KIB, 16 * KIB, 64 * KIB
# What the allocator may keep on top, between its sizes.
SLACK = 9 / 8
# What the kernel may have for it: a little, what waits to be read, what waits to be sent (`--unsent` and a write).
LITTLE, UNREAD, UNSENT = 8 * KIB, 128 * KIB, 256 * KIB
# What waits to be read of a client that was fast at first is the system's to bound.
UPLOADED = int(Path("/proc/sys/net/ipv4/tcp_rmem").read_text().split()[2])
# What a flood may leave in the kernel.
REST = 4 << 20
# Time for all of a flood to be there at once, on any machine.
FLAGS = [f"--{phase}-timeout=30s" for phase in ("hello", "head", "stall", "first-byte", "handshake")]
SETTLED = 90.0
# Those of the edge, and those of backends.
Ports = tuple[list[int], list[int]]
MEMORY = re.compile(r"skmem:\(r(\d+),rb\d+,t\d+,tb\d+,f(\d+),w(\d+)")


@dataclass(frozen=True)
class Flood:
    """How each of its clients begins, and what one may cost: in the process, and in the kernel."""

    name: str
    begin: Callable[[Edge], socket.socket]
    memory: int
    kernel: int


@dataclass(frozen=True)
class Cost:
    """Bytes of the process, and of the kernel for its connections."""

    memory: int
    kernel: int


def version() -> str | None:
    return "ours" if shutil.which("ss") else None


def floods() -> list[Flood]:
    ask = f"GET / HTTP/1.1\r\nHost: {GOOD}.ep-r.io\r\n"
    half = (ask + "".join(f"X-{at}: {'y' * 400}\r\n" for at in range(75))).encode()
    put = f"PUT / HTTP/1.1\r\nHost: {{}}.ep-r.io\r\nContent-Length: {1 << 30}\r\n\r\n"
    big = f"GET / HTTP/1.1\r\nHost: {BIG}.ep-r.io\r\n\r\n".encode()
    half_hello = hello.record(hello.usual(f"{SAFE}.ep-r.io".encode()))[:-1]

    def says(words: bytes, port: str = "http", answered: bool = False) -> Callable[[Edge], socket.socket]:
        return lambda edge: _says(getattr(edge, port), words, answered)

    return [
        Flood("nothing asked", says(b""), TASK, LITTLE),
        Flood("idle after an answer", says(ask.encode() + b"\r\n", answered=True), TASK, LITTLE),
        Flood("a head of 30 kB without its end", says(half), TASK + BUFFER, UNREAD),
        Flood(
            "a body that comes no further", says(put.format(GOOD).encode() + bytes(10)), TASK + 2 * BUFFER, 2 * LITTLE
        ),
        Flood(
            "a body the backend does not read",
            _pushes(put.format(DEAF).encode()),
            TASK + 2 * BUFFER,
            UPLOADED + UNREAD + UNSENT,
        ),
        Flood("an answer of 10 MB not read", says(big), TASK + 2 * BUFFER, UNREAD + UNSENT),
        Flood("a hello without its end", says(half_hello, "https"), TASK + HELLO, LITTLE),
        Flood(
            "idle within TLS",
            lambda edge: tls(edge.https, f"{SAFE}.ep-r.io", edge.ca, timeout=30),
            TASK + SESSION,
            2 * LITTLE,
        ),
        Flood(
            "an answer of 10 MB not read within TLS", _asks_safely(big), TASK + SESSION + 3 * BUFFER, UNREAD + UNSENT
        ),
    ]


def _says(to: tuple[str, int], words: bytes, answered: bool) -> socket.socket:
    stream = socket.create_connection(to, 30)
    stream.sendall(words)
    if answered and not stream.recv(1000).startswith(b"HTTP/1.1 200"):
        raise OSError("not served")
    return stream


def _pushes(words: bytes) -> Callable[[Edge], socket.socket]:
    """Sends as much as it may."""

    def begin(edge: Edge) -> socket.socket:
        stream = _says(edge.http, words, False)
        stream.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(64):
                stream.send(bytes(65536))
        return stream

    return begin


def _asks_safely(words: bytes) -> Callable[[Edge], socket.socket]:
    def begin(edge: Edge) -> socket.socket:
        stream = tls(edge.https, f"{SAFE}.ep-r.io", edge.ca, timeout=30)
        stream.sendall(words.replace(BIG.encode(), BIG.encode() + b"-safe"))
        return stream

    return begin


class Big:
    """A backend that answers with 10 MB, without a thread for each who does not read them. One that is deaf reads
    nothing, and answers nothing."""

    def __init__(self, deaf: bool = False):
        self.deaf = deaf
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + bytes(10_000_000)

    def __enter__(self) -> "Big":
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.address = self.listener.getsockname()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.over = False
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.over = True

    def _serve(self) -> None:
        sent: dict[socket.socket, int] = {}
        while not self.over:
            for key, _ in self.selector.select(0.2):
                if key.fileobj is self.listener:
                    with contextlib.suppress(OSError):
                        stream, _ = self.listener.accept()
                        stream.setblocking(False)
                        sent[stream] = 0
                        if not self.deaf:
                            self.selector.register(stream, selectors.EVENT_READ)
                elif not self._goes_on(key.fileobj, sent):
                    self.selector.unregister(key.fileobj)
                    del sent[key.fileobj]
                    key.fileobj.close()
        for stream in sent:
            stream.close()

    def _goes_on(self, stream: socket.socket, sent: dict[socket.socket, int]) -> bool:
        try:
            if self.selector.get_key(stream).events == selectors.EVENT_READ:
                asked = stream.recv(4096)
                self.selector.modify(stream, selectors.EVENT_WRITE)
                return bool(asked)
            sent[stream] += stream.send(memoryview(self.answer)[sent[stream] :])
            return sent[stream] < len(self.answer)
        except BlockingIOError:
            return True
        except OSError:
            return False


class Witness:
    """A client that means well, all the while: what it was told, and how long the slowest answer took."""

    def __init__(self, edge: Edge):
        self.edge, self.served, self.slowest, self.faults = edge, 0, 0.0, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Witness":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        self.thread.join()

    def _run(self) -> None:
        ask = f"GET / HTTP/1.1\r\nHost: {GOOD}.ep-r.io\r\nConnection: close\r\n\r\n".encode()
        while not self.over.wait(0.1):
            begun = time.monotonic()
            try:
                with socket.create_connection(self.edge.http, 20) as stream:
                    stream.sendall(ask)
                    told = stream.recv(1000)
            except OSError as error:
                told = repr(error).encode()
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.served += 1
            if not told.startswith(b"HTTP/1.1 200"):
                self.faults.append(told[:80])


def run(score: Score) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with RawBackend() as good, Big() as big, Big(deaf=True) as deaf:
        safe = f"{BIG}-safe"
        routes = [
            Route(GOOD, "http", good.address),
            Route(SAFE, "https", good.address),
            Route(BIG, "http", big.address),
            Route(safe, "https", big.address),
            Route(DEAF, "http", deaf.address),
        ]
        backends = [backend.address[1] for backend in (good, big, deaf)]
        rows = []
        for flood in floods():
            with running(routes, *FLAGS) as edge:
                ports = [edge.http[1], edge.https[1]], backends
                before = _cost(edge, ports)
                first, row = _flood(edge, flood, ports, before)
                # What is kept of the first serves the second; what leaked would come on top.
                second, _ = _flood(edge, flood, ports, before)
            score.add([first, replace(second, name=f"{flood.name}, again")])
            rows.append(row)
        score.summary = _table(rows)


def _flood(edge: Edge, flood: Flood, ports: Ports, before: Cost) -> tuple[Case, tuple[str, ...]]:
    with Witness(edge) as witness:
        with _held(edge, flood) as clients:
            deadline, peak = time.monotonic() + HELD, before
            while time.monotonic() < deadline:
                cost = _cost(edge, ports)
                peak = Cost(max(peak.memory, cost.memory), max(peak.kernel, cost.kernel))
            count = len(clients)
        _settled(ports)
    after = _cost(edge, ports)
    each = (peak.memory - before.memory) // COUNT, (peak.kernel - before.kernel) // COUNT
    told = (
        f"{count} connections: {_kib(each[0])} and {_kib(each[1])} of the kernel each, of {_kib(flood.memory)} and "
        f"{_kib(flood.kernel)}; kept {_kib(after.memory - before.memory)} and {_kib(after.kernel)}; "
        f"{witness.served} others served, the slowest in {witness.slowest:.2f} s {witness.faults[:3]}"
    )
    bounded = each[0] <= flood.memory * SLACK and each[1] <= flood.kernel and after.kernel <= REST
    passed = count == COUNT and bounded and witness.served > 0 and not witness.faults
    row = (flood.name, _kib(each[0]), _kib(flood.memory), _kib(each[1]), _kib(flood.kernel), f"{witness.slowest:.2f} s")
    return Case(flood.name, passed, told), row


@contextlib.contextmanager
def _held(edge: Edge, flood: Flood) -> Iterator[list[socket.socket]]:
    """All of its clients at once."""

    def begin(_: int) -> socket.socket | None:
        with contextlib.suppress(OSError, ssl.SSLError):
            return flood.begin(edge)
        return None

    with ThreadPoolExecutor(16) as pool:
        clients = [client for client in pool.map(begin, range(COUNT)) if client]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


def _cost(edge: Edge, ports: Ports) -> Cost:
    status = Path(f"/proc/{edge.process.pid}/status").read_text()
    memory = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * KIB
    return Cost(memory, _kernel(_sockets(ports)))


def _sockets(ports: Ports) -> str:
    own, backends = ports
    places = [f"sport = :{port}" for port in own] + [f"dport = :{port}" for port in backends]
    return subprocess.run(["ss", "-tmnH", " or ".join(places)], capture_output=True, text=True, check=True).stdout


def _settled(ports: Ports) -> None:
    """Waits until a flood is gone, with all the kernel had for it. Some connections to backends are kept."""
    deadline = time.monotonic() + SETTLED
    while time.monotonic() < deadline:
        sockets = _sockets(ports)
        if sockets.count("skmem") <= 300 and _kernel(sockets) <= REST:
            break
        time.sleep(0.1)


def _kernel(sockets: str) -> int:
    return sum(sum(map(int, found)) for found in MEMORY.findall(sockets))


def _kib(size: int) -> str:
    return f"{size / KIB:.0f} KiB"


def _table(rows: list[tuple]) -> str:
    head = ("2,000 clients", "memory each", "of", "the kernel's", "of", "slowest other")
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ("---",) * len(head), *rows])
