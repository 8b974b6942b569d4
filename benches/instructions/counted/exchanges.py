"""The scripted exchanges: so many units over so many connections, one at a time, the same bytes each time."""

import os
import re
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from side_by_side.cells import Duty
from side_by_side.setup import OTHER_CORE, Fault, Setup, host

CONNECTIONS = 16
FIELDS = "User-Agent: rig\r\nAccept: */*\r\n"
WEBSOCKET = ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


@dataclass(frozen=True)
class Exchange:
    """What is asked of epr."""

    name: str
    what: str
    duty: Duty
    few: int
    """Units of the shorter of two runs. Enough that all that is kept from one to the next is there."""
    many: int
    work: Callable[[Setup, int], None]
    """Does so many units."""


def get(size: int, at: int, more: str = "") -> bytes:
    return f"GET /b/{size} HTTP/1.1\r\nHost: {host(at)}\r\n{FIELDS}{more}\r\n".encode()


def post(size: int, at: int) -> bytes:
    head = f"POST /u HTTP/1.1\r\nHost: {host(at)}\r\n{FIELDS}Content-Length: {size}\r\n\r\n"
    return head.encode() + bytes(size)


def dial(setup: Setup, tls: ssl.SSLContext | None = None, at: int = 0) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", setup.port), timeout=60)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(plain, server_hostname=host(at)) if tls else plain


def insecure() -> ssl.SSLContext:
    """Of a client that looks at no certificate, and asks for what all clients can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def answer(stream: socket.socket):
    """Reads a whole answer, whose length must be said, and which must be a good one."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += more(stream)
    head, _, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    if not head.startswith(b"HTTP/1.1 200 ") or not length:
        raise Fault(f"epr answered {head!r}")
    exactly(stream, int(length[1]) - len(body))


def exactly(stream: socket.socket, count: int):
    while count > 0:
        count -= len(more(stream))


def more(stream: socket.socket) -> bytes:
    part = stream.recv(1 << 18)
    if not part:
        raise Fault("epr closed in the middle of an answer")
    return part


def kept(request: Callable[[int], bytes], tls: bool = False):
    """Over connections that stay."""

    def work(setup: Setup, units: int):
        context = insecure() if tls else None
        streams = [dial(setup, context, at) for at in range(CONNECTIONS)]
        for unit in range(units):
            at = unit % CONNECTIONS
            streams[at].sendall(request(at))
            answer(streams[at])
        for stream in streams:
            stream.close()

    return work


def at_once(request: Callable[[int], bytes]):
    """The same, all connections at the same time: what is done once for all that is ready is shared."""

    def work(setup: Setup, units: int):
        streams = [dial(setup) for _ in range(CONNECTIONS)]
        for _ in range(units // CONNECTIONS):
            for at, stream in enumerate(streams):
                stream.sendall(request(at))
            for stream in streams:
                answer(stream)
        for stream in streams:
            stream.close()

    return work


def once(tls: bool = False):
    """A connection for each unit."""

    def work(setup: Setup, units: int):
        context = insecure() if tls else None
        for unit in range(units):
            at = unit % CONNECTIONS
            with dial(setup, context, at) as stream:
                stream.sendall(get(64, at, "Connection: close\r\n"))
                answer(stream)

    return work


def passed_through(setup: Setup, units: int):
    """A connection for each unit: a ClientHello, and bytes."""
    context = insecure()
    for unit in range(units):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(incoming, outgoing, server_hostname=host(unit % CONNECTIONS))
        try:
            session.do_handshake()
        except ssl.SSLWantReadError:
            pass
        with dial(setup) as stream:
            stream.sendall(outgoing.read() + struct.pack(">Q", 64))
            exactly(stream, 64)


def websocket(setup: Setup, units: int):
    """Frames of 128 bytes there and back."""
    payload, mask = os.urandom(128), bytes(4)
    frame = bytes([0x82, 0x80 | 126]) + struct.pack(">H", len(payload)) + mask + payload
    with dial(setup) as stream:
        stream.sendall(f"GET /ws HTTP/1.1\r\nHost: {host(0)}\r\n{FIELDS}{WEBSOCKET}\r\n".encode())
        if not more(stream).startswith(b"HTTP/1.1 101 "):
            raise Fault("epr opened no WebSocket")
        for _ in range(units):
            stream.sendall(frame)
            exactly(stream, 4 + len(payload))


def h2(setup: Setup, units: int):
    """By h2load, since Python's library has no HTTP/2."""
    words = ["h2load", "-t1", "-c1", "-m32", f"-n{units}", f"--connect-to=127.0.0.1:{setup.port}",
             f"https://{host(0)}/b/64"]
    said = subprocess.run(["taskset", "-c", OTHER_CORE, *words], check=False, capture_output=True, text=True)
    if f"{units} succeeded" not in said.stdout:
        raise Fault(f"h2load: {said.stdout[-500:]}{said.stderr[-500:]}")


HTTP, HTTPS, PASS = Duty.HTTP, Duty.HTTPS, Duty.PASSTHROUGH
EXCHANGES = [
    Exchange("h1", "HTTP/1.1, 64 B, a request", HTTP, 500, 4500, kept(lambda at: get(64, at))),
    Exchange("h1-busy", "HTTP/1.1, 64 B, 16 requests at once", HTTP, 640, 4640, at_once(lambda at: get(64, at))),
    Exchange("h1-upload", "HTTP/1.1, upload of 1 KiB", HTTP, 500, 4500, kept(lambda at: post(1024, at))),
    Exchange("h1-64k", "HTTP/1.1, 64 KiB, a request", HTTP, 200, 1200, kept(lambda at: get(65536, at))),
    Exchange("h1-close", "HTTP/1.1, a connection and request", HTTP, 300, 2300, once()),
    Exchange("https", "HTTPS, 64 B, a request", HTTPS, 500, 4500, kept(lambda at: get(64, at), tls=True)),
    Exchange("https-close", "HTTPS, handshake and request", HTTPS, 100, 500, once(tls=True)),
    Exchange("h2", "HTTPS, HTTP/2, 32 streams at once, a request", HTTPS, 500, 4500, h2),
    Exchange("websocket", "WebSocket, 128 B there and back", HTTP, 500, 4500, websocket),
    Exchange("passthrough", "SNI passthrough, a connection", PASS, 300, 2300, passed_through),
]
