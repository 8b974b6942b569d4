"""Sockets for cases: bytes sent as they are, and what came back until the end."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Address = tuple[str, int]


@dataclass(frozen=True)
class Heard:
    """What a peer said, and how it ended: `fin`, `reset`, or `quiet` when it did not end within its time."""

    data: bytes
    end: str

    @property
    def statuses(self) -> list[int]:
        """Status of each HTTP/1.1 answer, as far as they are to be told by their status lines."""
        parts = self.data.split(b"HTTP/1.1 ")[1:]
        return [int(part[:3]) for part in parts if part[:3].isdigit()]


def connect(to: Address, timeout: float = 5.0) -> socket.socket:
    stream = socket.create_connection(to, timeout)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def tls(to: Address, name: str, ca: Path, alpn: Iterable[str] = ("http/1.1",), timeout: float = 5.0) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(list(alpn))
    return context.wrap_socket(connect(to, timeout), server_hostname=name)


def hear(stream: socket.socket, within: float = 5.0) -> Heard:
    """All there is until the end."""
    data, deadline = b"", time.monotonic() + within
    while (left := deadline - time.monotonic()) > 0:
        stream.settimeout(left)
        try:
            chunk = stream.recv(65536)
        except TimeoutError:
            break
        except ssl.SSLEOFError:
            return Heard(data, "fin")
        except (ssl.SSLError, OSError):
            return Heard(data, "reset")
        if not chunk:
            return Heard(data, "fin")
        data += chunk
    return Heard(data, "quiet")


def converse(stream: socket.socket, parts: Iterable[bytes], shut: bool, within: float = 5.0, pause: float = 0) -> Heard:
    """Sends each part by itself, shuts the sending side if told to, then hears to the end."""
    with stream:
        try:
            for index, part in enumerate(parts):
                if index and pause:
                    time.sleep(pause)
                stream.sendall(part)
        except OSError:
            return hear(stream, within)
        if shut:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(stream, socket.SHUT_WR)
        return hear(stream, within)
