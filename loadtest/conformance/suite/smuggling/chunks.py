"""Chunk lines, what is behind chunks, and trailers."""

from .payload import EVIL, INNER, SECOND, Payload, Payloads, Should, post, posted, show

FIELD = b"Transfer-Encoding: chunked\r\n"
BOTH = (posted(b"hello"), SECOND)

# Chunk lines that somebody may take for a size of 5, with their line ends.
LINES = [
    b"+5\r\n",
    b"-5\r\n",
    b"0x5\r\n",
    b"0X5\r\n",
    b"x5\r\n",
    b"5x\r\n",
    b"5g\r\n",
    b"5_\r\n",
    b"5.0\r\n",
    b"5,\r\n",
    b"5,5\r\n",
]
LINES += [
    b" 5\r\n",
    b"\t5\r\n",
    b"\x0b5\r\n",
    b"\x005\r\n",
    b"5\x00\r\n",
    b"5\x0b\r\n",
    b"5\xa0\r\n",
    b"5\xff\r\n",
    b'"5"\r\n',
]
LINES += [
    b"\r\n",
    b"\n",
    b";\r\n",
    b";5\r\n",
    b"5\n",
    b"5\r",
    b"5\r\r\n",
    b"5\n\r\n",
    b"5\n\r",
    b"5\r\n\r\n",
    b"5 5\r\n",
    b"5 x\r\n",
]
LINES += [
    b"5;\n",
    b"5;a\n",
    b"5;a\r",
    b"5;a=b\n",
    b"5;\n;\r\n",
    b"5;a\r\r\n",
    b"5;a\rb\r\n",
    b"5;a\nb\r\n",
    b"5;a\x00b\r\n",
    b"5;\x0b\r\n",
]
LINES += [
    b'5;a="\r\n',
    b'5;a="b\r\n',
    b'5;a="\n"\r\n',
    b'5;a="\r"\r\n',
    b'5;a="\x00"\r\n',
    b"5;a=\x7f\r\n",
    b"5;a\x01=b\r\n",
]
LINES += [
    b"fffffffffffffffb\r\n",
    b"ffffffffffffffff\r\n",
    b"10000000000000005\r\n",
    b"100000005x\r\n",
    b"8000000000000005\r\n",
]
LINES += [
    b"f" * 40 + b"\r\n",
    b"5;" + b"a" * 200_000 + b"\r\n",
    b"five\r\n",
    b"=5\r\n",
    b"#5\r\n",
    b"(5)\r\n",
    b"\xef\xbc\x95\r\n",
]
# Sizes that are in order, and extensions (RFC 9112 7.1.1); a recipient may find them too long.
LAWFUL_LINES = [
    b"05\r\n",
    b"0005\r\n",
    b"0000000000000005\r\n",
    b"000000000000000000005\r\n",
    b"5;a\r\n",
    b"5;a=b\r\n",
    b'5;a="b c"\r\n',
]
LAWFUL_LINES += [
    b'5;a="b;c"\r\n',
    b'5;a="\\""\r\n',
    b"5;a;b;c=d\r\n",
    b"5 ;a\r\n",
    b"5 ; a = b\r\n",
    b"5\t;\ta\r\n",
    b'5;a="\xff"\r\n',
]
LAWFUL_LINES += [
    b"5 \r\n",
    b"5\t\r\n",
    b"5;\r\n",
    b"5;;\r\n",
    b"5;a=\r\n",
    b"5; \r\n",
    b"5;a=b c\r\n",
    b"5;=b\r\n",
    b"5;a b\r\n",
    b"5;" + b"a" * 100 + b"\r\n",
]
# What may stand behind the data of a chunk instead of CRLF.
BEHIND = [
    b"",
    b"\n",
    b"\r",
    b"\r\r\n",
    b"\n\r",
    b" \r\n",
    b"\r\n\r\n",
    b"x",
    b"xx",
    b"\x00\r\n",
    b"\n\n",
    b"\r\n ",
    b"xx\r\n",
    b"\r\n\n",
]
# The end of a body, for `0\r\n\r\n`.
ENDS = [
    b"0\n\n",
    b"0\r\n\n",
    b"0\n\r\n",
    b"0\r\r\n\r\n",
    b"0\r\n\r",
    b"-0\r\n\r\n",
    b"+0\r\n\r\n",
    b"0x0\r\n\r\n",
    b"\r\n\r\n",
    b"0\x00\r\n\r\n",
]
ENDS += [b" 0\r\n\r\n", b"0\r\r", b"0;\n\r\n", b"0;a\n\r\n", b"g\r\n\r\n", b"0_\r\n\r\n", b"0.\r\n\r\n", b"0,\r\n\r\n"]
GOOD_ENDS = [
    b"0\r\n\r\n",
    b"00\r\n\r\n",
    b"0000000\r\n\r\n",
    b"0;a\r\n\r\n",
    b'0;a="b"\r\n\r\n',
    b"0\r\nX: y\r\n\r\n",
    b"0\r\nX: y\r\nZ:\r\n\r\n",
]
LAWFUL_ENDS = [b"0 \r\n\r\n", b"0000000000000000000000\r\n\r\n", b"0;\r\n\r\n"]
# Trailers that are no fields, or that would say how the message is framed or where it goes (RFC 9110 6.5.1).
TRAILERS = [
    b"X : y\r\n",
    b" X: y\r\n",
    b"X\r\n",
    b": y\r\n",
    b"X: y\n",
    b"X: \x00\r\n",
    b"X: a\rb\r\n",
    b"X: y\r\n z\r\n",
    b"X\x00: y\r\n",
]
TRAILERS += [
    b"X: \x01\r\n",
    b"X(: y\r\n",
    b"\x00\r\n",
    b"X: y\r\r\n",
    b"X: " + b"y" * 200_000 + b"\r\n",
    b"X: y\r\n" * 20_000,
]
FORBIDDEN = [
    b"Content-Length: 50",
    b"Transfer-Encoding: chunked",
    b"Host: other.ep-r.io",
    b"Connection: close",
    b"Upgrade: websocket",
]
FORBIDDEN += [
    b"X-Forwarded-For: 1.2.3.4",
    b"Content_Length: 5",
    b"Authorization: x",
    b"Trailer: X",
    b"TE: trailers",
    b"Expect: 100-continue",
]


def chunks() -> Payloads:
    for line in LINES:
        data = post(FIELD, line + b"hello\r\n0\r\n\r\n" + EVIL)
        yield Payload(f"chunk line {show(line)}", data, Should.REFUSE)
        second = post(FIELD, b"5\r\nhello\r\n" + line + b"hello\r\n0\r\n\r\n" + EVIL)
        yield Payload(f"second chunk line {show(line)}", second, Should.REFUSE)
    for line in LAWFUL_LINES:
        yield Payload(
            f"lawful chunk line {show(line)}", post(FIELD, line + b"hello\r\n0\r\n\r\n" + EVIL), Should.MAY, BOTH
        )
    for behind in BEHIND:
        data = post(FIELD, b"5\r\nhello" + behind + b"0\r\n\r\n" + EVIL)
        yield Payload(f"behind a chunk {show(behind)}", data, Should.REFUSE)
    yield Payload("a chunk longer than it says", post(FIELD, b"4\r\nhello\r\n0\r\n\r\n" + EVIL), Should.REFUSE)
    yield Payload("a chunk shorter than it says", post(FIELD, b"6\r\nhello\r\n0\r\n\r\n" + EVIL), Should.REFUSE)
    inner = b"0\r\n\r\n" + INNER
    hidden = post(FIELD, b"%x\r\n" % 0x2000 + inner.ljust(0x2000) + b"\r\n0\r\n\r\n" + EVIL)
    padded = inner.ljust(0x2000)
    yield Payload("a request inside a chunk", hidden, Should.FORWARD, (posted(padded), SECOND))
    many = b"".join(b"1\r\n%c\r\n" % byte for byte in b"abcdefghij" * 200)
    yield Payload(
        "chunks of one byte",
        post(FIELD, many + b"0\r\n\r\n" + EVIL),
        Should.FORWARD,
        (posted(b"abcdefghij" * 200), SECOND),
    )
    extensions = b"".join(b"1;" + b"e" * 4000 + b"\r\na\r\n" for _ in range(200))
    yield Payload(
        "far more extension than data",
        post(FIELD, extensions + b"0\r\n\r\n" + EVIL),
        Should.MAY,
        (posted(b"a" * 200), SECOND),
    )


def ends() -> Payloads:
    for end in ENDS:
        yield Payload(f"end {show(end)}", post(FIELD, b"5\r\nhello\r\n" + end + EVIL), Should.REFUSE)
        yield Payload(f"end at once {show(end)}", post(FIELD, end + EVIL), Should.REFUSE)
    for end in GOOD_ENDS:
        yield Payload(f"good end {show(end)}", post(FIELD, b"5\r\nhello\r\n" + end + EVIL), Should.FORWARD, BOTH)
    for end in LAWFUL_ENDS:
        yield Payload(f"lawful end {show(end)}", post(FIELD, b"5\r\nhello\r\n" + end + EVIL), Should.MAY, BOTH)
    for trailer in TRAILERS:
        data = post(FIELD, b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n" + EVIL)
        yield Payload(f"trailer {show(trailer)}", data, Should.REFUSE)
    for trailer in FORBIDDEN:
        data = post(FIELD, b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n" + EVIL)
        yield Payload(f"forbidden trailer {show(trailer)}", data, Should.MAY, BOTH)
        announced = post(
            FIELD + b"Trailer: " + trailer.split(b":")[0] + b"\r\n",
            b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n" + EVIL,
        )
        yield Payload(f"announced trailer {show(trailer)}", announced, Should.MAY, BOTH)
