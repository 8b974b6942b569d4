"""A backend that keeps every byte it gets and reads requests as strictly as can be, one framing or a fault."""

import contextlib
import re
import socket
import threading
import time
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.[01]")
VALUE = re.compile(rb"[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?|")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})((?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?)\r\n")


class Fault(Exception):
    """Bytes that have no framing, or more than one."""


class Unfinished(Exception):
    """More bytes are to come."""


@dataclass
class Request:
    """One request as it came."""

    method: bytes
    target: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes
    raw: bytes
    at: float = 0.0

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key.lower() == name]


@dataclass
class Connection:
    """All that came over one connection."""

    data: bytes = b""
    requests: list[Request] = field(default_factory=list)
    read: int = 0
    fault: str = ""

    @property
    def rest(self) -> bytes:
        return self.data[self.read :]

    def take(self) -> int:
        """Reads what is whole; says how many requests that were."""
        before = len(self.requests)
        while not self.fault and self.rest:
            try:
                request = read_request(self.rest)
            except Unfinished:
                break
            except Fault as fault:
                self.fault = str(fault)
                break
            self.requests.append(request)
            self.read += len(request.raw)
        return len(self.requests) - before


def read_request(data: bytes) -> Request:
    """The first request of `data`."""
    head, found, _ = data.partition(b"\r\n\r\n")
    for line in (head if found else head.rpartition(b"\r\n")[0]).split(b"\r\n"):
        if any(byte in line for byte in (b"\r", b"\n", b"\0")):
            raise Fault(f"CR, LF or NUL in {line[:80]!r}")
    if not found:
        raise Unfinished
    first, *lines = head.split(b"\r\n")
    if not (line := REQUEST_LINE.fullmatch(first)):
        raise Fault(f"request line {first[:80]!r}")
    fields = [field_line(line) for line in lines]
    request = Request(line[1], line[2], fields, b"", b"")
    if len(request.values(b"host")) != 1:
        raise Fault(f"{len(request.values(b'host'))} Host fields")
    length, coding = request.values(b"content-length"), request.values(b"transfer-encoding")
    at = len(head) + 4
    if len(length) + len(coding) > 1:
        raise Fault(f"framings: {length + coding}")
    if coding:
        if coding[0].lower() != b"chunked":
            raise Fault(f"coding {coding[0]!r}")
        request.body, taken = read_chunks(data[at:])
        at += taken
    elif length:
        if not re.fullmatch(rb"[0-9]{1,18}", length[0]):
            raise Fault(f"length {length[0]!r}")
        if len(data) < at + int(length[0]):
            raise Unfinished
        request.body = data[at : at + int(length[0])]
        at += int(length[0])
    request.raw = data[:at]
    return request


def field_line(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    value = value.strip(b" \t")
    if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
        raise Fault(f"field line {line[:80]!r}")
    return name, value


def read_chunks(data: bytes) -> tuple[bytes, int]:
    """A chunked body and how many bytes it takes (RFC 9112 7.1)."""
    body, at = b"", 0
    while True:
        if not (line := CHUNK.match(data, at)):
            if (len(data) - at < 40 and b"\n" not in data[at:]) or re.fullmatch(
                rb"[0-9A-Fa-f]+[ \t]*;[^\r\n]*\r?", data[at:]
            ):
                raise Unfinished
            raise Fault(f"chunk line {data[at : at + 80]!r}")
        at, size = line.end(), int(line[1], 16)
        if size >= 1 << 63:
            raise Fault(f"a chunk size that others take for a negative one: {line[1]!r}")
        if size == 0:
            break
        if len(data) < at + size + 2:
            raise Unfinished
        if data[at + size : at + size + 2] != b"\r\n":
            raise Fault(f"no CRLF behind a chunk: {data[at + size : at + size + 20]!r}")
        body += data[at : at + size]
        at += size + 2
    while True:
        trailer, found, _ = data[at:].partition(b"\r\n")
        if not found:
            if b"\n" in trailer:
                raise Fault(f"trailer {trailer[:80]!r}")
            raise Unfinished
        at += len(trailer) + 2
        if not trailer:
            return body, at
        name, _ = field_line(trailer)
        if name.lower() in (b"content-length", b"transfer-encoding", b"host"):
            raise Fault(f"trailer {trailer[:80]!r}")


class RawBackend:
    """Listens on loopback until it is left; answers each request with a body, or never when there is none."""

    def __init__(self, body: bytes | None = b"ok"):
        self.body = body

    def __enter__(self) -> "RawBackend":
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = self.listener.getsockname()
        self.connections: list[Connection] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                stream, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream: socket.socket) -> None:
        connection = Connection()
        self.connections.append(connection)
        with stream, contextlib.suppress(OSError):
            while chunk := stream.recv(65536):
                connection.data += chunk
                taken = connection.take()
                for request in connection.requests[len(connection.requests) - taken :]:
                    request.at = time.monotonic()
                    stream.sendall(self.answer(request))
                if connection.fault:
                    stream.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                    break

    def answer(self, request: Request) -> bytes:
        if self.body is None:
            return b""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body)
        return head if request.method == b"HEAD" else head + self.body
