"""Chunks, cuts, bytes behind answers, answers that have no body, interim answers, and fields of one hop."""

from ..smuggling.payload import show
from .payload import BODY, CHUNKED, CHUNKS, FORGED, Answer, Answers, End, Should, ok, sized

REFUSE, FORWARD, EITHER = Should.REFUSE, Should.FORWARD, Should.EITHER


def chunks() -> Answers:
    bad = [b"+5", b"-5", b"0x5", b" 5", b"\t5", b"", b"g", b"5g", b"5 5", b"5,", b"5.", b"five", b"\0", b"5\0", b"5\v"]
    bad += [b"fffffffffffffffb", b"8000000000000005", b"10000000000000005", b"ffffffffffffffffb", b"5;a\0b", b"5;a\rb"]
    bad += [b"5;a\nb", b"5\n", b"5\r", b"5;\n", b"5;a=\x01", b"5;a=\x7f", b"5;" + b"x" * 100_000, b"0" * 9000 + b"5"]
    odd = [
        b"5 ",
        b"5\t",
        b"5;",
        b"5;a",
        b"5 ; a = b",
        b'5;a="b c"',
        b"5;a=\x80\xff",
        b"0" * 15 + b"5",
        b"0" * 16 + b"5",
        b"5;" + b"x" * 4000,
    ]
    for line in [b"5", b"05", b"0005"]:
        yield Answer(f"chunk line {show(line)}", ok(CHUNKED, line + CHUNKS[1:]), FORWARD)
    for line in bad + odd:
        should = REFUSE if line in bad else EITHER
        yield Answer(f"chunk line {show(line)}", ok(CHUNKED, line + CHUNKS[1:]), should, end=End.FIN)
        second = b"5\r\nhello\r\n" + line + CHUNKS[1:]
        yield Answer(f"second chunk line {show(line)}", ok(CHUNKED, second), should, BODY * 2, End.FIN)
    for end in (b"", b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"xx", b"\0\0", b" \r\n", b"!\r\n", b"\r\n\r\n"):
        yield Answer(
            f"a chunk ended by {show(end)}", ok(CHUNKED, b"5\r\nhello" + end + b"0\r\n\r\n"), REFUSE, end=End.FIN
        )
    for last in (
        b"0\n\r\n",
        b"0\r\n\n",
        b"0\r\r\n\r\n",
        b"0\r\n\r\r\n",
        b"-0\r\n\r\n",
        b"0x0\r\n\r\n",
        b"0\r\n \r\n\r\n",
        b"\r\n\r\n",
    ):
        yield Answer(f"the last chunk {show(last)}", ok(CHUNKED, b"5\r\nhello\r\n" + last), REFUSE, end=End.FIN)
    for last in (b"00\r\n\r\n", b"0000000\r\n\r\n", b"0;a=b\r\n\r\n", b"0 \r\n\r\n"):
        yield Answer(f"the last chunk {show(last)}", ok(CHUNKED, b"5\r\nhello\r\n" + last), EITHER)
    yield Answer("10,000 chunks of one", ok(CHUNKED, b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n"), FORWARD, b"x" * 10_000)


def trailers() -> Answers:
    def trailed(lines: bytes) -> bytes:
        return ok(CHUNKED, b"5\r\nhello\r\n0\r\n" + lines + b"\r\n")

    yield Answer("a trailer", trailed(b"X-Check: 1\r\n"), FORWARD)
    for name in ("Content-Length: 0", "Transfer-Encoding: chunked", "Connection: close", "Host: x", "Trailer: X"):
        yield Answer(f"trailer {name}", trailed(name.encode() + b"\r\n"), EITHER, absent=b"FORGED")
    for name in ("Set-Cookie", "WWW-Authenticate", "Authorization", "Location", "Cache-Control", "Content-Type"):
        yield Answer(f"trailer {name}", trailed(name.encode() + b": FORGED\r\n"), EITHER)
    for line in (
        b"X",
        b": y",
        b" X: y",
        b"X: a\r\n b",
        b"X: a\nY: b",
        b"X: a\rb",
        b"X: a\0b",
        b"X\0: y",
        b"X: a\r\r\n",
        b"X Y: z",
        b"X : y",
    ):
        yield Answer(f"trailer {show(line)}", trailed(line + b"\r\n"), REFUSE, end=End.FIN)
    yield Answer("trailers of 1 MB", trailed(b"X: " + b"y" * 1000 + b"\r\n" * 1), FORWARD)
    yield Answer("1,000 trailers", trailed(b"X: y\r\n" * 1000), EITHER, end=End.FIN)
    yield Answer("trailers without end", trailed(b"X: yyyyyyyyyyyy\r\n" * 100_000), REFUSE, end=End.FIN)
    yield Answer("a forged answer for a trailer", trailed(FORGED), REFUSE, end=End.FIN)


def cuts() -> Answers:
    whole = b"5;a\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n"
    for end in (End.FIN, End.RESET):
        for at in range(len(whole)):
            yield Answer(f"chunks cut at {at}, {end.value}", ok(CHUNKED, whole[:at]), REFUSE, end=end)
        for at in range(5):
            yield Answer(f"a body cut at {at}, {end.value}", ok(b"Content-Length: 5\r\n", BODY[:at]), REFUSE, end=end)
        big = ok(b"Content-Length: 1000000\r\n", b"x" * 999_999)
        yield Answer(f"a large body cut at its last byte, {end.value}", big, REFUSE, end=end)
    for line in (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n"):
        for fields in (b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n"):
            name = f"{show(line)} {show(fields)} until the end"
            yield Answer(name, ok(fields, BODY, line), FORWARD, end=End.FIN)
            yield Answer(f"{name}, empty", ok(fields, b"", line), FORWARD, b"", End.FIN)
            yield Answer(f"{name}, which is a reset", ok(fields, BODY, line), REFUSE, end=End.RESET)
            forged = ok(fields, BODY + b"\r\n" + FORGED.replace(b"FORGED", b"within"), line)
            yield Answer(f"{name}, with an answer within", forged, FORWARD, forged[-len(FORGED) - 7 :], End.FIN)


def behind() -> Answers:
    """Bytes behind an answer, at once or when the connection may have gone back: the next answer must not be they."""
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: FORGED\r\n\r\n"
    extras = {
        "an answer": FORGED,
        "blank lines": b"\r\n\r\n",
        "a byte": b"x",
        "NUL": b"\0",
        "an interim answer": interim,
    }
    extras |= {"half an answer": FORGED[:30], "a 408": FORGED.replace(b"200 OK", b"408 x"), "64 kB": b"FORGED" * 11_000}
    extras |= {"two answers": FORGED * 2, "an HTTP/1.0 answer": b"HTTP/1.0 200 OK\r\n\r\nFORGED"}
    bodiless = ok(b"Content-Length: 5\r\n")
    answers = {
        "a length": (sized(), BODY, b"GET", 200),
        "length 0": (ok(b"Content-Length: 0\r\n"), b"", b"GET", 200),
        "chunks": (ok(CHUNKED, CHUNKS), BODY, b"GET", 200),
        "chunks with trailers": (ok(CHUNKED, CHUNKS[:-2] + b"X: y\r\n\r\n"), BODY, b"GET", 200),
        "a 204": (ok(line=b"HTTP/1.1 204 x\r\n"), b"", b"GET", 204),
        "a 304": (ok(line=b"HTTP/1.1 304 x\r\n"), b"", b"GET", 304),
        "a 304 with a length": (ok(b"Content-Length: 5\r\n", line=b"HTTP/1.1 304 x\r\n"), b"", b"GET", 304),
        "an answer to HEAD": (bodiless, b"", b"HEAD", 200),
        "an answer to HEAD with chunks": (ok(CHUNKED), b"", b"HEAD", 200),
        "keep-alive of HTTP/1.0": (
            sized(b"Connection: keep-alive\r\n", line=b"HTTP/1.0 200 OK\r\n"),
            BODY,
            b"GET",
            200,
        ),
        "a body of 1 MB": (sized(body=b"x" * (1 << 20)), b"x" * (1 << 20), b"GET", 200),
    }
    for what, (data, body, method, status) in answers.items():
        for extra, more in extras.items():
            rest = {"method": method, "statuses": (status,)}
            yield Answer(f"{extra} behind {what}", data + more, EITHER, body, **rest)
            yield Answer(f"{extra} late behind {what}", data, EITHER, body, late=more, **rest)
        yield Answer(f"the end behind {what}", data, FORWARD, body, End.FIN, method=method, statuses=(status,))
        yield Answer(f"{what}, nothing behind", data, FORWARD, body, method=method, statuses=(status,))


def bodiless() -> Answers:
    """Bodies where there can be none (RFC 9110 6.4.1): bytes of them are bytes behind the answer."""
    for status in (204, 304):
        line = b"HTTP/1.1 %d x\r\n" % status
        for fields, body in (
            (b"Content-Length: 5\r\n", BODY),
            (CHUNKED, CHUNKS),
            (b"", BODY),
            (b"Content-Length: 0\r\n", b""),
        ):
            for end in (End.KEEP, End.FIN):
                name = f"{status} with {show(fields)} and {show(body)}, {end.value}"
                yield Answer(name, ok(fields, body, line), EITHER, b"", end, statuses=(status,), absent=b"hello")
    for fields, body in ((b"Content-Length: 5\r\n", BODY), (CHUNKED, CHUNKS), (b"", BODY)):
        for end in (End.KEEP, End.FIN):
            name = f"HEAD with {show(fields)} and {show(body)}, {end.value}"
            yield Answer(name, ok(fields, body), EITHER, b"", end, method=b"HEAD", absent=b"hello")
    yield Answer("205 with a body", sized(line=b"HTTP/1.1 205 x\r\n"), EITHER, statuses=(205,))
    yield Answer("HEAD, 204", ok(line=b"HTTP/1.1 204 x\r\n"), FORWARD, b"", method=b"HEAD", statuses=(204,))


def interims() -> Answers:
    def interim(status: int, fields: bytes = b"", body: bytes = b"") -> bytes:
        return ok(fields, body, b"HTTP/1.1 %d x\r\n" % status)

    for status in (100, 102, 103, 104, 199):
        yield Answer(f"{status} unasked", interim(status) + sized(), EITHER if status != 103 else FORWARD)
        yield Answer(f"{status} alone", interim(status), REFUSE, end=End.FIN)
        yield Answer(f"{status} alone, a reset", interim(status), REFUSE, end=End.RESET)
        yield Answer(
            f"{status} with a length", interim(status, b"Content-Length: 5\r\n", BODY) + sized(), REFUSE, end=End.FIN
        )
        yield Answer(f"{status} with chunks", interim(status, CHUNKED, CHUNKS) + sized(), REFUSE, end=End.FIN)
        yield Answer(
            f"{status} with length 0", interim(status, b"Content-Length: 0\r\n") + sized(), EITHER, end=End.FIN
        )
        yield Answer(f"{status} in HTTP/1.0", interim(status).replace(b"/1.1", b"/1.0") + sized(), EITHER, end=End.FIN)
        yield Answer(f"{status} with a bad field", interim(status, b"X Y: z\r\n") + sized(), REFUSE, end=End.FIN)
        yield Answer(f"{status} with Connection: close", interim(status, b"Connection: close\r\n") + sized(), EITHER)
    for count in (2, 10):
        yield Answer(f"{count} hints", interim(103, b"Link: <x>\r\n") * count + sized(), FORWARD)
    for count in (100, 1000):
        yield Answer(f"{count} hints", interim(103, b"Link: <x>\r\n") * count + sized(), EITHER, end=End.FIN)
    yield Answer("hints without end", interim(103, b"Link: <x>\r\n") * 50_000, REFUSE, end=End.FIN)
    yield Answer("continues without end", interim(100) * 100_000, REFUSE, end=End.FIN)
    for fields in (b"", b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n"):
        yield Answer(f"101 unasked, {show(fields)}", interim(101, fields) + sized(), REFUSE, end=End.FIN)
        late = interim(103) + interim(101, fields) + FORGED
        yield Answer(f"101 unasked behind hints, {show(fields)}", late, REFUSE, end=End.FIN)


def hops() -> Answers:
    for named in (b"Content-Length", b"content-length, close", b"Transfer-Encoding", b"Date", b"X-Hop"):
        fields = b"Connection: " + named + b"\r\nX-Other: y\r\n"
        yield Answer(f"Connection: {show(named)}, a length", sized(fields), EITHER)
        yield Answer(f"Connection: {show(named)}, chunks", ok(fields + CHUNKED, CHUNKS), EITHER)
    for fields in (b"Connection: x-hop\r\nX-Hop: gone\r\n", b"X-Hop: gone\r\nconnection: close, X-HOP\r\n"):
        yield Answer(f"named in Connection: {show(fields)}", sized(fields), FORWARD, absent=b"gone")
    for name in (b"Keep-Alive", b"Proxy-Connection", b"Upgrade"):
        yield Answer(f"{show(name)} is of this hop", sized(name + b": gone\r\n"), FORWARD, absent=b"gone")
    yield Answer("the edge's own refusal", sized(b"Epr-Refusal: FORGED\r\n"), FORWARD)


def upgrades() -> Answers:
    """Answers to who asks for a WebSocket over HTTP/1.1: no tunnel but behind a 101 that says so (RFC 9110 7.8)."""
    asks = b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    asks += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    line = b"HTTP/1.1 101 x\r\n"
    upgrade = b"Connection: upgrade\r\nUpgrade: %s\r\n"
    odd = [b"", b"Upgrade: websocket\r\n", b"Connection: upgrade\r\n", b"Connection: close\r\nUpgrade: websocket\r\n"]
    odd += [upgrade % other for other in (b"h2c", b"TLS/1.3", b"websockets", b"websocket, h2c", b"h2c, websocket", b"")]
    for fields in odd:
        yield Answer(f"101 with {show(fields)}", ok(fields, FORGED, line), REFUSE, end=End.FIN, asks=asks)
    old = ok(upgrade % b"websocket", FORGED, b"HTTP/1.0 101 x\r\n")
    yield Answer("101 in HTTP/1.0", old, REFUSE, end=End.FIN, asks=asks)
    for status in (200, 204, 400, 403, 426, 500):
        data = sized(line=b"HTTP/1.1 %d x\r\n" % status) if status != 204 else ok(line=b"HTTP/1.1 204 x\r\n")
        body = b"" if status == 204 else BODY
        yield Answer(f"{status} instead of 101", data, EITHER, body, asks=asks, statuses=(status,))
        yield Answer(
            f"{status} instead of 101, more behind", data + FORGED, EITHER, body, asks=asks, statuses=(status,)
        )
