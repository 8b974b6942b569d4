"""Status lines, fields and framing that are read in more ways than one, or in none."""

from ..smuggling.payload import show
from .payload import BODY, CHUNKED, CHUNKS, FORGED, Answer, Answers, End, Should, ok, sized

REFUSE, FORWARD, EITHER = Should.REFUSE, Should.FORWARD, Should.EITHER
CONTROLS = [bytes([byte]) for byte in (*range(9), *range(10, 32), 127)]


def lines() -> Answers:
    good = [b"HTTP/1.1 200 OK", b"HTTP/1.1 200 ", b"HTTP/1.1 200 All of it is \xfc fine\t!", b"HTTP/1.1 200 O\x80\xffK"]
    odd = [b"HTTP/1.1 200", b"HTTP/1.2 200 OK", b"HTTP/1.9 200 OK", b"HTTP/1.1 200  OK", b"HTTP/1.1 200 " + b"x" * 9000]
    bad = [b"HTTP/2.0 200 OK", b"HTTP/2 200", b"HTTP/3 200 OK", b"HTTP/0.9 200 OK", b"HTTP/1 200 OK"]
    bad += [b"HTTP/11 200 OK", b"HTTP/1.10 200 OK", b"HTTP/01.1 200 OK", b"HTTP/1.1.1 200 OK", b"HTTP/1,1 200 OK"]
    bad += [b"http/1.1 200 OK", b"Http/1.1 200 OK", b"HTTP /1.1 200 OK", b"HTTP/ 1.1 200 OK", b"HTTP\\1.1 200 OK"]
    bad += [b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK", b"HTTP/1.1200 OK", b" HTTP/1.1 200 OK", b"\tHTTP/1.1 200 OK"]
    bad += [b"HTTP/1.1 20 OK", b"HTTP/1.1 2 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 0200 OK", b"HTTP/1.1 200OK"]
    bad += [b"HTTP/1.1 -200 OK", b"HTTP/1.1 +200 OK", b"HTTP/1.1 2OO OK", b"HTTP/1.1 0xC8 OK", b"HTTP/1.1 200.1 OK"]
    bad += [b"HTTP/1.1 000 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 OK 200", b"HTTP/1.1 OK", b"HTTP/1.1 ", b"HTTP/1.1"]
    bad += [b"HTTP/1.1 \xb2\xb0\xb0 OK", b"ICY 200 OK", b"RTSP/1.0 200 OK", b"SIP/2.0 200 OK", b"200 OK", b"X", b"\0"]
    bad += [b"GET / HTTP/1.1", b"PRI * HTTP/2.0", b"SSH-2.0-OpenSSH_9.6", b"220 mail ESMTP", b"\x15\x03\x01\0\x02\x02F"]
    bad += [b"HTTP/1.1 200 O" + control + b"K" for control in CONTROLS]
    bad += [b"HTTP/1.1" + control + b"200 OK" for control in (b"\0", b"\v", b"\f", b"\r", b"\xa0")]
    for line in good:
        yield Answer(f"line {show(line)}", sized(line=line + b"\r\n"), FORWARD)
    for line in odd:
        yield Answer(f"line {show(line)}", sized(line=line + b"\r\n"), EITHER)
    for line in bad:
        yield Answer(f"line {show(line)}", sized(line=line + b"\r\n"), REFUSE, end=End.FIN)
    for status in (200, 299, 400, 404, 418, 499, 500, 599, 451):
        yield Answer(f"status {status}", sized(line=b"HTTP/1.1 %d x\r\n" % status), FORWARD, statuses=(status,))
    for status in (600, 666, 999):
        line = b"HTTP/1.1 %d x\r\n" % status
        yield Answer(f"status {status}", sized(line=line), EITHER, statuses=(status,))
    for blank in (b"\r\n", b"\r\n\r\n", b"\n", b"\0", b" ", b"\xef\xbb\xbf", FORGED[:8]):
        yield Answer(f"{show(blank)} before the line", blank + sized(), REFUSE, end=End.FIN)
    yield Answer("a line ended by LF", sized(line=b"HTTP/1.1 200 OK\n"), REFUSE, end=End.FIN)
    yield Answer("a line ended by CR", sized(line=b"HTTP/1.1 200 OK\r"), REFUSE, end=End.FIN)
    yield Answer("HTTP/0.9", b"<html>hello</html>", REFUSE, end=End.FIN)
    yield Answer("HTTP/0.9 that looks like fields", b"Content-Length: 5\r\n\r\nhello", REFUSE, end=End.FIN)
    yield Answer("nothing at all", b"", REFUSE, end=End.FIN)
    yield Answer("a reset", b"", REFUSE, end=End.RESET)
    yield Answer("a line without end", b"HTTP/1.1 200 " + b"x" * (1 << 20), REFUSE, end=End.FIN)
    whole = sized(b"X: y\r\n")
    for end in (End.FIN, End.RESET):
        for at in range(1, whole.index(b"\r\n\r\n") + 4):
            yield Answer(f"a head cut at {at}, {end.value}", whole[:at], REFUSE, end=end)


def fields() -> Answers:
    bad = [b"X", b"X y", b": y", b" X: y", b"\tX: y", b"X : y", b"X\t: y", b"X: a\r\n b", b"X: a\r\n\tb", b"X: a\r\n "]
    bad += [
        b"X: a\nY: b",
        b"X: a\rY: b",
        b"X: a\r\r\nY: b",
        b"X: a\0\r\nY: b",
        b"X: a\n\r\n" + FORGED,
        b"X: a\n\nFORGED",
    ]
    bad += [b"X" + control + b"Y: z" for control in CONTROLS] + [b"X: y" + control + b"z" for control in CONTROLS]
    bad += [b"X" + bytes([byte]) + b"Y: z" for byte in b' "(),/;<=>?@[\\]{}\x80\xff']
    for line in bad:
        # A space before the colon, and folding, may be mended by a gateway (RFC 9112 5.1, 5.2).
        mendable = line[:4] in (b"X : ", b"X\t: ") or b"\r\n " in line or b"\r\n\t" in line
        should = EITHER if mendable else REFUSE
        yield Answer(f"field {show(line)}", sized(line + b"\r\n"), should, end=End.FIN)
        yield Answer(f"first field {show(line)}", ok(line + b"\r\nContent-Length: 5\r\n", BODY), should, end=End.FIN)
    good = [b"X:", b"X: ", b"X:y", b"X: \t y \t", b"X: \x80\xff", b"x!#$%&'*+-.^_`|~9: y", b"X: y\r\nX: z", b'X: "\\"']
    for line in good:
        yield Answer(f"field {show(line)}", sized(line + b"\r\n"), FORWARD)
    for count in (50, 90):
        yield Answer(f"{count} fields", sized(b"".join(b"X-%d: y\r\n" % at for at in range(count))), FORWARD)
    for count in (129, 1000, 20_000):
        yield Answer(
            f"{count} fields", sized(b"".join(b"X-%d: y\r\n" % at for at in range(count))), EITHER, end=End.FIN
        )
    for size in (8_000, 16_000, 64_000, 300_000, 1 << 20):
        should = FORWARD if size == 8_000 else EITHER
        yield Answer(f"a value of {size}", sized(b"X: " + b"y" * size + b"\r\n"), should, end=End.FIN)
        yield Answer(f"a name of {size}", sized(b"y" * size + b": x\r\n"), EITHER, end=End.FIN)
    yield Answer("fields without end", ok(b"X: y\r\n" * 300_000), REFUSE, end=End.FIN)
    for ends in (b"\n\n", b"\n\r\n", b"\r\n\n", b"\r\r\n\r\n", b"\r\n\r\r\n", b"\r\n \r\n", b"\r\n\0\r\n"):
        yield Answer(
            f"a head ended by {show(ends)}", b"HTTP/1.1 200 OK\r\nContent-Length: 5" + ends + BODY, REFUSE, end=End.FIN
        )


def lengths() -> Answers:
    bad = [
        b"+5",
        b"-5",
        b"-0",
        b"5,6",
        b"6,5",
        b"5, 6",
        b"0x5",
        b"5;",
        b"5 5",
        b"",
        b"5.0",
        b"5e0",
        b"\xef\xbc\x95",
        b"five",
    ]
    bad += [b"5\0", b"5\v", b"'5'", b'"5"', b"5h", b"#5", b"5,", b",5", b"5,,5", b"0b101", b"5_0", b"1_0", b"\x85\x35"]
    bad += [
        b"9223372036854775808",
        b"18446744073709551615",
        b"18446744073709551616",
        b"18446744073709551621",
        b"9" * 40,
    ]
    for value in bad:
        line = b"Content-Length: " + value + b"\r\n"
        yield Answer(f"length {show(value)}", ok(line, BODY), REFUSE, end=End.FIN)
        yield Answer(f"length {show(value)}, HEAD", ok(line), EITHER, b"", End.FIN, method=b"HEAD")
        yield Answer(f"length {show(value)}, then 5", ok(line + b"Content-Length: 5\r\n", BODY), REFUSE, end=End.FIN)
        yield Answer(f"length 5, then {show(value)}", ok(b"Content-Length: 5\r\n" + line, BODY), REFUSE, end=End.FIN)
    for value in (b"5,5", b"5, 5", b"05", b"0" * 30 + b"5"):
        yield Answer(f"length {show(value)}", ok(b"Content-Length: " + value + b"\r\n", BODY), EITHER)
    for first, second in ((5, 6), (6, 5), (0, 5), (5, 0), (5, 5 + len(FORGED)), (5 + len(FORGED), 5)):
        both = b"Content-Length: %d\r\nContent-Length: %d\r\n" % (first, second)
        yield Answer(f"lengths {first} and {second}", ok(both, BODY + FORGED), REFUSE, end=End.FIN)
        apart = both.replace(b"\r\nC", b"\r\nX: y\r\nc", 1)
        yield Answer(f"lengths {first} and {second}, apart", ok(apart, BODY + FORGED), REFUSE, end=End.FIN)
    yield Answer("the same length twice", ok(b"Content-Length: 5\r\n" * 2, BODY), EITHER)
    for value in (4294967301, 8589934597, 1099511627781, 9223372036854775807):
        yield Answer(
            f"length {value}, of which 5 come", ok(b"Content-Length: %d\r\n" % value, BODY), REFUSE, end=End.FIN
        )
    for name in (b"Content-Length ", b"Content-Length\t", b" Content-Length", b"Content_Length", b"Content-Length\0"):
        data = ok(name + b": 5\r\n", BODY)
        yield Answer(
            f"named {show(name)}", data, EITHER if name[-1:] in b" \th" and name[0] != 32 else REFUSE, end=End.FIN
        )


def codings() -> Answers:
    bad = [b"gzip", b"identity", b"chunked, gzip", b"chunked, identity", b"chunked, chunked", b"xchunked", b"chunkedx"]
    bad += [b"chunked;q=1", b'"chunked"', b"chunke", b"", b"ch\tunked", b"chunked\0", b"\0chunked", b"\vchunked"]
    bad += [
        b"chunked\v",
        b"\x85chunked",
        b"chun\xc3\x84ked",
        b"chunked chunked",
        b"chunked;",
        b"chunked, x",
        b"trailers",
    ]
    for value in bad:
        coding = b"Transfer-Encoding: " + value + b"\r\n"
        yield Answer(f"coding {show(value)}", ok(coding, CHUNKS), REFUSE, end=End.FIN)
        for lengths in (b"Content-Length: 5\r\n", b"Content-Length: %d\r\n" % len(CHUNKS)):
            yield Answer(f"coding {show(value)}, {show(lengths)}", ok(coding + lengths, CHUNKS), REFUSE, end=End.FIN)
    for value in (b"chunked", b"Chunked", b"CHUNKED", b" \tchunked\t "):
        yield Answer(f"coding {show(value)}", ok(b"Transfer-Encoding: " + value + b"\r\n", CHUNKS), FORWARD)
    for value in (b"gzip, chunked", b"identity, chunked", b", chunked", b"chunked,", b",,chunked"):
        yield Answer(f"coding {show(value)}", ok(b"Transfer-Encoding: " + value + b"\r\n", CHUNKS), EITHER, end=End.FIN)
    for length in (0, 5, 6, len(CHUNKS), len(CHUNKS + FORGED), 1 << 62):
        line = b"Content-Length: %d\r\n" % length
        for name, fields in (("before", line + CHUNKED), ("behind", CHUNKED + line)):
            # A gateway may take the length away (RFC 9112 6.3); ours is to refuse.
            yield Answer(f"length {length} {name} a coding", ok(fields, CHUNKS + FORGED), REFUSE, end=End.FIN)
    for name in (
        b"Transfer-Encoding ",
        b"Transfer_Encoding",
        b"Transfer-Encoding\0",
        b" Transfer-Encoding",
        b"Transfer\xadEncoding",
    ):
        data = ok(b"Content-Length: 5\r\n" + name + b": chunked\r\n", BODY)
        yield Answer(f"named {show(name)}", data, EITHER if b"_" in name else REFUSE, end=End.FIN)
    yield Answer("chunked twice", ok(CHUNKED * 2, CHUNKS), REFUSE, end=End.FIN)
    yield Answer(
        "identity, then chunked", ok(b"Transfer-Encoding: identity\r\n" + CHUNKED, CHUNKS), EITHER, end=End.FIN
    )
    yield Answer("chunked folded", ok(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS), EITHER, end=End.FIN)
    for line in (b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0 404 x\r\n"):
        yield Answer(f"chunked in {show(line)}", ok(CHUNKED, CHUNKS, line), REFUSE, end=End.FIN)
        both = ok(CHUNKED + b"Content-Length: 5\r\n", CHUNKS, line)
        yield Answer(f"chunked and a length in {show(line)}", both, REFUSE, end=End.FIN)
