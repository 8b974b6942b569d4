"""What a hostile answer is, and what may become of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

BODY = b"hello"
# An answer that nobody asked for. Its body must never come to a client.
FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nFORGED"


class Should(Enum):
    """What the edge is to do with an answer."""

    FORWARD = "be forwarded"
    REFUSE = "be refused"
    EITHER = "be one of both"


class End(Enum):
    """What the backend does behind its last byte."""

    KEEP = "keep"
    FIN = "fin"
    RESET = "reset"


@dataclass(frozen=True)
class Answer:
    """Bytes a backend gives for one request; `late` follows when the edge may have done with the answer.

    Where it is forwarded, the client must get `body`, a status among `statuses`, and `absent` nowhere.
    """

    name: str
    data: bytes
    should: Should
    body: bytes = BODY
    end: End = End.KEEP
    late: bytes = b""
    method: bytes = b"GET"
    asks: bytes = b""
    statuses: tuple[int, ...] = (200,)
    absent: bytes = b"FORGED"


Answers = Iterator[Answer]


def ok(fields: bytes = b"", body: bytes = b"", line: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    """An answer with these field lines, each with its line end."""
    return line + fields + b"\r\n" + body


def sized(fields: bytes = b"", body: bytes = BODY, line: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    return ok(b"Content-Length: %d\r\n" % len(body) + fields, body, line)


CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
