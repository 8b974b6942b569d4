"""WebSocket over HTTP/2 (RFC 8441): what is said must go, octet for octet, as it goes with the backend itself."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from .edge import Edge, Route, running
from .h2_wire import (
    CANCEL,
    DATA,
    END_HEADERS,
    END_STREAM,
    PROTOCOL,
    Fields,
    Peer,
    Said,
    frame,
    headers,
    reset,
)
from .kits import websocket
from .raw_backend import RawBackend, Request
from .score import Case
from .wire import Address, connect

ECHO, WEB, WRONG, H2C = "tunnel-echo", "tunnel-web", "tunnel-wrong", "tunnel-h2c"
CONNECT_PROTOCOL = 8
DEFLATE = b"permessage-deflate; client_no_context_takeover; server_no_context_takeover"


class Refusing(RawBackend):
    """Does not switch, and says so."""

    def answer(self, request: Request) -> bytes:
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno"


def asked(name: str, *more: tuple[bytes, bytes], without: bytes = b"", protocol: bytes = b"websocket") -> Fields:
    fields = [
        (b":method", b"CONNECT"),
        (b":protocol", protocol),
        (b":scheme", b"https"),
        (b":path", b"/echo"),
        (b":authority", f"{name}.ep-r.io".encode()),
        (b"sec-websocket-version", b"13"),
        *more,
    ]
    return [pair for pair in fields if pair[0] != without]


def play() -> Iterator[Case]:
    with websocket.backend() as address, RawBackend() as web, Refusing() as wrong:
        routes = [Route(ECHO, "https", address), Route(WEB, "https", web.address)]
        routes += [Route(WRONG, "https", wrong.address), Route(H2C, "h2c", web.address)]
        with running(routes) as edge, ThreadPoolExecutor(8) as pool:
            yield from pool.map(lambda one: _talked(edge, address, *one), websocket.conversations())
            for name, plays in PLAYS.items():
                told = plays(edge)
                yield Case(f"tunnel: {name}", told == "", told)
            asked_of = [request for each in web.connections for request in each.requests if request.target != b"/echo"]
            yield Case("tunnel: no other request reaches a backend", not asked_of, str(asked_of[:3]))


def _talked(edge: Edge, address: Address, name: str, talk: list[bytes]) -> Case:
    deflate = name.startswith("deflated")
    _, wanted = websocket.heard_of(connect(address), ECHO, talk, deflate)
    got = _talk(edge, talk, deflate)
    told = "" if got == wanted else f"{got[:60]!r} ({len(got)}), not {wanted[:60]!r} ({len(wanted)})"
    return Case(f"tunnel: {name}", got == wanted, told)


def _talk(edge: Edge, talk: list[bytes], deflate: bool) -> bytes:
    """All octets heard. Echoes are awaited before the last Close."""
    more = [(b"sec-websocket-extensions", DEFLATE)] if deflate else []
    with _open(edge, ECHO, *more) as peer:
        for step in talk[:-1]:
            _say(peer, step)
        if len(talk) > 1 and talk[-1] == websocket.END:
            _say(peer, websocket.message(websocket.TEXT, b"sync"))
            said = peer.hear(lambda said: said.bodies.get(1, b"").endswith(b"sync") or 1 in said.over)
            if not said.bodies.get(1, b"").endswith(b"sync") and 1 not in said.over:
                # Who deflates its echoes says it in other octets, and the same is heard of the backend itself.
                return said.bodies.get(1, b"")
        _say(peer, talk[-1])
        return peer.over(1).bodies.get(1, b"")


@contextlib.contextmanager
def _open(edge: Edge, name: str, *more: tuple[bytes, bytes]) -> Iterator[Peer]:
    with Peer(edge, f"{name}.ep-r.io") as peer:
        peer.send(headers(1, asked(name, *more), END_HEADERS))
        peer.hear(lambda said: 1 in said.statuses or 1 in said.over)
        yield peer


def _say(peer: Peer, data: bytes, stream: int = 1) -> None:
    """As far as the window goes, and no further before it opens."""
    for at in range(0, len(data), 16_384):
        piece = data[at : at + 16_384]
        if not _has_room(peer, stream, len(piece)):
            return
        peer.send(frame(DATA, 0, stream, piece))
        peer.sent[stream] = peer.sent.get(stream, 0) + len(piece)
        peer.sent[0] = peer.sent.get(0, 0) + len(piece)


def _has_room(peer: Peer, stream: int, octets: int) -> bool:
    def has_room(said: Said) -> bool:
        first = {0: 65_535, stream: said.settings.get(4, 65_535)}
        return all(peer.sent.get(at, 0) + octets <= window + said.windows.get(at, 0) for at, window in first.items())

    said = peer.hear(lambda said: has_room(said) or stream in said.over)
    return has_room(said) and stream not in said.over


def _echoes(peer: Peer, stream: int = 1) -> str:
    _say(peer, websocket.message(websocket.TEXT, b"hello"), stream)
    said = peer.hear(lambda said: said.bodies.get(stream, b"").endswith(b"\x81\x05hello"))
    return "" if said.bodies.get(stream, b"").endswith(b"\x81\x05hello") else str(said)


def _offered(edge: Edge) -> str:
    with Peer(edge, f"{ECHO}.ep-r.io") as peer:
        said = peer.hear(lambda said: bool(said.settings))
        return "" if said.settings.get(CONNECT_PROTOCOL) == 1 else str(said.settings)


def _many(edge: Edge) -> str:
    with _open(edge, ECHO) as peer:
        peer.send(b"".join(headers(number, asked(ECHO), END_HEADERS) for number in range(3, 21, 2)))
        peer.hear(lambda said: len(said.statuses) == 10)
        return "".join(_echoes(peer, number) for number in range(1, 21, 2))


def _taken_back(edge: Edge) -> str:
    with _open(edge, ECHO) as peer:
        told = _echoes(peer)
        peer.send(reset(1, CANCEL) + headers(3, asked(ECHO), END_HEADERS))
        peer.hear(lambda said: 3 in said.statuses)
        return told or _echoes(peer, 3)


def _half_closed(edge: Edge) -> str:
    """A Close before the stream's end is heard and answered, and the stream ended in order (RFC 8441 5)."""
    with _open(edge, ECHO) as peer:
        peer.send(frame(DATA, END_STREAM, 1, websocket.END))
        said = peer.over(1)
        body = said.bodies.get(1, b"")
        right = body == b"\x88\x02\x03\xe8" and 1 in said.over and not said.resets
        return "" if right else f"{said}: {body!r}"


def _ended_at_once(edge: Edge) -> str:
    with Peer(edge, f"{ECHO}.ep-r.io") as peer:
        peer.send(headers(1, asked(ECHO)) + headers(3, asked(ECHO), END_HEADERS))
        said = peer.over(1)
        peer.hear(lambda said: 3 in said.statuses)
        return _echoes(peer, 3) if 1 in said.over else f"hangs: {said}"


def _answers(name: str, fields: Fields, *wanted: int) -> Callable[[Edge], str]:
    """A status that is no success, or a reset by this code."""

    def play(edge: Edge) -> str:
        with Peer(edge, f"{name}.ep-r.io") as peer:
            peer.send(headers(1, fields, END_HEADERS))
            said = peer.over(1)
            told = {said.statuses.get(1), said.resets.get(1) if 1 not in said.statuses else None}
            return "" if told & set(wanted) else str(said)

    return play


PLAYS: dict[str, Callable[[Edge], str]] = {
    "the settings offer it": _offered,
    "ten on one connection": _many,
    "one that is taken back leaves the others": _taken_back,
    "half closed": _half_closed,
    "ended with its head": _ended_at_once,
    "a backend that answers 200": _answers(WEB, asked(WEB), 502),
    "a backend that answers 400": _answers(WRONG, asked(WRONG), 400),
    "a backend that speaks HTTP/2": _answers(H2C, asked(H2C), 501),
    ":protocol h2": _answers(ECHO, asked(ECHO, protocol=b"h2"), 501),
    ":protocol connect-udp": _answers(ECHO, asked(ECHO, protocol=b"connect-udp"), 501),
    "no :scheme": _answers(ECHO, asked(ECHO, without=b":scheme"), PROTOCOL, 400),
    "no :path": _answers(ECHO, asked(ECHO, without=b":path"), PROTOCOL, 400),
    "no :authority": _answers(ECHO, asked(ECHO, without=b":authority"), PROTOCOL, 400),
    "no :protocol": _answers(ECHO, asked(ECHO, without=b":protocol"), PROTOCOL, 501),
    ":protocol with GET": _answers(
        ECHO, [pair if pair[0] != b":method" else (b":method", b"GET") for pair in asked(ECHO)], PROTOCOL, 400
    ),
    ":path *": _answers(ECHO, [pair if pair[0] != b":path" else (b":path", b"*") for pair in asked(ECHO)], 400),
    "upgrade beside it": _answers(ECHO, asked(ECHO, (b"upgrade", b"websocket")), PROTOCOL, 400),
}
