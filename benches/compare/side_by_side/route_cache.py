"""The route cache a proxy starts from (proxy/src/routes/cache.rs), so that its table needs no control."""

import hashlib
import struct
from collections.abc import Iterable
from pathlib import Path

from .cells import Duty

PROTOCOLS = {Duty.HTTP: 1, Duty.HTTPS: 2, Duty.PASSTHROUGH: 3}
HTTP1 = 1


def write(path: Path, duty: Duty, hosts: Iterable[str], count: int, backend: str):
    """One endpoint of one deployment, with a route for every host."""
    binding = text(1, "dep-" + "a" * 20) + text(2, "WEB") + number(3, PROTOCOLS[duty])
    binding += number(4, HTTP1) + text(5, text(1, backend))
    rest = text(2, "project-" + "a" * 20) + text(4, binding)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        def put(part: bytes):
            digest.update(part)
            file.write(part)

        put(b"EPRROUTE" + struct.pack("<IQQQ", 1, 1, 1, count))
        for host in hosts:
            route = text(1, host) + rest
            put(struct.pack("<I", len(route)) + route)
        file.write(digest.digest())


def text(field: int, value: str | bytes) -> bytes:
    """A length-delimited field of a protobuf message."""
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
