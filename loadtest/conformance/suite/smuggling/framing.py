"""Two ways to say how long a body is, and odd ways to say one."""

from .payload import EVIL, INNER, SECOND, Payload, Payloads, Should, post, posted, show

CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"
EMPTY = b"0\r\n\r\n"

# Field lines that somebody may take for `Transfer-Encoding: chunked`.
CODINGS = [
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunkedx\r\n",
    b"Transfer-Encoding: chunke\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding\t: chunked\r\n",
    b"Transfer-Encoding\x0b: chunked\r\n",
    b"Transfer-Encoding\x0c: chunked\r\n",
    b"Transfer-Encoding\x00: chunked\r\n",
    b"Transfer-Encoding\xa0: chunked\r\n",
    b"Transfer-Encoding\r\n : chunked\r\n",
    b"Transfer-Encoding\n: chunked\r\n",
    b"Transfer-Encoding\r: chunked\r\n",
    b" Transfer-Encoding: chunked\r\n",
    b"\tTransfer-Encoding: chunked\r\n",
    b"\x0bTransfer-Encoding: chunked\r\n",
    b"\x00Transfer-Encoding: chunked\r\n",
    b"\xffTransfer-Encoding: chunked\r\n",
    b"Transfer Encoding: chunked\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n",
    b"Transfer-Encoding: \x0bchunked\r\n",
    b"Transfer-Encoding: \x0cchunked\r\n",
    b"Transfer-Encoding: \x00chunked\r\n",
    b"Transfer-Encoding: chunked\x00\r\n",
    b"Transfer-Encoding: chunked\x0b\r\n",
    b"Transfer-Encoding: chunked\x0c\r\n",
    b"Transfer-Encoding: chunked\x1f\r\n",
    b"Transfer-Encoding: chunked\x7f\r\n",
    b"Transfer-Encoding: \xa0chunked\r\n",
    b"Transfer-Encoding: \x85chunked\r\n",
    b"Transfer-Encoding: chunked\xa0\r\n",
    b"Transfer-Encoding: \xffchunked\r\n",
    b"Transfer-Encoding: \xef\xbb\xbfchunked\r\n",
    b"Transfer-Encoding: ch\xc3\xbcnked\r\n",
    b"Transfer-Encoding: chun\xe2\x84\xaaed\r\n",
    b'Transfer-Encoding: "chunked"\r\n',
    b"Transfer-Encoding: 'chunked'\r\n",
    b"Transfer-Encoding: chunked;q=1\r\n",
    b"Transfer-Encoding: chunked; x\r\n",
    b"Transfer-Encoding: chunked;\r\n",
    b"Transfer-Encoding: chunked chunked\r\n",
    b"Transfer-Encoding: chunked identity\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: identity, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: chunked, gzip\r\n",
    b"Transfer-Encoding: cow\r\n",
    b"Transfer-Encoding: trailers\r\n",
    b"Transfer-Encoding: \r\n",
    b"Transfer-Encoding:\r\n",
    b"Transfer-Encoding: ,\r\n",
    b"Transfer-Encoding: :chunked\r\n",
    b"Transfer-Encoding:: chunked\r\n",
    b"Transfer-Encoding; chunked\r\n",
    b"Transfer-Encoding= chunked\r\n",
    b"Transfer-Encoding chunked\r\n",
    b"Transfer-Encoding\r\n",
    b"Transfer-Encoding:\r\n chunked\r\n",
    b"Transfer-Encoding:\r\n\tchunked\r\n",
    b"Transfer-Encoding: chunked\r\n \r\n",
    b"Transfer-Encoding: x\r\n chunked\r\n",
    b"Transfer-Encoding: chunked\r\n , identity\r\n",
    b"Transfer-Encoding: chunked\r\r\n",
    b"Transfer-Encoding: chunked\n",
    b"Transfer-Encoding: chun\nked\r\n",
    b"Transfer-Encoding: chun\rked\r\n",
    b"X: x\nTransfer-Encoding: chunked\r\n",
    b"X: x\rTransfer-Encoding: chunked\r\n",
    b"X: x\n\rTransfer-Encoding: chunked\r\n",
    b"X: x\x00Transfer-Encoding: chunked\r\n",
    b"X: x\r\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
    b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\ntransfer-encoding:\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding : identity\r\n",
]
# Ways to say it that are in order, or that a recipient may take for it (RFC 9110 5.6.1.2).
GOOD_CODINGS = [
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding:chunked\r\n",
    b"Transfer-Encoding: \t chunked \t\r\n",
    b"TRANSFER-ENCODING: CHUNKED\r\n",
    b"transfer-encoding: Chunked\r\n",
]
LAWFUL_CODINGS = [b"Transfer-Encoding: , chunked\r\n", b"Transfer-Encoding: chunked,\r\n"]
# Other fields that somebody may take for it: the length counts.
LOOKALIKES = [
    b"Transfer_Encoding: chunked\r\n",
    b"TransferEncoding: chunked\r\n",
    b"Transfer.Encoding: chunked\r\n",
    b"X-Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding-: chunked\r\n",
    b"TE: chunked\r\n",
    b"Content-Encoding: chunked\r\n",
    b"HTTP_TRANSFER_ENCODING: chunked\r\n",
]

# Values that somebody may take for a length of 5, or for none.
LENGTHS = [
    b"+5",
    b"-5",
    b"-0",
    b"0x5",
    b"5x",
    b"5 5",
    b"5 6",
    b"5, 6",
    b"0, 5",
    b"5, 0",
    b"5;",
    b"5;5",
    b"5.0",
    b"5e0",
    b"5\x00",
]
LENGTHS += [
    b"\x005",
    b"5\x0b",
    b"\x0b5",
    b"5\x0c",
    b"\x0c5",
    b"5\x7f",
    b"\xa05",
    b"5\xa0",
    b"\x855",
    b'"5"',
    b"'5'",
    b"5_0",
    b"1_0",
]
LENGTHS += [
    b"",
    b" ",
    b",",
    b"5,",
    b",5",
    b"abc",
    b"five",
    b"\xef\xbc\x95",
    b"\xd9\xa5",
    b"5\r\n ",
    b"\r\n 5",
    b"5\r\n 0",
    b"5#",
    b"5/5",
]
LENGTHS += [
    b"5\r",
    b"\r5",
    b"5\n",
    b"5\n0",
    b"5\r0",
    b"18446744073709551615",
    b"18446744073709551616",
    b"18446744073709551621",
]
LENGTHS += [
    b"9223372036854775808",
    b"4294967301x",
    b"9" * 40,
    b"(5)",
    b"5 (x)",
    b"=5",
    b":5",
    b"$5",
    b"NaN",
    b"Infinity",
    b"null",
]


def codings() -> Payloads:
    """Each odd coding behind a length, before one, and alone; each body holds a request for the other reader."""
    whole = EMPTY + INNER
    for coding in CODINGS:
        length = b"Content-Length: %d\r\n" % len(whole)
        short = b"Content-Length: 5\r\n"
        yield Payload(f"length of all, {show(coding)}", post(length + coding, whole), Should.REFUSE)
        yield Payload(f"{show(coding)}, length of five", post(coding + short, whole), Should.REFUSE)
        yield Payload(f"{show(coding)} alone", post(coding, CHUNKED + EVIL), Should.REFUSE)
        yield Payload(
            f"HTTP/1.0 {show(coding)}", post(coding, CHUNKED + EVIL).replace(b"HTTP/1.1", b"HTTP/1.0", 1), Should.REFUSE
        )


def good_codings() -> Payloads:
    for coding in GOOD_CODINGS:
        both = (posted(b"hello"), SECOND)
        yield Payload(f"good {show(coding)}", post(coding, CHUNKED + EVIL), Should.FORWARD, both)
        # RFC 9112 6.1 lets a proxy take the length away; ours should refuse, for it may be an attack.
        for length in [b"0", b"5", b"6", b"15", b"100"]:
            line = b"Content-Length: " + length + b"\r\n"
            yield Payload(
                f"length {length.decode()}, {show(coding)}", post(line + coding, CHUNKED + EVIL), Should.REFUSE
            )
            yield Payload(
                f"{show(coding)}, length {length.decode()}", post(coding + line, CHUNKED + EVIL), Should.REFUSE
            )
        old = post(coding, CHUNKED + EVIL).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        yield Payload(f"HTTP/1.0 {show(coding)}", old, Should.REFUSE)
    for coding in LAWFUL_CODINGS:
        yield Payload(f"lawful {show(coding)}", post(coding, CHUNKED + EVIL), Should.MAY, (posted(b"hello"), SECOND))
    for coding in LOOKALIKES:
        data = post(coding + b"Content-Length: 5\r\n", EMPTY + EVIL)
        yield Payload(f"another field {show(coding)}", data, Should.MAY, (posted(EMPTY), SECOND))


def lengths() -> Payloads:
    for length in LENGTHS:
        line = b"Content-Length: " + length + b"\r\n"
        yield Payload(f"length {show(length)}", post(line, b"hello" + EVIL), Should.REFUSE)
        again = post(b"Content-Length: 5\r\n" + line, b"hello" + EVIL)
        yield Payload(f"length 5 and {show(length)}", again, Should.REFUSE)
        yield Payload(f"GET with length {show(length)}", post(line, EVIL, method=b"GET"), Should.REFUSE)
    both = (posted(b"hello"), SECOND)
    for line in [b"Content-Length: 5, 5\r\n", b"Content-Length: 5\r\ncontent-length: 5\r\n", b"Content-Length: 05\r\n"]:
        yield Payload(f"lawful {show(line)}", post(line, b"hello" + EVIL), Should.MAY, both)
    for name in [b"Content_Length", b"Content-Length-", b"ContentLength", b"X-Content-Length", b"Content-Lenght"]:
        data = post(name + b": 50\r\nContent-Length: 5\r\n", b"hello" + EVIL)
        yield Payload(f"another field {show(name)}", data, Should.MAY, both)
    for name in [b"Content-Length ", b"Content-Length\t", b" Content-Length", b"Content-Length\x00", b"Content Length"]:
        yield Payload(f"name {show(name)}", post(name + b": 5\r\n", b"hello" + EVIL), Should.REFUSE)
        data = post(b"Content-Length: 5\r\n" + name + b": 50\r\n", b"hello" + EVIL)
        yield Payload(f"length and name {show(name)}", data, Should.REFUSE)
    for first, second in [(b"0", b"5"), (b"5", b"0"), (b"5", b"6"), (b"5", b"50"), (b"50", b"5")]:
        lines = b"Content-Length: %s\r\nContent-Length: %s\r\n" % (first, second)
        yield Payload(f"lengths {first.decode()} and {second.decode()}", post(lines, b"hello" + EVIL), Should.REFUSE)
    for line in [b"Content-Length: 5\r\n", b"content-length:5\r\n", b"CONTENT-LENGTH: \t5 \t\r\n"]:
        yield Payload(f"good {show(line)}", post(line, b"hello" + EVIL), Should.FORWARD, both)
    yield Payload("a body without a length", post(b"", EVIL), Should.FORWARD, (posted(b""), SECOND))
