"""`ClientHello`s written by hand (RFC 8446 4.1.2), and ways to send them."""

import struct

X25519, P256, MLKEM = 29, 23, 4588
GREASE = 0x0A0A
CIPHERS = (0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F)


def sized(data: bytes, octets: int = 2) -> bytes:
    return len(data).to_bytes(octets, "big") + data


def extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!H", kind) + sized(body)


def server_name(name: bytes, kind: int = 0) -> bytes:
    return extension(0, sized(bytes([kind]) + sized(name)))


def shares(*groups: tuple[int, bytes]) -> bytes:
    return extension(51, sized(b"".join(struct.pack("!H", group) + sized(key) for group, key in groups)))


def alpn(*names: bytes) -> bytes:
    return extension(16, sized(b"".join(sized(name, 1) for name in names)))


def extensions(name: bytes | None) -> list[bytes]:
    """What clients of today send, in an order of theirs."""
    named = [] if name is None else [server_name(name)]
    return [
        *named,
        extension(23, b""),
        extension(0xFF01, b"\0"),
        extension(10, sized(struct.pack("!2H", X25519, P256))),
        extension(11, b"\1\0"),
        extension(35, b""),
        alpn(b"http/1.1"),
        extension(13, sized(bytes.fromhex("0403080408070503080506030806"))),
        # A base point multiple that is not secret, for nobody goes on from here.
        shares((X25519, bytes([9]) + bytes(31))),
        extension(45, b"\1\1"),
        extension(43, sized(struct.pack("!2H", 0x0304, 0x0303), 1)),
    ]


def message(
    parts: list[bytes],
    *,
    version: int = 0x0303,
    session: bytes = bytes(32),
    ciphers: tuple[int, ...] = CIPHERS,
    compressions: bytes = b"\0",
    kind: int = 1,
    behind: bytes = b"",
    without_extensions: bool = False,
) -> bytes:
    """The handshake message, without records."""
    body = struct.pack("!H", version) + bytes(range(32)) + sized(session, 1)
    body += sized(b"".join(struct.pack("!H", cipher) for cipher in ciphers)) + sized(compressions, 1)
    body += b"" if without_extensions else sized(b"".join(parts))
    return bytes([kind]) + sized(body + behind, 3)


def usual(name: bytes | None) -> bytes:
    return message(extensions(name))


def record(fragment: bytes, version: int = 0x0301, kind: int = 22) -> bytes:
    return struct.pack("!BH", kind, version) + sized(fragment)


def records(data: bytes, size: int) -> bytes:
    return b"".join(record(data[at : at + size]) for at in range(0, len(data), size))
