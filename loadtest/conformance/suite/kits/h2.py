"""HTTP/2 by the letter of RFC 9113 and RFC 7541: what each section wants of a server, over TLS."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

from .. import h2_floods, h2_tunnels
from ..edge import Edge, Route, running
from ..h2_wire import (
    ACK,
    COMPRESSION,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL,
    FRAME_SIZE,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITIZED,
    PRIORITY,
    PROTOCOL,
    PUSH_PROMISE,
    REFUSED,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    Fields,
    Peer,
    Said,
    block,
    frame,
    headers,
    reset,
    settings,
    window,
)
from ..raw_backend import RawBackend
from ..score import Case, Score

HOST, BIG = "two-web.ep-r.io", "two-big.ep-r.io"
ANSWERED, STREAM, CONNECTION = "answered", "stream error", "connection error"


@dataclass(frozen=True)
class Wanted:
    """What is sent, step by step: bytes, or a stream to be waited for; and what must come of it."""

    name: str
    steps: list[bytes | int]
    error: str
    codes: tuple[int, ...] = ()
    stream: int = 1
    first: bytes | None = None
    preface: bytes = PREFACE


def version() -> str:
    return "ours"


def get(*more: tuple[bytes, bytes], method: bytes = b"GET", path: bytes = b"/") -> Fields:
    return [(b":method", method), (b":scheme", b"https"), (b":path", path), (b":authority", HOST.encode()), *more]


def without(name: bytes) -> Fields:
    return [pair for pair in get() if pair[0] != name]


GET, POST = block(get()), block(get(method=b"POST"))
OPEN = headers(1, POST, END_HEADERS)


def fine() -> Iterator[Wanted]:
    """What must be served (RFC 9113 4.1, 5.5, 6, 8.1)."""
    padded = b"\x08" + GET + bytes(8)
    halves = GET[:20], GET[20:]
    sent: dict[str, list[bytes | int]] = {
        "a GET": [headers(1, GET)],
        "a HEAD": [headers(1, get(method=b"HEAD"))],
        "a POST": [OPEN + frame(DATA, END_STREAM, 1, b"hello")],
        "a POST with empty DATA": [OPEN + frame(DATA, 0, 1) + frame(DATA, END_STREAM, 1)],
        "a POST with trailers": [OPEN + frame(DATA, 0, 1, b"hello") + headers(1, [(b"x-t", b"y")])],
        "padded HEADERS": [headers(1, padded, END_STREAM | END_HEADERS | PADDED)],
        "padded DATA": [OPEN + frame(DATA, END_STREAM | PADDED, 1, b"\x05hello" + bytes(5))],
        "HEADERS with priority": [headers(1, b"\0\0\0\0\x10" + GET, END_STREAM | END_HEADERS | PRIORITIZED)],
        "PRIORITY before HEADERS": [frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") + headers(1, GET)],
        "CONTINUATION": [frame(HEADERS, END_STREAM, 1, halves[0]) + frame(CONTINUATION, END_HEADERS, 1, halves[1])],
        "many CONTINUATIONs": [
            frame(HEADERS, END_STREAM, 1, GET[:10])
            + b"".join(frame(CONTINUATION, 0, 1, GET[at : at + 40]) for at in range(10, len(GET), 40))
            + frame(CONTINUATION, END_HEADERS, 1)
        ],
        "an unknown frame": [frame(0xEE, 0xFF, 0, b"x" * 8) + headers(1, GET)],
        "undefined flags": [frame(PING, 0x16, 0, bytes(8)) + headers(1, GET)],
        "a reserved bit": [frame(PING, 0, 1 << 31, bytes(8)) + headers(1, GET)],
        "DATA of 16384": [OPEN + frame(DATA, END_STREAM, 1, bytes(16_384))],
        "an unknown setting": [settings((0x99, 1)) + headers(1, GET)],
        "a setting twice": [settings((4, 1), (4, 65_535)) + headers(1, GET)],
        "an unknown error code in RST_STREAM": [headers(1, POST, END_HEADERS) + reset(1, 0xFF) + headers(3, GET), 3],
        "an unasked PING ACK": [frame(PING, ACK, 0, bytes(8)) + headers(1, GET)],
        "WINDOW_UPDATE on a half-closed stream": [headers(1, GET) + window(1, 100)],
        "PRIORITY on a closed stream": [
            headers(1, GET),
            1,
            frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") + headers(3, GET),
            3,
        ],
        "RST_STREAM on a closed stream": [headers(1, GET), 1, reset(1) + headers(3, GET), 3],
        "WINDOW_UPDATE on a closed stream": [headers(1, GET), 1, window(1, 1) + headers(3, GET), 3],
        "a stream number skipped": [headers(5, GET), 5, headers(9, GET), 9],
        "te: trailers": [headers(1, get((b"te", b"trailers")))],
        "cookies in parts": [headers(1, get((b"cookie", b"a=b"), (b"cookie", b"c=d")))],
        "a dynamic table size of 0": [headers(1, b"\x20" + GET)],
        "OPTIONS *": [headers(1, get(method=b"OPTIONS", path=b"*"))],
        "host beside :authority": [headers(1, get((b"host", HOST.encode())))],
        "host without :authority": [headers(1, [*without(b":authority"), (b"host", HOST.encode())])],
        "a GET with DATA": [headers(1, GET, END_HEADERS) + frame(DATA, END_STREAM, 1, b"hello")],
    }
    for name, steps in sent.items():
        last = steps[-1] if isinstance(steps[-1], int) else 1
        yield Wanted(name, steps, ANSWERED, stream=last)


def connections() -> Iterator[Wanted]:
    """What ends a connection."""
    protocol: dict[str, bytes] = {
        "DATA on an idle stream": frame(DATA, END_STREAM, 1, b"x"),
        "RST_STREAM on an idle stream": reset(1),
        "WINDOW_UPDATE on an idle stream": window(1, 100),
        "CONTINUATION on an idle stream": frame(CONTINUATION, END_HEADERS, 1, GET),
        "an even stream number": headers(2, GET),
        "a stream number that goes back": headers(5, GET) + headers(3, GET),
        "DATA on stream 0": frame(DATA, END_STREAM, 0, b"x"),
        "HEADERS on stream 0": headers(0, GET),
        "PRIORITY on stream 0": frame(PRIORITY, 0, 0, bytes(5)),
        "RST_STREAM on stream 0": reset(0),
        "CONTINUATION on stream 0": headers(1, GET, END_STREAM) + frame(CONTINUATION, END_HEADERS, 0),
        "SETTINGS on a stream": frame(SETTINGS, 0, 1),
        "PING on a stream": frame(PING, 0, 1, bytes(8)),
        "GOAWAY on a stream": frame(GOAWAY, 0, 1, bytes(8)),
        "PUSH_PROMISE from a client": headers(1, POST, END_HEADERS)
        + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + GET),
        "HEADERS padded too long": headers(1, b"\xff" + GET, END_STREAM | END_HEADERS | PADDED),
        "DATA padded too long": OPEN + frame(DATA, END_STREAM | PADDED, 1, b"\x05abc"),
        "PRIORITY within a header block": headers(1, GET[:9], END_STREAM) + frame(PRIORITY, 0, 1, bytes(5)),
        "HEADERS of another stream within a block": headers(1, GET[:9], END_STREAM) + headers(3, GET),
        "DATA within a header block": headers(1, GET[:9], 0) + frame(DATA, END_STREAM, 1, b"x"),
        "an unknown frame within a header block": headers(1, GET[:9], END_STREAM) + frame(0xEE, 0, 1, b"x"),
        "CONTINUATION of another stream": headers(1, GET[:9], END_STREAM)
        + frame(CONTINUATION, END_HEADERS, 3, GET[9:]),
        "CONTINUATION after END_HEADERS": OPEN + frame(CONTINUATION, END_HEADERS, 1, b""),
        "CONTINUATION after DATA": OPEN + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1, b""),
        "ENABLE_PUSH of 2": settings((2, 2)),
        "MAX_FRAME_SIZE too small": settings((5, 16_383)),
        "MAX_FRAME_SIZE too large": settings((5, 1 << 24)),
        "WINDOW_UPDATE of 0": window(0, 0),
    }
    for name, data in protocol.items():
        yield Wanted(
            name, [data], CONNECTION, (PROTOCOL, STREAM_CLOSED) if "CONTINUATION after" in name else (PROTOCOL,)
        )
    size: dict[str, bytes] = {
        "HEADERS of 16385": headers(1, block(get((b"x", bytes([120]) * 17_000)))),
        "SETTINGS ACK with a payload": frame(SETTINGS, ACK, 0, bytes(6)),
        "SETTINGS of 3": frame(SETTINGS, 0, 0, bytes(3)),
        "PING of 6": frame(PING, 0, 0, bytes(6)),
        "PING of 9": frame(PING, 0, 0, bytes(9)),
        "RST_STREAM of 3": OPEN + frame(RST_STREAM, 0, 1, bytes(3)),
        "WINDOW_UPDATE of 3": frame(WINDOW_UPDATE, 0, 0, bytes(3)),
        "a frame of 16 MB announced": b"\xff\xff\xff\0\1\0\0\0\1",
    }
    for name, data in size.items():
        yield Wanted(name, [data], CONNECTION, (FRAME_SIZE,))
    flow = {
        "INITIAL_WINDOW_SIZE too large": settings((4, 1 << 31)),
        "a connection window too large": window(0, (1 << 31) - 1) * 2,
    }
    for name, data in flow.items():
        yield Wanted(name, [data], CONNECTION, (FLOW_CONTROL,))
    compression: dict[str, bytes] = {
        "an index past the tables": b"\xff\x80\x01",
        "a literal's index past the tables": b"\x7f\x80\x01\x01x",
        "index 0": b"\x80",
        "a table size update behind fields": GET + b"\x20",
        "a table size above the setting": b"\x3f\xe1\xff\x7f" + GET,
        "Huffman padding of 8 bits": b"\0\x01x\x83\xf0\xff\xff",
        "Huffman padding of zeros": b"\0\x01x\x81\xf0",
        "Huffman EOS": b"\0\x01x\x84\xff\xff\xff\xfc",
        "a literal cut short": b"\0\x05abc",
        "an integer without an end": b"\xff" + b"\xff" * 20,
    }
    for name, data in compression.items():
        whole = data if data.startswith((GET, b"\x3f")) else GET + data
        yield Wanted(name, [headers(1, whole)], CONNECTION, (COMPRESSION,))
    yield Wanted("no preface", [], CONNECTION, (PROTOCOL,), preface=b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")
    yield Wanted("no SETTINGS behind the preface", [headers(1, GET)], CONNECTION, (PROTOCOL,), first=b"")
    yield Wanted(
        "HTTP/1.1 where h2 was agreed",
        [],
        CONNECTION,
        (PROTOCOL,),
        preface=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        first=b"",
    )


def streams() -> Iterator[Wanted]:
    """What ends a stream, or the connection (RFC 9113 5.4.2 leaves it to the server)."""
    closed = (STREAM_CLOSED, PROTOCOL)
    half, done = [headers(1, GET)], [headers(1, GET), 1]
    yield Wanted("DATA on a half-closed stream", [half[0] + frame(DATA, END_STREAM, 1, b"x")], STREAM, closed)
    yield Wanted("HEADERS on a half-closed stream", [half[0] + headers(1, GET)], STREAM, closed)
    yield Wanted("DATA on a closed stream", [*done, frame(DATA, END_STREAM, 1, b"x")], STREAM, closed)
    yield Wanted("HEADERS on a closed stream", [*done, headers(1, GET)], STREAM, closed)
    yield Wanted("HEADERS on a stream that was reset", [OPEN + reset(1) + headers(1, GET)], STREAM, closed)
    yield Wanted("DATA of 16385", [OPEN + frame(DATA, END_STREAM, 1, bytes(16_385))], STREAM, (FRAME_SIZE,))
    yield Wanted("PRIORITY of 4", [OPEN + frame(PRIORITY, 0, 1, bytes(4))], STREAM, (FRAME_SIZE,))
    yield Wanted("WINDOW_UPDATE of 0 on a stream", [OPEN + window(1, 0)], STREAM, (PROTOCOL,))
    yield Wanted("a stream's window too large", [OPEN + window(1, (1 << 31) - 1) * 2], STREAM, (FLOW_CONTROL,))
    yield Wanted(
        "a second HEADERS without END_STREAM", [OPEN + headers(1, [(b"x", b"y")], END_HEADERS)], STREAM, (PROTOCOL,)
    )
    many = b"".join(headers(number, POST, END_HEADERS) for number in range(1, 401, 2))
    yield Wanted("more streams than there may be", [many], STREAM, (REFUSED, PROTOCOL), stream=399)


def malformed() -> Iterator[Wanted]:
    """Requests that must not be forwarded (RFC 9113 8.1.1): a stream error, or a 400."""
    wrong: dict[str, Fields] = {
        "a name in capitals": get((b"X-Up", b"y")),
        "an unknown pseudo-field": get((b":test", b"y")),
        ":status in a request": get((b":status", b"200")),
        "a pseudo-field behind a field": [(b"x", b"y"), *get()],
        "an empty :path": [*without(b":path"), (b":path", b"")],
        "connection": get((b"connection", b"keep-alive")),
        "keep-alive": get((b"keep-alive", b"timeout=5")),
        "proxy-connection": get((b"proxy-connection", b"keep-alive")),
        "transfer-encoding": get((b"transfer-encoding", b"chunked")),
        "upgrade": get((b"upgrade", b"websocket")),
        "te: gzip": get((b"te", b"trailers, gzip")),
        "CONNECT": [(b":method", b"CONNECT"), (b":authority", HOST.encode())],
        "no :authority, no host": without(b":authority"),
        "an empty :authority": [*without(b":authority"), (b":authority", b"")],
        "host of another": get((b"host", b"other.ep-r.io")),
        "two hosts": [*without(b":authority"), (b"host", HOST.encode()), (b"host", HOST.encode())],
        ":scheme ftp": [*without(b":scheme"), (b":scheme", b"ftp")],
        "two lengths": get((b"content-length", b"0"), (b"content-length", b"1")),
        "a length of x": get((b"content-length", b"x")),
        "a length of +0": get((b"content-length", b"+0")),
        "a length without DATA": get((b"content-length", b"5")),
    }
    wrong |= {f"no {name.decode()}": without(name) for name in (b":method", b":scheme", b":path")}
    wrong |= {f"two of {name.decode()}": [(name, value), *get()] for name, value in get()[:4]}
    paths = [
        b"x",
        b"/a b",
        b"/\r\nX: y",
        b"/\n",
        b"/\0",
        b"/ HTTP/1.1\r\nHost: x\r\n\r\nGET /evil",
        b"http://x/",
        b"/#f",
        b"*",
        b"/\x7f",
        b"/\t",
    ]
    wrong |= {f":path {path[:12]!r}": [*without(b":path"), (b":path", path)] for path in paths}
    methods = [b"", b"GET /x HTTP/1.1\r\nX:", b"G T", b"GET\r\n", b"G\0T", b"G:T"]
    wrong |= {f":method {method[:8]!r}": get(method=method) for method in methods}
    hosts = [
        b"u@" + HOST.encode(),
        HOST.encode() + b"\r\nX: y",
        HOST.encode() + b"/x",
        HOST.encode() + b" x",
        HOST.encode() + b"\0",
    ]
    wrong |= {f":authority {host!r}": [*without(b":authority"), (b":authority", host)] for host in hosts}
    names = [
        b"",
        b"a b",
        b"a:b",
        b"a\r\nb",
        b"a\nb",
        b"a\0",
        b"a\x7f",
        b"a\xff",
        b"(a)",
        b"a,b",
        b" a",
        b"a ",
        b"a\t",
        b"\x01",
        b"x\r\ny: z\r\n",
    ]
    wrong |= {f"name {name!r}": get((name, b"y")) for name in names}
    values = [
        b"a\rb",
        b"a\nb",
        b"a\0b",
        b"a\r\nX: y",
        b" a",
        b"a ",
        b"\ta",
        b"a\t",
        b"a\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
        b"\x01",
        b"\x7f",
    ]
    wrong |= {f"value {value[:12]!r}": get((b"x", value)) for value in values}
    for name, fields in wrong.items():
        yield Wanted(f"malformed: {name}", [headers(1, fields)], STREAM, (PROTOCOL,))
    bodies: dict[str, list[bytes]] = {
        "DATA longer than its length": [frame(DATA, END_STREAM, 1, b"hello world")],
        "DATA shorter than its length": [frame(DATA, END_STREAM, 1, b"hel")],
        "two DATAs longer than their length": [frame(DATA, 0, 1, b"hel") + frame(DATA, END_STREAM, 1, b"lo world")],
        "trailers before all DATA": [frame(DATA, 0, 1, b"hel") + headers(1, [(b"x", b"y")])],
    }
    opened = headers(1, get((b"content-length", b"5"), method=b"POST"), END_HEADERS)
    for name, steps in bodies.items():
        yield Wanted(f"malformed: {name}", [opened, *steps], STREAM, (PROTOCOL,))
    for pair in [
        (b":path", b"/"),
        (b"X", b"y"),
        (b"connection", b"close"),
        (b"x", b"a\r\nb"),
        (b"transfer-encoding", b"chunked"),
    ]:
        data = OPEN + frame(DATA, 0, 1, b"hello") + headers(1, [pair])
        yield Wanted(f"malformed: {pair} in trailers", [data], STREAM, (PROTOCOL,))


CODE = "the connection ends, but the h2 crate says PROTOCOL_ERROR where the RFC names another code"
NOT_SHOWN = "the h2 crate cuts it off before anyone can see it; it reaches no backend, and no route is found by it"
KNOWN = {
    "no SETTINGS behind the preface": "the h2 crate does not insist; nothing is read in two ways by it",
    "malformed: :path b'/#f'": NOT_SHOWN,
    "malformed: (b':path', b'/') in trailers": NOT_SHOWN,
}


def run(score: Score) -> None:
    with RawBackend() as backend, RawBackend(bytes(1 << 20)) as big, ThreadPoolExecutor(9) as pool:
        routes = [Route("two-web", "https", backend.address), Route("two-big", "https", big.address)]
        with running(routes) as edge:
            slow = pool.submit(lambda: list(h2_floods.slow_readers(edge, BIG)))
            score.add(pool.map(_case, repeat(edge), [*fine(), *connections(), *streams()]))
            wrong = list(malformed())
            score.add(pool.map(_case, repeat(edge), [each for each in wrong if each.name in KNOWN]))
            before = sum(len(each.requests) for each in backend.connections)
            score.add(pool.map(_case, repeat(edge), [each for each in wrong if each.name not in KNOWN]))
            whole = [request for each in backend.connections for request in each.requests][before:]
            faults = [each.fault for each in backend.connections if each.fault]
            score.add([Case("nothing malformed reaches a backend whole", not whole, str(whole[:3]))])
            score.add([Case("what reaches a backend is HTTP/1.1", not faults, str(faults[:3]))])
            score.add(Case(name, told == "", told) for name, play in PLAYS.items() for told in [play(edge)])
            score.add(slow.result())
            cases, score.summary = h2_floods.play(edge, HOST, BIG)
            score.add(cases)
    score.add(h2_tunnels.play())


def _case(edge: Edge, wanted: Wanted) -> Case:
    with Peer(edge, HOST, wanted.first, wanted.preface) as peer:
        for step in wanted.steps:
            if isinstance(step, int):
                peer.over(step)
            else:
                peer.send(step)
        if wanted.error == ANSWERED:
            said = peer.over(wanted.stream)
            return Case(wanted.name, said.statuses.get(wanted.stream) == 200 and said.goaway is None, str(said))
        said = peer.hear(lambda said: _failed(said, wanted) or (400 <= said.statuses.get(1, 0) < 500))
        refused = wanted.name.startswith("malformed") and 400 <= said.statuses.get(1, 0) < 502
        codes = {said.goaway, said.resets.get(wanted.stream)} if wanted.error == STREAM else {said.goaway}
        # Who does not even begin as a client of HTTP/2 need not be told why (RFC 9113 3.4).
        closed = wanted.preface != PREFACE and said.closed
        right = bool(codes & set(wanted.codes)) or refused or closed
        known = CODE if said.goaway == PROTOCOL else KNOWN.get(wanted.name, "")
        return Case(wanted.name, right, f"{said}; wanted {wanted.error} {wanted.codes}", known)


def _failed(said: Said, wanted: Wanted) -> bool:
    return said.goaway is not None or (wanted.error == STREAM and wanted.stream in said.resets)


def _ping(edge: Edge) -> str:
    with Peer(edge, HOST) as peer:
        peer.send(frame(PING, 0, 0, b"12345678"))
        answer = (PING, ACK, 0, b"12345678")
        return "" if answer in peer.hear(lambda said: answer in said.frames).frames else "no answer"


def _settings_ack(edge: Edge) -> str:
    with Peer(edge, HOST) as peer:
        answer = (SETTINGS, ACK, 0, b"")
        said = peer.hear(lambda said: answer in said.frames)
        return "" if answer in said.frames and said.frames[0][0] == SETTINGS else f"{said.frames[:3]}"


def _small_window(edge: Edge) -> str:
    """The answer `ok` by one octet, then the other (RFC 9113 6.9.1)."""
    with Peer(edge, HOST, settings((4, 1))) as peer:
        peer.send(headers(1, GET))
        first = peer.hear(lambda said: said.bodies.get(1, b"") != b"").bodies.get(1)
        peer.hear(lambda said: 1 in said.over, 0.3)
        if first != b"o" or peer.said.bodies.get(1) != b"o":
            return f"sent {peer.said.bodies}"
        peer.send(window(1, 1))
        return "" if peer.over(1).bodies.get(1) == b"ok" else f"sent {peer.said.bodies}"


def _window_by_settings(edge: Edge) -> str:
    """A window that is none until the settings change (RFC 9113 6.9.2)."""
    with Peer(edge, HOST, settings((4, 0))) as peer:
        peer.send(headers(1, GET))
        peer.hear(lambda said: bool(said.bodies.get(1)), 0.3)
        if peer.said.bodies.get(1):
            return "sent without a window"
        peer.send(settings((4, 10)))
        return "" if peer.over(1).bodies.get(1) == b"ok" else f"sent {peer.said.bodies}"


def _calls_at_once(edge: Edge) -> str:
    with Peer(edge, HOST) as peer:
        numbers = range(1, 200, 2)
        peer.send(b"".join(headers(number, GET) for number in numbers))
        said = peer.over(*numbers, within=10)
        return "" if all(said.statuses.get(number) == 200 for number in numbers) else str(said)


PLAYS: dict[str, Callable[[Edge], str]] = {
    "PING is answered": _ping,
    "SETTINGS come first and are acknowledged": _settings_ack,
    "a window of 1": _small_window,
    "a window of 0 that settings open": _window_by_settings,
    "a hundred streams at once": _calls_at_once,
}
