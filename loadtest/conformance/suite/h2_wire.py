"""HTTP/2 frames written by hand (RFC 9113 4.1, RFC 7541), and a peer that says what came back."""

import contextlib
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import hpack

from .edge import Edge
from .wire import tls

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITIZED, ACK = 1, 4, 8, 32, 1
NO_ERROR, PROTOCOL, INTERNAL, FLOW_CONTROL, _, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
CALM = 11

Fields = list[tuple[bytes, bytes]]


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload


def integer(value: int, bits: int) -> bytes:
    """An integer with a prefix of so many bits (RFC 7541 5.1), with zeros before it."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    value, out = value - most, [most]
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def block(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Literals without indexing and without Huffman (RFC 7541 6.2.2)."""
    literals = (integer(len(n), 7) + n + integer(len(v), 7) + v for n, v in fields)
    return b"".join(b"\0" + literal for literal in literals)


def headers(stream: int, fields: Fields | bytes, flags: int = END_STREAM | END_HEADERS) -> bytes:
    return frame(HEADERS, flags, stream, fields if isinstance(fields, bytes) else block(fields))


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, payload=b"".join(struct.pack("!HI", *pair) for pair in pairs))


def window(stream: int, by: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", by))


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack("!I", code))


@dataclass
class Said:
    """What the other side said so far."""

    statuses: dict[int, int] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)
    resets: dict[int, int] = field(default_factory=dict)
    goaway: int | None = None
    closed: bool = False
    settings: dict[int, int] = field(default_factory=dict)
    windows: dict[int, int] = field(default_factory=dict)
    fields: dict[int, list[Fields]] = field(default_factory=dict)
    frames: list[tuple[int, int, int, bytes]] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"statuses {self.statuses}", f"resets {self.resets}", f"GOAWAY {self.goaway}"]
        return ", ".join(parts) + (", closed" if self.closed else "")


class Peer:
    """A client that sends what it is told. Windows are opened wide unless `first` says otherwise."""

    def __init__(self, edge: Edge, name: str, first: bytes | None = None, preface: bytes = PREFACE):
        self.stream = tls(edge.https, name, edge.ca, alpn=("h2",))
        self.sent: dict[int, int] = {}
        self.said, self._data, self._block, self._decoder = Said(), b"", b"", hpack.Decoder(1 << 22)
        self.send(preface + (settings((4, 1 << 30)) + window(0, 1 << 30) if first is None else first))

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_) -> None:
        self.stream.close()

    def send(self, data: bytes) -> bool:
        """Whether the other side still takes it."""
        try:
            self.stream.settimeout(5)
            self.stream.sendall(data)
        except OSError:
            return False
        return True

    def hear(self, until, within: float = 3.0) -> Said:
        """Reads until `until(said)`, or the end, or no more time."""
        deadline = time.monotonic() + within
        while not until(self.said) and not self.said.closed and (left := deadline - time.monotonic()) > 0:
            self.stream.settimeout(left)
            try:
                data = self.stream.recv(65536)
            except TimeoutError:
                break
            except OSError:
                data = b""
            self.said.closed = not data
            self._data += data
            self._take()
        return self.said

    def over(self, *streams: int, within: float = 3.0) -> Said:
        """Until these streams are over, or all is."""
        return self.hear(lambda said: said.goaway is not None or set(streams) <= said.over, within)

    def _take(self) -> None:
        while len(self._data) >= 9:
            size = int.from_bytes(self._data[:3], "big")
            kind, flags, stream = struct.unpack("!BBI", self._data[3:9])
            if len(self._data) < 9 + size:
                return
            payload, self._data = self._data[9 : 9 + size], self._data[9 + size :]
            self.said.frames.append((kind, flags, stream, payload))
            self._note(kind, flags, stream, payload)

    def _note(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        said = self.said
        if kind in (HEADERS, CONTINUATION):
            self._block += payload
            if flags & END_HEADERS:
                self._note_fields(stream)
        elif kind == DATA:
            said.bodies[stream] = said.bodies.get(stream, b"") + payload
        elif kind == RST_STREAM:
            said.resets.setdefault(stream, int.from_bytes(payload, "big"))
            said.over.add(stream)
        elif kind == GOAWAY and (code := int.from_bytes(payload[4:8], "big")) != NO_ERROR:
            said.goaway = code
        elif kind == WINDOW_UPDATE:
            said.windows[stream] = said.windows.get(stream, 0) + int.from_bytes(payload, "big")
        elif kind == SETTINGS and not flags & ACK:
            said.settings |= {key: value for key, value in struct.iter_unpack("!HI", payload)}
            self.send(frame(SETTINGS, ACK))
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            said.over.add(stream)

    def _note_fields(self, stream: int) -> None:
        with contextlib.suppress(hpack.HPACKError):
            block = [(bytes(name), bytes(value)) for name, value in self._decoder.decode(self._block, raw=True)]
            self.said.fields.setdefault(stream, []).append(block)
            if status := dict(block).get(b":status"):
                self.said.statuses[stream] = int(status)
        self._block = b""
