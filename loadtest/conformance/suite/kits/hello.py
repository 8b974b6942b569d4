"""Hellos in every cut and shape, to a name whose TLS is terminated and to one that is passed through.

What is terminated must get a ServerHello, what is passed through must arrive as it was sent and at that backend,
and what is no good hello an alert (or the answer to what is not TLS) and no backend.
"""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .. import hello as h
from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score
from ..tls_backend import WORD, BytesBackend
from ..wire import Heard, connect, converse

SAFE, RAW = b"hello-safe.ep-r.io", b"hello-raw.ep-r.io"
SERVER_HELLO, ALERT, ANSWER, CLOSED = "ServerHello", "alert", "HTTP 400", "closed"
SERVED = (SERVER_HELLO, "passed")
REFUSED = (ALERT, ANSWER, CLOSED)


@dataclass(frozen=True)
class Tried:
    """Bytes in the parts in which they are sent, and what may become of them."""

    name: str
    parts: list[bytes]
    may: tuple[str, ...]
    pause: float = 0.0


def version() -> str:
    return "ours"


def cuts() -> Iterator[Tried]:
    """Every place, between two segments and between two records."""
    for name in (SAFE, RAW):
        said, message = name.decode(), h.usual(name)
        whole = h.record(message)
        for at in range(1, len(whole)):
            yield Tried(f"{said}: segments cut at {at}", [whole[:at], whole[at:]], SERVED, 0.002)
        for at in range(1, len(message)):
            both = [h.record(message[:at]), h.record(message[at:])]
            yield Tried(f"{said}: records cut at {at}", [b"".join(both)], SERVED)
        for at in range(1, len(message), 16):
            both = [h.record(message[:at]), h.record(message[at:])]
            yield Tried(f"{said}: segments and records cut at {at}", both, SERVED, 0.002)
        for size in (1, 2, 3, 5, 16, 64):
            yield Tried(f"{said}: records of {size}", [h.records(message, size)], SERVED)
        for size in (1, 7):
            pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
            yield Tried(f"{said}: segments of {size}", pieces, SERVED, 0.001)
        mixed = h.records(message, 3)
        yield Tried(
            f"{said}: records of 3 in segments of 5", [mixed[at : at + 5] for at in range(0, len(mixed), 5)], SERVED
        )


def shapes() -> Iterator[Tried]:
    """What clients may well send."""
    for name in (SAFE, RAW):
        said, usual = name.decode(), h.extensions(name)
        for version in (0x0300, 0x0301, 0x0302, 0x0303):
            yield Tried(f"{said}: record version {version:#06x}", [h.record(h.usual(name), version)], SERVED)
        grease = [h.extension(h.GREASE, b""), *usual, h.extension(0xFAFA, b"\0")]
        shaped = {
            "GREASE": h.message(grease, ciphers=(h.GREASE, *h.CIPHERS)),
            "no session id": h.message(usual, session=b""),
            "extensions in reverse": h.message(usual[::-1]),
            "name last, after 8 kB": h.message([*usual[1:], h.extension(21, bytes(8000)), usual[0]]),
            "unknown extensions": h.message([*usual, *(h.extension(0x5000 + n, bytes(n)) for n in range(60))]),
            "many ciphers": h.message(usual, ciphers=(*h.CIPHERS, *range(0x2000, 0x2400))),
            "encrypted client hello, GREASE": h.message(
                [*usual, h.extension(0xFE0D, b"\0\0\1\0\1\7" + h.sized(bytes([9] * 32)) + h.sized(bytes(144)))]
            ),
            "post-quantum share": h.message(
                [part for part in usual if part[:2] != b"\0\x33"]
                + [h.shares((h.GREASE, b"\0"), (h.X25519, bytes([9]) + bytes(31)), (0x6399, bytes(1216)))]
            ),
            "unknown protocols beside http/1.1": h.message(
                [part for part in usual if part[:2] != b"\0\x10"] + [h.alpn(b"\x0a\x0a", b"spdy/3", b"http/1.1")]
            ),
            "name in capitals": h.message([h.server_name(name.upper()), *usual[1:]]),
            "compressions beside null in TLS 1.2": h.message(
                [part for part in usual if part[:2] not in (b"\0\x2b", b"\0\x33")], compressions=b"\0\1"
            ),
        }
        for padding in (1, 255, 256, 500, 1400, 4000, 8000, 12_000):
            shaped[f"padding {padding}"] = h.message([*usual, h.extension(21, bytes(padding))])
        for what, message in shaped.items():
            yield Tried(f"{said}: {what}", [h.records(message, 16_384)], SERVED)
            yield Tried(f"{said}: {what}, records of 100", [h.records(message, 100)], SERVED)
        old = [part for part in usual if part[:2] not in (b"\0\x2b", b"\0\x33")]
        yield Tried(f"{said}: TLS 1.2", [h.record(h.message(old))], SERVED)


def wrong() -> Iterator[Tried]:
    """What is no hello, or one that nobody can serve."""
    usual, good = h.extensions(SAFE), h.usual(SAFE)
    names = [
        b"",
        b".",
        b"..",
        b"a" * 254,
        b"a" * 64 + b".ep-r.io",
        b"127.0.0.1",
        b"::1",
        b"[::1]",
        b"*.ep-r.io",
        b"-.ep-r.io",
    ]
    names += [
        b"hello safe.ep-r.io",
        b"hello-safe.ep-r.io\0",
        b"hello-safe.ep-r.io\0.x",
        b"\xffhello.ep-r.io",
        b"h\xc3\xa9llo.ep-r.io",
    ]
    names += [
        b"hello-safe.ep-r.io:443",
        b"hello-safe.ep-r.io/",
        b"x@hello-safe.ep-r.io",
        b"hello-safe..ep-r.io",
        b".hello-safe.ep-r.io",
    ]
    names += [
        b"hello-safe",
        b"ep-r.io",
        b"other.ep-r.io",
        b"hello-safe.example.com",
        b"hello-safe.ep-r.io.example.com",
        b"\r\n",
        b"%00",
    ]
    for name in names:
        yield Tried(f"name {name[:40]!r}", [h.record(h.usual(name))], REFUSED)
    two = h.extension(0, h.sized(b"".join(b"\0" + h.sized(name) for name in (SAFE, RAW))))
    twice = [h.server_name(SAFE), *h.extensions(RAW)]
    wrong_messages = {
        "no name": h.usual(None),
        "two names in one extension": h.message([two, *usual[1:]]),
        "two name extensions": h.message(twice),
        "an unknown kind of name": h.message([h.server_name(SAFE, kind=1), *usual[1:]]),
        "an empty list of names": h.message([h.extension(0, b"\0\0"), *usual[1:]]),
        "an empty name extension": h.message([h.extension(0, b""), *usual[1:]]),
        "a name longer than its list": h.message([h.extension(0, h.sized(b"\0\0\xff" + SAFE)), *usual[1:]]),
        "bytes behind the list of names": h.message(
            [h.extension(0, h.sized(b"\0" + h.sized(SAFE)) + b"x"), *usual[1:]]
        ),
        "no extensions": h.message([], without_extensions=True),
        "bytes behind the extensions": h.message(usual, behind=b"x"),
        "an extension twice": h.message([*usual, h.alpn(b"http/1.1")]),
        "no ciphers": h.message(usual, ciphers=()),
        "no compressions": h.message(usual, compressions=b""),
        "no null compression": h.message(usual, compressions=b"\1"),
        "a session id of 33": h.message(usual, session=bytes(33)),
        "a server's hello": h.message(usual, kind=2),
        "a Finished": h.message(usual, kind=20),
        "an empty protocol": h.message([p for p in usual if p[:2] != b"\0\x10"] + [h.alpn(b"")]),
        "unknown ciphers alone": h.message(usual, ciphers=(0x1234,)),
        "SSL 3.0": h.message([h.server_name(SAFE)], version=0x0300),
        "TLS 1.0": h.message([h.server_name(SAFE)], version=0x0301),
        "TLS 1.1": h.message([h.server_name(SAFE)], version=0x0302),
        "only TLS 1.4 supported": h.message([*usual[:-1], h.extension(43, b"\2\3\5")]),
        "an all-zero share": h.message([p for p in usual if p[:2] != b"\0\x33"] + [h.shares((h.X25519, bytes(32)))]),
        "a share of 31": h.message([p for p in usual if p[:2] != b"\0\x33"] + [h.shares((h.X25519, bytes(31)))]),
        "an extension longer than all": good[:-8] + b"\xff\xff" + good[-6:],
        "100 kB of padding": h.message([*usual, h.extension(21, bytes(60_000))], behind=bytes(40_000)),
    }
    for what, message in wrong_messages.items():
        yield Tried(what, [h.records(message, 16_384)], REFUSED)
    for at in (1, 4, 5, 6, 9, 43, 100, len(good)):
        yield Tried(f"cut short after {at}", [h.record(good)[:at]], REFUSED)
        yield Tried(f"cut short after {at}, in records", [h.record(good[:at])[: at + 4]], REFUSED)


def rubbish() -> Iterator[Tried]:
    """What is not even a record, and records that are no hello's."""
    good = h.usual(SAFE)
    ssl2 = b"\x01\x03\x01\x00\x03\x00\x00\x00\x10\x01\x00\x80" + bytes(16)
    wrong_bytes = {
        "SSLv2 hello": b"\x80" + bytes([len(ssl2)]) + ssl2,
        "SSLv2 hello of three header bytes": b"\x00" + bytes([len(ssl2)]) + b"\0" + ssl2,
        "HTTP": b"GET / HTTP/1.1\r\nHost: hello-safe.ep-r.io\r\n\r\n",
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
        "SMTP": b"EHLO example.com\r\n",
        "zeros": bytes(500),
        "ones": b"\xff" * 500,
        "a newline": b"\n",
        "an alert": h.record(b"\2\x28", kind=21),
        "application data": h.record(good, kind=23),
        "a change of ciphers": h.record(b"\1", kind=20),
        "a heartbeat": h.record(b"\1\x40\0", kind=24),
        "a record of 0": h.record(b""),
        "many records of 0": h.record(b"") * 5000,
        "a record of 0, then a hello": h.record(b"") + h.record(good),
        "a record of 0 within a hello": h.record(good[:50]) + h.record(b"") + h.record(good[50:]),
        "a record of 16385": h.record(good.ljust(16_385, b"\0")),
        "a record of 65535": h.record(good.ljust(65_535, b"\0")),
        "an alert within a hello": h.record(good[:50]) + h.record(b"\1\0", kind=21) + h.record(good[50:]),
        "a change of ciphers within a hello": h.record(good[:50]) + h.record(b"\1", kind=20) + h.record(good[50:]),
        "record version 2": h.record(good, version=0x0200),
        "record version 0x04ff": h.record(good, version=0x04FF),
        "a hello of 16 MB announced": h.record(b"\1\xff\xff\xff" + good[4:]),
        "a PROXY header, then a hello": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + h.record(good),
    }
    for what, data in wrong_bytes.items():
        yield Tried(what, [data], REFUSED)


def run(score: Score) -> None:
    with RawBackend() as safe, BytesBackend() as raw, BytesBackend() as other:
        routes = [Route("hello-safe", "https", safe.address), Route("hello-raw", "tls", raw.address)]
        with running([*routes, Route("hello-other", "tls", other.address)]) as edge:
            tried = [*cuts(), *shapes()]
            sent = [b"".join(one.parts) for one in tried if one.name.startswith(RAW.decode())]
            score.add(play(edge, tried))
            arrived = sorted(bytes(got) for got in raw.got)
            score.add([Case("what is passed through arrives as it was sent", arrived == sorted(sent))])
            served = (len(raw.got), len(safe.connections))
            score.add(play(edge, [*wrong(), *rubbish()]))
            reached = (len(raw.got), len(safe.connections), len(other.got))
            score.add([Case("nothing wrong reaches a backend", reached == (*served, 0), f"{served}, then {reached}")])


def play(edge: Edge, tried: list[Tried]) -> list[Case]:
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda one: _case(edge, one), tried))


def _case(edge: Edge, tried: Tried) -> Case:
    stream = connect(edge.https)
    if tried.may is SERVED:
        with stream:
            became = _became(_first(stream, tried))
    else:
        became = _became(converse(stream, tried.parts, shut=True, pause=tried.pause))
    return Case(tried.name, became in tried.may, became)


def _first(stream: socket.socket, tried: Tried) -> Heard:
    """The first bytes of the answer: nobody ends a conversation that goes well."""
    try:
        for index, part in enumerate(tried.parts):
            if index and tried.pause:
                time.sleep(tried.pause)
            stream.sendall(part)
        data = stream.recv(4096)
    except OSError as error:
        return Heard(b"", str(error))
    return Heard(data, "" if data else "fin")


def _became(heard: Heard) -> str:
    data = heard.data
    if data.startswith(b"\x16\x03\x03") and data[5:6] == b"\2":
        return SERVER_HELLO
    if data == WORD:
        return "passed"
    if data.startswith(b"\x15") and len(data) == 7:
        return ALERT
    if data.startswith(b"HTTP/1.1 400"):
        return ANSWER
    if not data and heard.end in ("fin", "reset"):
        return CLOSED
    return f"{data[:40]!r}, {heard.end}"
