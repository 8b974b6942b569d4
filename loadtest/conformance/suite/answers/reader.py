"""A client that reads answers as strictly as can be, one framing or a fault (RFC 9112 4, 6)."""

import contextlib
import re
import socket
import time
from dataclasses import dataclass, field

from ..raw_backend import Fault, Unfinished, field_line, read_chunks

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")
HOP = (b"keep-alive", b"proxy-connection", b"upgrade", b"te", b"trailer")


@dataclass
class Reply:
    """One answer as it came. `whole` says whether its framing says that it is."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    whole: bool = False
    interims: list["Reply"] = field(default_factory=list)

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key.lower() == name]

    @property
    def closes(self) -> bool:
        return any(b"close" in value.lower() for value in self.values(b"connection"))


def read_head(data: bytes) -> tuple[Reply, int]:
    """A head and how many bytes it takes."""
    head, found, _ = data.partition(b"\r\n\r\n")
    for line in (head if found else head.rpartition(b"\r\n")[0]).split(b"\r\n"):
        if any(byte in line for byte in (b"\r", b"\n", b"\0")):
            raise Fault(f"CR, LF or NUL in {line[:80]!r}")
    if not found:
        raise Unfinished
    first, *lines = head.split(b"\r\n")
    if not (line := STATUS_LINE.fullmatch(first)):
        raise Fault(f"status line {first[:80]!r}")
    return Reply(int(line[1]), [field_line(line) for line in lines]), len(head) + 4


def read_body(reply: Reply, data: bytes, method: bytes, ended: bool) -> int:
    """Reads as much of the body as there is; how many bytes that takes."""
    length, coding = reply.values(b"content-length"), reply.values(b"transfer-encoding")
    if len(length) + len(coding) > 1:
        raise Fault(f"framings: {length + coding}")
    if coding and coding[0].lower() != b"chunked":
        raise Fault(f"coding {coding[0]!r}")
    if length and not (re.fullmatch(rb"[0-9]{1,40}", length[0]) and int(length[0]) < 1 << 63):
        raise Fault(f"length {length[0]!r}")
    if (reply.status < 200 or reply.status == 204) and (length or coding):
        raise Fault(f"a {reply.status} with {length + coding}")
    if method == b"HEAD" or reply.status < 200 or reply.status in (204, 304):
        reply.whole = True
        return 0
    if coding:
        try:
            reply.body, taken = read_chunks(data)
        except Unfinished:
            reply.body = data
            return len(data)
        reply.whole = True
        return taken
    size = int(length[0]) if length else len(data)
    reply.body = data[:size]
    reply.whole = len(data) >= size if length else ended
    return len(reply.body)


class Client:
    """One connection of a client."""

    def __init__(self, stream: socket.socket):
        self.stream, self.data, self.end = stream, b"", ""

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.stream.sendall(data)

    def reply(self, method: bytes, within: float = 8.0) -> Reply | None:
        """The next answer behind interim ones; none when none came. What was read of it is taken off `data`."""
        deadline, interims = time.monotonic() + within, []
        while True:
            try:
                reply, at = read_head(self.data)
            except Unfinished:
                if self.more(deadline):
                    continue
                return None
            if reply.status < 200 and reply.status != 101:
                read_body(reply, b"", method, False)
                interims.append(reply)
                self.data = self.data[at:]
                continue
            break
        while True:
            taken = read_body(reply, self.data[at:], method, self.end == "fin")
            if reply.whole or not self.more(deadline):
                self.data = self.data[at + taken :]
                reply.interims = interims
                return reply

    def more(self, deadline: float) -> bool:
        """Whether more came, be it the end; `end` is `fin`, `reset` or `quiet` then."""
        if self.end:
            return False
        chunk = b""
        try:
            self.stream.settimeout(max(deadline - time.monotonic(), 0.001))
            chunk = self.stream.recv(1 << 20)
            self.end = "" if chunk else "fin"
        except TimeoutError:
            self.end = "quiet"
        except OSError:  # Among them an end of TCP that TLS did not tell of.
            self.end = "reset"
        self.data += chunk
        # A body that ends with the connection is whole by its end.
        return bool(chunk) or self.end == "fin"
