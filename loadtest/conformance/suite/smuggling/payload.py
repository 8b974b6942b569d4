"""What a payload is, and how its bytes are put together."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

HOST = b"@HOST@"
ID = b"@ID@"
# The request that must not come out of another one's body.
EVIL = b"GET /@ID@/evil HTTP/1.1\r\nHost: @HOST@\r\n\r\n"

# The same where its length must be known: no request of ours has this target.
INNER = b"GET /evil HTTP/1.1\r\nHost: inner\r\n\r\n"


class Should(Enum):
    """What the RFCs want of an edge."""

    REFUSE = "refuse"
    """The faulty request must not be forwarded."""
    MAY = "may"
    """It may be refused, or forwarded in one framing, as `then` says."""
    FORWARD = "forward"
    """It is in order: it must be forwarded as `then` says."""


@dataclass(frozen=True)
class Seen:
    """A request as a backend should see it; `target` none where it does not matter."""

    method: bytes
    target: bytes | None
    body: bytes = b""


@dataclass(frozen=True)
class Payload:
    """Bytes of one client connection, and which requests of it a backend may see."""

    name: str
    data: bytes
    should: Should
    then: tuple[Seen, ...] = ()


FIRST = b"/@ID@/first"
SECOND = Seen(b"GET", b"/@ID@/evil")
Payloads = Iterator[Payload]


def post(fields: bytes, body: bytes, host: bytes = b"Host: @HOST@\r\n", method: bytes = b"POST") -> bytes:
    """A request with these field lines, each with its line end."""
    return method + b" " + FIRST + b" HTTP/1.1\r\n" + host + fields + b"\r\n" + body


def get(
    fields: bytes = b"", host: bytes = b"Host: @HOST@\r\n", line: bytes = b"GET " + FIRST + b" HTTP/1.1\r\n"
) -> bytes:
    return line + host + fields + b"\r\n"


def posted(body: bytes) -> Seen:
    return Seen(b"POST", FIRST, body)


def got(method: bytes = b"GET") -> Seen:
    return Seen(method, FIRST)


def show(data: bytes) -> str:
    """Bytes in a name."""
    text = data.decode("latin-1").encode("unicode_escape").decode()
    return text if len(text) <= 60 else f"{text[:40]}…{len(data)}"
