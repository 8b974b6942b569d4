"""Clients that send or take a byte now and then, or nothing: each must be cut off within its phase's time."""

import contextlib
import select
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import repeat

from .. import hello
from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score
from ..wire import connect, tls

PLAIN, SAFE, BIG, BIG_SAFE, SILENT = "slow-plain", "slow-safe", "slow-big", "slow-big-safe", "slow-silent"
PATIENCE = 100.0
# Seconds a phase may take: docs/OPERATIONS.md, and as much again for the machine and the interval of the trickle.
HELLO, HEAD, BODY, READER, KEEP_ALIVE, FIRST_BYTE = 11, 16, 60, 90, 85, 70


@dataclass(frozen=True)
class Slow:
    """A client: how it connects, what it says at once, then what every `interval` seconds, or how much it reads."""

    name: str
    opens: Callable[[Edge], socket.socket]
    at_once: bytes
    trickle: bytes
    within: float
    interval: float = 5.0
    reads: int = 0


def version() -> str:
    return "ours"


def _plain(edge: Edge) -> socket.socket:
    return connect(edge.http)


def _tls_port(edge: Edge) -> socket.socket:
    return connect(edge.https)


def _safe(edge: Edge, name: str = SAFE) -> socket.socket:
    return tls(edge.https, f"{name}.ep-r.io", edge.ca)


def _narrow(edge: Edge) -> socket.socket:
    """Takes little at a time."""
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.connect(edge.http)
    return stream


def head(name: str, *fields: str, method: str = "GET", end: str = "\r\n") -> bytes:
    lines = [f"{method} / HTTP/1.1", f"Host: {name}.ep-r.io", *fields]
    return ("\r\n".join(lines) + "\r\n" + end).encode()


def clients() -> list[Slow]:
    whole = hello.record(hello.usual(b"slow-safe.ep-r.io"))
    length, chunked = "Content-Length: 100000", "Transfer-Encoding: chunked"
    put = partial(head, method="PUT")
    big_safe = partial(_safe, name=BIG_SAFE)
    return [
        Slow("says nothing, plain", _plain, b"", b"", HEAD),
        Slow("says nothing to the TLS port", _tls_port, b"", b"", HELLO),
        Slow("says nothing within TLS", _safe, b"", b"", HEAD),
        Slow("a hello by the byte", _tls_port, b"", whole, HELLO, 1.0),
        Slow("half a hello", _tls_port, whole[:100], b"", HELLO),
        Slow("a hello, then nothing", _tls_port, whole, b"", HEAD),
        Slow("a head by the byte", _plain, b"", head(PLAIN), HEAD),
        Slow("a head by the field", _plain, head(PLAIN, end=""), b"X: y\r\n" * 99, HEAD, 2.0),
        Slow("a head by the byte within TLS", _safe, b"", head(SAFE), HEAD),
        Slow("blank lines", _plain, b"", b"\r\n" * 99, HEAD, 1.0),
        Slow("a body by the byte", _plain, put(PLAIN, length), b"x" * 99, BODY),
        Slow("a body by the byte within TLS", _safe, put(SAFE, length), b"x" * 99, BODY),
        Slow("a body by two bytes a second", _plain, put(PLAIN, length), b"x" * 400, BODY, 0.5),
        Slow("no body", _plain, put(PLAIN, length), b"", BODY),
        Slow("chunks by the byte", _plain, put(PLAIN, chunked), b"1\r\nx\r\n" * 99, BODY),
        Slow("a chunk extension by the byte", _plain, put(PLAIN, chunked) + b"5;", b"x" * 99, BODY),
        Slow("trailers by the byte", _plain, put(PLAIN, chunked) + b"0\r\n", b"X: yyyyyyyyyyyyyyyyyyyyyyy", BODY),
        Slow("reads nothing of an answer", _narrow, head(BIG), b"", READER),
        Slow("reads an answer by the byte", _narrow, head(BIG), b"", READER, 5.0, 1),
        Slow("reads ten bytes a second", _narrow, head(BIG), b"", READER, 1.0, 10),
        Slow("reads an answer by the byte within TLS", big_safe, head(BIG_SAFE), b"", READER, 5.0, 1),
        Slow("idle after an answer", _plain, head(PLAIN), b"", KEEP_ALIVE),
        Slow("idle after an answer within TLS", _safe, head(SAFE), b"", KEEP_ALIVE),
        Slow("waits for a backend that is silent", _plain, head(SILENT, "Connection: close"), b"", FIRST_BYTE),
    ]


def run(score: Score) -> None:
    with RawBackend() as small, RawBackend(bytes(32 << 20)) as big, RawBackend(None) as silent:
        kinds = {PLAIN: ("http", small), SAFE: ("https", small), BIG: ("http", big), BIG_SAFE: ("https", big)}
        routes = [Route(name, kind, backend.address) for name, (kind, backend) in kinds.items()]
        routes.append(Route(SILENT, "http", silent.address))
        with running(routes) as edge, ThreadPoolExecutor(64) as pool:
            score.add(pool.map(_case, repeat(edge), clients()))


def _case(edge: Edge, slow: Slow) -> Case:
    begun = time.monotonic()
    cut = _is_cut(edge, slow, begun + PATIENCE)
    took = time.monotonic() - begun
    told = f"cut off after {took:.0f} s" if cut else f"still served after {took:.0f} s"
    return Case(slow.name, cut and took <= slow.within, told)


def _is_cut(edge: Edge, slow: Slow, deadline: float) -> bool:
    """Whether the connection ends before the deadline. A slow reader learns of it by a reset, all others at once."""
    with slow.opens(edge) as stream, contextlib.suppress(TimeoutError):
        stream.settimeout(5)
        stream.sendall(slow.at_once)
        for at in range(1 << 20):
            if time.monotonic() >= deadline:
                return False
            if slow.within == BODY and slow.at_once.startswith(b"GET"):
                time.sleep(slow.interval)
                if _is_gone(stream) or (slow.reads and not stream.recv(slow.reads)):
                    return True
                continue
            try:
                if slow.trickle[at : at + 1]:
                    stream.sendall(slow.trickle[at : at + 1])
                if _ends_within(stream, slow.interval):
                    return True
            except OSError:
                return True
    return False


def _ends_within(stream: socket.socket, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        stream.settimeout(left)
        try:
            if not stream.recv(65536):
                return True
        except TimeoutError:
            return False
    return False


def _is_gone(stream: socket.socket) -> bool:
    """Whether the peer has ended or reset it, without reading: the kernel knows."""
    poll = select.poll()
    poll.register(stream, select.POLLRDHUP)
    return any(events & (select.POLLRDHUP | select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))
