"""HTTP/2 clients that send without end what costs them nothing: what that costs the edge, in memory and time."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, repeat
from pathlib import Path

from .edge import Edge
from .h2_wire import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PRIORITY,
    SETTINGS,
    Fields,
    Peer,
    block,
    frame,
    headers,
    reset,
    settings,
    window,
)
from .score import Case

CLIENTS, SECONDS = 20, 3.0
MIB = 1 << 20
# What 20 clients may make the edge take: a connection's windows, heads and buffers are some 2 MiB at most.
BOUND = 48 * MIB
# Answers nobody takes: 64 KiB read ahead of the backend and 64 KiB on their way, for each of 20 streams.
STALLED = BOUND + CLIENTS * 20 * 128 * 1024


@dataclass(frozen=True)
class Flood:
    """What a client says at first, and then again and again, by number; whether that is to end its connection."""

    name: str
    first: bytes
    again: Callable[[int], bytes]
    ends: bool = True
    bound: int = BOUND
    preface: bytes | None = None


def request(host: str, method: str = "GET") -> Fields:
    pairs = [(":method", method), (":scheme", "https"), (":path", "/"), (":authority", host)]
    return [(name.encode(), value.encode()) for name, value in pairs]


def floods(host: str, big: str) -> Iterator[Flood]:
    get, post = block(request(host)), block(request(host, "POST"))
    open_ = headers(1, post, END_HEADERS)

    def again(data: bytes, times: int = 500) -> Callable[[int], bytes]:
        return lambda _: data * times

    def streams(make: Callable[[int], bytes], times: int = 100) -> Callable[[int], bytes]:
        """The same on new streams each time."""
        return lambda turn: b"".join(make(2 * (turn * times + at) + 3) for at in range(times))

    yield Flood("rapid reset", b"", streams(lambda number: headers(number, get) + reset(number)))
    yield Flood("rapid reset, bodies", b"", streams(lambda number: headers(number, post, END_HEADERS) + reset(number)))
    begun = frame(HEADERS, END_STREAM, 1, get)
    large = block((b"x-%d" % number, b"v" * 1000) for number in range(15))
    yield Flood("CONTINUATION with fields", begun, again(frame(CONTINUATION, 0, 1, large), 10))
    yield Flood("CONTINUATION, empty", begun, again(frame(CONTINUATION, 0, 1)))
    yield Flood("PING", open_, again(frame(PING, 0, 0, b"12345678")))
    yield Flood("PING answers", open_, again(frame(PING, ACK, 0, b"12345678")))
    yield Flood("SETTINGS", open_, again(settings((4, 65_535))))
    yield Flood("SETTINGS, empty", open_, again(frame(SETTINGS)))
    yield Flood("SETTINGS that change the window", open_, lambda turn: settings((4, turn % 2), (1, turn % 4096)) * 500)
    yield Flood("PRIORITY", open_, again(frame(PRIORITY, 0, 3, b"\0\0\0\0\x10")))
    yield Flood("PRIORITY of new streams", open_, streams(lambda number: frame(PRIORITY, 0, number, b"\0\0\0\0\x10")))
    yield Flood("WINDOW_UPDATE", open_, again(window(0, 1)), preface=b"")
    yield Flood("unknown frames", open_, again(frame(0xEE, 0xFF, 0, b"x" * 100)))
    yield Flood("DATA, empty", open_, again(frame(DATA, 0, 1)))
    yield Flood("DATA of padding", open_, again(frame(DATA, 8, 1, b"\x0a" + bytes(10))))
    yield Flood("HEADERS, empty", b"", streams(lambda number: frame(HEADERS, END_STREAM | END_HEADERS, number)))
    bomb = b"\x40\x01x\x7f\xa1\x1e" + b"v" * 4000 + get + b"\xbe" * 8000
    yield Flood("HPACK bombs", b"", streams(lambda number: headers(number, bomb), 4))
    nameless = get + b"\0\0\0" * 4000
    yield Flood("fields without name and value", b"", streams(lambda number: headers(number, nameless), 4))
    unvalued = get + b"\x00\x01x\x00" * 3000
    # Too large a head is told so, and read again as often as it comes: 12 KB buy an answer.
    yield Flood("fields without value", b"", streams(lambda number: headers(number, unvalued), 4), False)
    yield Flood("streams above the limit", b"", streams(lambda number: headers(number, post, END_HEADERS), 200))
    wanted = b"".join(headers(number, block(request(big))) for number in range(1, 41, 2))
    yield Flood("answers nobody takes", wanted, lambda _: b"", False, STALLED, settings((4, 0)))
    crumbs = b"".join(window(number, 1) for number in range(1, 41, 2))
    yield Flood("answers taken by the octet", wanted, again(crumbs, 1), False, STALLED, settings((4, 1)))


class Gauge:
    """What the edge's process takes, looked at all the time."""

    def __init__(self, edge: Edge):
        self.process = Path(f"/proc/{edge.process.pid}")
        self.before, self.ticks = self.resident(), self._spent()
        self.peak, self._over = self.before, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def resident(self) -> int:
        lines = (self.process / "status").read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)

    def stop(self) -> int:
        """Ticks of the processor since the beginning."""
        self._over.set()
        self._thread.join()
        return self._spent() - self.ticks

    def _spent(self) -> int:
        fields = (self.process / "stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.peak = max(self.peak, self.resident())


def play(edge: Edge, host: str, big: str) -> tuple[list[Case], str]:
    """All floods, one after the other; and what each took, as a table."""
    cases: list[Case] = []
    rows = ["| flood by 20 clients | MiB before | at most | after | ticks |", "| --- | --- | --- | --- | --- |"]
    for flood in floods(host, big):
        gauge = Gauge(edge)
        with ThreadPoolExecutor(CLIENTS) as pool:
            others = pool.submit(_served, edge, host)
            ended = list(pool.map(_flood, repeat(edge, CLIENTS), repeat(host), repeat(flood)))
            served = others.result()
        ticks = gauge.stop()
        after = _settled(gauge)
        memory = [round(octets / MIB) for octets in (gauge.before, gauge.peak, after)]
        rows.append(f"| {flood.name} | {memory[0]} | {memory[1]} | {memory[2]} | {ticks} |")
        told = f"MiB {memory}, ticks {ticks}"
        small = max(gauge.peak, after) - gauge.before <= flood.bound
        cases.append(Case(f"flood: {flood.name}: memory", small, told))
        cases.append(Case(f"flood: {flood.name}: others are served", served == "", served))
        if flood.ends:
            cases.append(Case(f"flood: {flood.name}: ends its connection", all(ended), f"{ended}"))
    return cases, "\n".join(rows)


def _flood(edge: Edge, host: str, flood: Flood) -> bool:
    """Floods until that is the end of the connection, or the time is over; whether it was the end."""
    deadline = time.monotonic() + SECONDS
    with Peer(edge, host, flood.preface) as peer:
        sent = peer.send(flood.first)
        for turn in count():
            if not sent or time.monotonic() > deadline:
                break
            data = flood.again(turn)
            sent = not data or peer.send(data)
            said = peer.hear(lambda said: said.goaway is not None, 0.2 if not data or not flood.ends else 0.001)
            if said.goaway is not None or said.closed:
                return True
        said = peer.hear(lambda said: said.goaway is not None, 0.5)
        return not sent or said.goaway is not None or said.closed


def _served(edge: Edge, host: str) -> str:
    """Why another client was not served meanwhile."""
    for _ in range(5):
        with Peer(edge, host) as peer:
            peer.send(headers(1, request(host)))
            said = peer.over(1, within=10)
            if said.statuses.get(1) != 200:
                return str(said)
    return ""


def _settled(gauge: Gauge) -> int:
    """What is taken once the clients are gone."""
    time.sleep(0.5)
    return gauge.resident()


def slow_readers(edge: Edge, big: str) -> Iterator[Case]:
    """Windows that stay shut, or open by an octet now and then: the least rate ends their streams."""
    with Peer(edge, big, settings((4, 1))) as peer:
        peer.send(headers(1, request(big)) + headers(3, request(big)))
        deadline = time.monotonic() + 50
        while time.monotonic() < deadline and not {1, 3} <= set(peer.said.resets):
            peer.send(window(3, 1))
            peer.hear(lambda said: {1, 3} <= set(said.resets), 5)
        for stream, name in ((1, "never opens"), (3, "opens by an octet each five seconds")):
            yield Case(f"a window that {name} is reset", stream in peer.said.resets, str(peer.said))
        peer.send(settings((4, 1 << 20)) + window(0, 1 << 20) + headers(5, request(big, "HEAD")))
        yield Case("and the others go on", peer.over(5).statuses.get(5) == 200, str(peer.said))
