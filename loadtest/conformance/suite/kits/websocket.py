"""WebSockets through the edge: each conversation must go, octet for octet, as it goes with the backend itself."""

import contextlib
import logging
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version as version_of

from websockets.sync.server import serve

from ..edge import Edge, Route, running
from ..score import Case, Score
from ..wire import Address, connect, converse, tls

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN, MASKED = 0x80, 0x80
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
PLAIN, SAFE = "socket-plain", "socket-safe"
QUIET = logging.getLogger("websockets.none")
QUIET.disabled = True
# Conversations end when the client has said Close; those that the server must end itself end by it.
Conversation = list[bytes]


def version() -> str:
    return f"ours, at websockets {version_of('websockets')}"


def message(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True, size: int | None = None
) -> bytes:
    """One frame (RFC 6455 5.2); `size` forces 16 or 64 bits of length."""
    length = len(payload)
    bits = size or (7 if length < 126 else 16 if length < 65_536 else 64)
    coded = {
        7: bytes([length & 127]),
        16: b"\x7e" + struct.pack("!H", length & 0xFFFF),
        64: b"\x7f" + struct.pack("!Q", length),
    }[bits]
    head = bytes([(FIN if fin else 0) | rsv << 4 | opcode, coded[0] | (MASKED if masked else 0)]) + coded[1:]
    if not masked:
        return head + payload
    mask = b"\x11\x22\x33\x44"
    repeated = (mask * (length // 4 + 1))[:length]
    mixed = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
    return head + mask + mixed


END = message(CLOSE, struct.pack("!H", 1000))


def deflated(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return (coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH))[:-4]


def conversations() -> Iterator[tuple[str, Conversation]]:
    for size in (0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1 << 20, 4 << 20):
        yield f"text of {size}", [message(TEXT, b"*" * size), END]
        yield f"binary of {size}", [message(BINARY, b"\xfe" * size), END]
    for chop in (1, 3, 997):
        data = message(TEXT, b"*" * 2000)
        yield f"octets by {chop}", [*(data[at : at + chop] for at in range(0, len(data), chop)), END]
    for payload in (b"", b"x" * 125, b"\0\xff\xfe\xfd"):
        yield f"ping {payload[:4]!r}, {len(payload)}", [message(PING, payload), END]
    yield "ten pings", [message(PING, b"p%d" % number) for number in range(10)] + [END]
    yield "an unasked pong", [message(PONG, b"x"), message(TEXT, b"hello"), END]
    yield "a ping too long", [message(PING, b"x" * 126), END]
    for rsv in range(1, 8):
        yield f"RSV {rsv}", [message(TEXT, b"hello", rsv=rsv), END]
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield f"opcode {opcode}", [message(opcode, b"x"), END]
    yield "two fragments", [message(TEXT, b"hel", fin=False), message(0, b"lo"), END]
    yield (
        "fragments by the octet",
        [message(TEXT, b"h", fin=False), *(message(0, b"x", fin=False) for _ in range(500)), message(0), END],
    )
    yield "a ping among fragments", [message(TEXT, b"hel", fin=False), message(PING, b"p"), message(0, b"lo"), END]
    yield "a fragmented ping", [message(PING, b"p", fin=False), message(0, b"x"), END]
    yield "a continuation of nothing", [message(0, b"x"), END]
    yield "text within fragments", [message(TEXT, b"hel", fin=False), message(TEXT, b"lo"), END]
    yield "empty fragments", [message(TEXT, fin=False), message(0, fin=False), message(0), END]
    for text in ("κόσμε", "\U0010ffff", "𝄞", "\ufeff"):
        coded = text.encode()
        yield f"text {text!r}", [message(TEXT, coded), END]
        yield f"text {text!r} cut within a letter", [message(TEXT, coded[:1], fin=False), message(0, coded[1:]), END]
    for wrong in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xce", b"ok\xfe"):
        yield f"invalid UTF-8 {wrong!r}", [message(TEXT, wrong), END]
        yield f"invalid UTF-8 {wrong!r} in a fragment", [message(TEXT, b"ok", fin=False), message(0, wrong), END]
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield f"close {code}", [message(CLOSE, struct.pack("!H", code) + b"why")]
    for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535):
        yield f"invalid close {code}", [message(CLOSE, struct.pack("!H", code))]
    yield "close without a code", [message(CLOSE)]
    yield "close of one octet", [message(CLOSE, b"x")]
    yield "close with invalid UTF-8", [message(CLOSE, struct.pack("!H", 1000) + b"\xff")]
    yield "close with a reason of 123", [message(CLOSE, struct.pack("!H", 1000) + b"x" * 123)]
    yield "close too long", [message(CLOSE, struct.pack("!H", 1000) + b"x" * 124)]
    yield "words behind a close", [END, message(TEXT, b"x")]
    yield "not masked", [message(TEXT, b"hello", masked=False), END]
    yield "a length longer than need be", [message(TEXT, b"hello", size=16), END]
    yield "a length of 64 bits for five", [message(TEXT, b"hello", size=64), END]
    yield "a length past 2^63", [bytes([FIN | BINARY, MASKED | 127]) + b"\xff" * 12, END]
    yield "no WebSocket at all", [b"GET / HTTP/1.1\r\nHost: evil\r\n\r\n"]
    yield "a hundred messages at once", [b"".join(message(TEXT, b"m%d" % number) for number in range(100)), END]
    yield "binary that looks like HTTP", [message(BINARY, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), END]
    for size in (16, 1024, 100_000):
        data = deflated(b"compressible " * (size // 13 + 1))
        yield f"deflated {size}", [message(TEXT, data, rsv=4), END]
    yield "deflated rubbish", [message(TEXT, b"\xff\xff\xff\xff", rsv=4), END]
    yield "noise", [message(BINARY, os.urandom(1000)), END]


def handshake(host: str, deflate: bool) -> bytes:
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"
    return (
        f"GET /echo HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY.decode()}\r\n{offer if deflate else ''}\r\n"
    ).encode()


def run(score: Score) -> None:
    with backend() as address:
        routes = [Route(PLAIN, "http", address), Route(SAFE, "https", address)]
        with running(routes) as edge, ThreadPoolExecutor(8) as pool:
            play = [(name, talk) for name, talk in conversations()]
            for cases in pool.map(lambda one: list(_cases(edge, address, *one)), play):
                score.add(cases)
            score.add(_refused(edge))


def _cases(edge: Edge, address: Address, name: str, talk: Conversation) -> Iterator[Case]:
    deflate = name.startswith("deflated")
    wanted = heard_of(connect(address), PLAIN, talk, deflate)
    for way, open_, host in [
        ("ws", lambda: connect(edge.http), PLAIN),
        ("wss", lambda: tls(edge.https, f"{SAFE}.ep-r.io", edge.ca), SAFE),
    ]:
        got = heard_of(open_(), host, talk, deflate)
        told = (
            ""
            if got == wanted
            else f"{got[0]!r} {got[1][:60]!r} ({len(got[1])}), not {wanted[1][:60]!r} ({len(wanted[1])})"
        )
        yield Case(f"{way}: {name}", got == wanted, told)


def heard_of(stream, host: str, talk: Conversation, deflate: bool) -> tuple[bytes, bytes]:
    """The status of the handshake and all octets behind it. Echoes are awaited before the last Close."""
    heard, data = b"", b""
    with stream, contextlib.suppress(OSError):
        stream.settimeout(3)
        stream.sendall(handshake(f"{host}.ep-r.io", deflate))
        while b"\r\n\r\n" not in heard and (data := stream.recv(65536)):
            heard += data
        for step in talk[:-1]:
            stream.sendall(step)
        if len(talk) > 1 and talk[-1] == END:
            stream.sendall(message(TEXT, b"sync"))
            while not heard.endswith(b"sync") and (data := stream.recv(65536)):
                heard += data
        stream.sendall(talk[-1])
        while data := stream.recv(65536):
            heard += data
    head, _, frames = heard.partition(b"\r\n\r\n")
    return head[:12] + (b", over" if not data else b", hangs"), frames


def _refused(edge: Edge) -> Iterator[Case]:
    """Handshakes that are none: never a tunnel, and a second request is answered as HTTP."""
    whole, second = (
        handshake(f"{PLAIN}.ep-r.io", False),
        f"GET /second HTTP/1.1\r\nHost: {PLAIN}.ep-r.io\r\nConnection: close\r\n\r\n".encode(),
    )
    changes = {
        "no key": (b"Sec-WebSocket-Key: " + KEY + b"\r\n", b""),
        "a short key": (KEY, b"AAAA"),
        "version 12": (b"Version: 13", b"Version: 12"),
        "no Connection": (b"Connection: Upgrade\r\n", b""),
        "POST": (b"GET ", b"POST "),
        "another protocol": (b"Upgrade: websocket", b"Upgrade: h2c"),
        "HTTP/1.0": (b"HTTP/1.1", b"HTTP/1.0"),
    }
    for name, (old, new) in changes.items():
        heard = converse(connect(edge.http), [whole.replace(old, new, 1) + second], shut=True)
        right = 101 not in heard.statuses and bool(heard.statuses)
        yield Case(f"handshake with {name}", right, str(heard.statuses))


@contextlib.contextmanager
def backend() -> Iterator[Address]:
    """A server that echoes, in a thread of its own."""

    def echo(connection) -> None:
        for one in connection:
            connection.send(one)

    with serve(echo, "127.0.0.1", 0, max_size=None, ping_interval=None, logger=QUIET) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.socket.getsockname()
        server.shutdown()
