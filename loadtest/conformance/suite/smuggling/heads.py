"""Request lines, line ends, field names and values, hosts."""

from .payload import EVIL, FIRST, SECOND, Payload, Payloads, Seen, Should, get, got, post, posted, show

TCHAR = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
LINE = b"GET " + FIRST + b" HTTP/1.1\r\n"
T = FIRST
# Request lines that are none (RFC 9112 3), with their line ends.
LINES = [
    b"GET  " + T + b" HTTP/1.1\r\n",
    b"GET " + T + b"  HTTP/1.1\r\n",
    b"GET\t" + T + b" HTTP/1.1\r\n",
    b"GET " + T + b"\tHTTP/1.1\r\n",
]
LINES += [
    b"GET " + T + b" HTTP/1.1 \r\n",
    b"GET " + T + b" HTTP/1.1\t\r\n",
    b" GET " + T + b" HTTP/1.1\r\n",
    b"\tGET " + T + b" HTTP/1.1\r\n",
]
LINES += [
    b"GET " + T + b" " + version + b"\r\n"
    for version in [b"http/1.1", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/2", b"HTTP/3.0"]
]
LINES += [
    b"GET " + T + b" " + version + b"\r\n"
    for version in [b"HTTP/0.9", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1.01", b"HTTP/1", b"HTTP/1."]
]
LINES += [
    b"GET " + T + b" " + version + b"\r\n"
    for version in [b"HTTP/11", b"HTTP/1,1", b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1.1x", b"HTTPS/1.1"]
]
LINES += [
    b"GET " + T + b" " + version + b"\r\n"
    for version in [b"HTTP/1.1\x00", b"\x00HTTP/1.1", b"HTTP/-1.1", b"ICY/1.1", b"HTTP/1.1 HTTP/1.1"]
]
LINES += [
    b"GET " + T + b"\r\n",
    b"GET " + T + b" \r\n",
    b"GET\r\n",
    b"\x00" + LINE,
    b"G\x00ET " + T + b" HTTP/1.1\r\n",
    T + b" HTTP/1.1\r\n",
]
LINES += [
    b"GET " + T + b" x HTTP/1.1\r\n",
    b"GET " + T + b"\x0bx HTTP/1.1\r\n",
    b"GET " + T + b"\x00x HTTP/1.1\r\n",
    b"GET " + T + b"\x01 HTTP/1.1\r\n",
]
LINES += [
    b"GET " + T + b"\x7f HTTP/1.1\r\n",
    b"GET " + T + b"\rx HTTP/1.1\r\n",
    b"GET " + T + b"\nx HTTP/1.1\r\n",
    b"GET " + T + b"#f HTTP/1.1\r\n",
]
LINES += [
    b"GET x" + T + b" HTTP/1.1\r\n",
    b"GET * HTTP/1.1\r\nX: " + T + b"\r\n",
    b"G(T " + T + b" HTTP/1.1\r\n",
    b"G:T " + T + b" HTTP/1.1\r\n",
]
LINES += [
    b"G\xc9T " + T + b" HTTP/1.1\r\n",
    b'"GET" ' + T + b" HTTP/1.1\r\n",
    b"G/T " + T + b" HTTP/1.1\r\n",
    b"G,T " + T + b" HTTP/1.1\r\n",
]
LINES += [
    b"GET http://" + T + b" HTTP/1.1\r\n",
    b"GET http://u@@HOST@" + T + b" HTTP/1.1\r\n",
    b"GET http://u:p@@HOST@" + T + b" HTTP/1.1\r\n",
]
LINES += [
    b"GET http:@HOST@" + T + b" HTTP/1.1\r\n",
    b"GET http:/@HOST@" + T + b" HTTP/1.1\r\n",
    b"GET ftp://@HOST@" + T + b" HTTP/1.1\r\n",
]
LINES += [
    b"GET http://@HOST@:x" + T + b" HTTP/1.1\r\n",
    b"GET http://@HOST@:99999" + T + b" HTTP/1.1\r\n",
    b"GET http://a b" + T + b" HTTP/1.1\r\n",
]
LINES += [
    b"GET http://@HOST@\\" + T + b" HTTP/1.1\r\n",
    b"GET @HOST@:80 HTTP/1.1\r\nX: " + T + b"\r\n",
    b"CONNECT @HOST@:80 HTTP/1.1\r\nX: " + T + b"\r\n",
]
LINES += [
    b"CONNECT " + T + b" HTTP/1.1\r\n",
    b"PRI * HTTP/2.0\r\nX: " + T + b"\r\n",
    b"GET /\r\n\r\n" + LINE,
    b"@@@\r\n" + LINE,
]
LINES += [b"A" * 100_000 + b" " + T + b" HTTP/1.1\r\n", b"GET " + T + b"a" * 200_000 + b" HTTP/1.1\r\n"]
# Targets that a recipient may refuse or pass on as they are (RFC 9112 3.2 leaves it to it).
ODD = [
    b"/..;/",
    b"/../x",
    b"/%2e%2e/",
    b"/%00",
    b"/%0d%0aX:%20y",
    b"/%zz",
    b"/a%",
    b"//x/",
    b"/a//b",
    b"/a\\b",
    b"/<>",
    b'/"',
    b"/{}",
    b"/|",
]
ODD += [
    b"/^",
    b"/`",
    b"/\xff",
    b"/\xe2\x80\xae",
    b"/?a=b?c",
    b"/?#",
    b"/a;b=c",
    b"/@x",
    b"/http://other.ep-r.io/",
    b"/[::1]",
    b"/~",
    b"/%2F",
]

HEADS = [
    b" X: y\r\n",
    b"\tX: y\r\n",
    b"X\r\n",
    b"X y\r\n",
    b": y\r\n",
    b" \r\n",
    b"X: y\r\n z\r\n",
    b"X: y\r\n\tz\r\n",
    b"X: y\r\n \r\n",
    b"X:\r\n y\r\n",
]
HEADS += [
    b"X : y\r\n",
    b"X\t: y\r\n",
    b"X: y\n",
    b"X: y\r",
    b"X: y\r\r\n",
    b"X: y\n\r\n",
    b"X: a\rb\r\n",
    b"X: a\nb\r\n",
    b"X\r\n: y\r\n",
    b"X: y\r\n\rZ: z\r\n",
]
HEADS += [
    b"X: " + b"y" * 200_000 + b"\r\n",
    b"X" * 200_000 + b": y\r\n",
    b"X: y\r\n" * 5000,
    b"\xef\xbb\xbfX: y\r\n",
    b"X\xa0: y\r\n",
]

HOSTS = [
    b"",
    b"Host: @HOST@\r\nHost: @HOST@\r\n",
    b"Host: @HOST@\r\nHost: other.ep-r.io\r\n",
    b"Host: other.ep-r.io\r\nhost: @HOST@\r\n",
]
HOSTS += [
    b"Host : @HOST@\r\n",
    b" Host: @HOST@\r\n",
    b"Host: @HOST@\r\n Host: other\r\n",
    b"Host:\r\n @HOST@\r\n",
    b"Host: @HOST@\r\n , x\r\n",
]
HOSTS += [
    b"Host: " + value + b"\r\n"
    for value in [b"@HOST@, @HOST@", b"@HOST@,other.ep-r.io", b"u@@HOST@", b"@HOST@@u", b"@HOST@/x", b"@HOST@?x"]
]
HOSTS += [
    b"Host: " + value + b"\r\n"
    for value in [b"@HOST@#x", b"@HOST@\\x", b"@HOST@ x", b"x @HOST@", b"@HOST@\tx", b"@HOST@\x00", b"@HOST@\x0b"]
]
HOSTS += [
    b"Host: " + value + b"\r\n"
    for value in [b"@HOST@:x", b"@HOST@:99999", b"@HOST@:80:80", b"@HOST@:-1", b"@HOST@:+80", b"@HOST@: 80"]
]
HOSTS += [
    b"Host: " + value + b"\r\n"
    for value in [b"@HOST@:0x50", b"http://@HOST@", b"//@HOST@", b"[@HOST@]", b"@HOST@\xff", b"\xef\xbb\xbf@HOST@"]
]
HOSTS += [
    b"Host: " + value + b"\r\n"
    for value in [b"%40HOST%40", b"@HOST@%00", b"@HOST@%20", b"*.ep-r.io", b"@HOST@..", b".@HOST@", b"", b" ", b"."]
]
HOSTS += [
    b"Host: @HOST@\r\nHost\x00: x\r\n",
    b"Host: @HOST@\r\nHost : x\r\n",
    b"Host: @HOST@\nHost: x\r\n",
    b"X: x\nHost: @HOST@\r\n",
]


def lines() -> Payloads:
    for line in LINES:
        yield Payload(f"request line {show(line)}", get(line=line) + EVIL, Should.REFUSE)
    for target in ODD:
        seen = (Seen(b"GET", FIRST + target), SECOND)
        yield Payload(
            f"target {show(target)}", get(line=b"GET " + FIRST + target + b" HTTP/1.1\r\n") + EVIL, Should.MAY, seen
        )
    for method in [b"get", b"GeT", b"PURGE", b"M-SEARCH", b"!#$%&'*+-.^_`|~", b"TRACE", b"TRACK", b"DEBUG", b"A" * 50]:
        seen = (Seen(method, FIRST), SECOND)
        yield Payload(
            f"method {show(method)}", get(line=method + b" " + FIRST + b" HTTP/1.1\r\n") + EVIL, Should.MAY, seen
        )
    for form in [b"http://@HOST@", b"HTTP://@HOST@", b"http://@HOST@:80", b"http://@HOST@:"]:
        line = b"GET " + form + FIRST + b" HTTP/1.1\r\n"
        yield Payload(f"absolute form {show(form)}", get(line=line) + EVIL, Should.FORWARD, (got(), SECOND))
        other = get(line=line, host=b"Host: other.ep-r.io\r\n") + EVIL
        yield Payload(f"absolute form {show(form)} and another Host", other, Should.MAY, (got(), SECOND))
        yield Payload(f"absolute form {show(form)} without Host", get(line=line, host=b"") + EVIL, Should.REFUSE)
    for blanks, should in [
        (b"\r\n", Should.FORWARD),
        (b"\r\n\r\n", Should.MAY),
        (b"\n", Should.MAY),
        (b"\r\n" * 9000, Should.REFUSE),
    ]:
        yield Payload(
            f"blank lines {show(blanks)}",
            blanks + get() + EVIL,
            should,
            () if should is Should.REFUSE else (got(), SECOND),
        )
    for blanks in [b"\r", b" \r\n", b"\x00\r\n", b"\r\r\n", b"\n\r"]:
        yield Payload(f"before a request {show(blanks)}", blanks + get() + EVIL, Should.REFUSE)


def line_ends() -> Payloads:
    whole = get(b"X: y\r\nZ: z\r\n")
    places = [at for at in range(len(whole)) if whole[at : at + 2] == b"\r\n"]
    for other in [
        b"\n",
        b"\r",
        b"\r\r\n",
        b"\n\r",
        b"\n\n",
        b"\r\n\r",
        b"\x0b",
        b"\x0c",
        b"\x85",
        b"\xe2\x80\xa8",
        b"\\r\\n",
        b" \n",
    ]:
        # After the last end of line but one the head is over: what follows is another request, and a bad one.
        for number, at in enumerate(places):
            data = whole[:at] + other + whole[at + 2 :] + EVIL
            last, within = number == len(places) - 1, 0 < number < len(places) - 2
            if within and min(other) >= 0x20:
                yield Payload(f"no line end {number} {show(other)}", data, Should.MAY, (got(), SECOND))
                continue
            begun = (got(),) if last and other == b"\r\n\r" else ()
            yield Payload(f"line end {number} {show(other)}", data, Should.REFUSE, begun)
        yield Payload(f"all line ends {show(other)}", whole.replace(b"\r\n", other) + EVIL, Should.REFUSE)


def fields() -> Payloads:
    for line in HEADS:
        yield Payload(f"field line {show(line)}", get(line, host=b"Host: @HOST@\r\n") + EVIL, Should.REFUSE)
        yield Payload(f"first field line {show(line)}", get(b"Host: @HOST@\r\n", host=line) + EVIL, Should.REFUSE)
    for byte in range(256):
        one = bytes([byte])
        if one not in TCHAR and one != b":":
            yield Payload(f"name with {show(one)}", get(b"X" + one + b"Y: z\r\n") + EVIL, Should.REFUSE)
        if byte not in (9, 10, 13) and (byte < 32 or byte == 127):
            yield Payload(f"value with {show(one)}", get(b"X: y" + one + b"z\r\n") + EVIL, Should.REFUSE)
    for value in [b"\x80", b"\xff", b"\xe2\x80\xa8", b"\xc0\xaf", b"\xed\xa0\x80", b"", b" \t "]:
        yield Payload(f"value {show(value)}", get(b"X: " + value + b"\r\n") + EVIL, Should.FORWARD, (got(), SECOND))
    for name in [b"X_Forwarded_For", b"X_Y", b"_", b"HTTP_HOST", b"Host_", b"X.Y", b"X~Y"]:
        yield Payload(f"name {show(name)}", get(name + b": 1.2.3.4\r\n") + EVIL, Should.MAY, (got(), SECOND))


def hosts() -> Payloads:
    for host in HOSTS:
        yield Payload(f"host {show(host)}", get(host=host) + EVIL, Should.REFUSE)
    for host in [b"@HOST@:80", b"@HOST@:", b"@HOST@:8080", b"@HOST@."]:
        yield Payload(
            f"good host {show(host)}", get(host=b"Host: " + host + b"\r\n") + EVIL, Should.MAY, (got(), SECOND)
        )


def connections() -> Payloads:
    body = (posted(b"hello"), SECOND)
    for named in [
        b"content-length",
        b"Content-Length, close",
        b"host",
        b"transfer-encoding",
        b"x-forwarded-for",
        b"te",
        b"connection",
    ]:
        data = post(b"Connection: " + named + b"\r\nContent-Length: 5\r\n", b"hello" + EVIL)
        yield Payload(f"Connection: {named.decode()}", data, Should.MAY, body)
        chunked = post(
            b"Connection: " + named + b"\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n" + EVIL
        )
        yield Payload(f"chunked, Connection: {named.decode()}", chunked, Should.MAY, body)
    for upgrade in [
        b"h2c",
        b"websocket",
        b"HTTP/2.0",
        b"TLS/1.0",
        b"websocket, h2c",
        b"h2c, websocket",
        b"WebSocket\r\nUpgrade: h2c",
    ]:
        lines = (
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        )
        yield Payload(f"Upgrade: {show(upgrade)}", get(lines) + EVIL, Should.MAY, (got(), SECOND))
        with_body = post(lines + b"Content-Length: 5\r\n", b"hello" + EVIL)
        yield Payload(f"Upgrade: {show(upgrade)} with a body", with_body, Should.MAY, body)
        key = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        yield Payload(f"Upgrade: {show(upgrade)} with a key", get(lines + key) + EVIL, Should.MAY, (got(), SECOND))
    for expect in [b"100-continue", b"100-Continue"]:
        data = post(b"Expect: " + expect + b"\r\nContent-Length: 5\r\n", b"hello" + EVIL)
        yield Payload(f"Expect: {expect.decode()}", data, Should.FORWARD, body)
        yield Payload(
            f"Expect: {expect.decode()} without a body",
            get(b"Expect: " + expect + b"\r\n") + EVIL,
            Should.MAY,
            (got(), SECOND),
        )
    for expect in [
        b"100-continuex",
        b"x 100-continue",
        b"100-continue, x",
        b"\r\n 100-continue",
        b"",
        b"100-continue\r\nExpect: 100-continue",
    ]:
        data = post(b"Expect: " + expect + b"\r\nContent-Length: 5\r\n", b"hello" + EVIL)
        yield Payload(f"Expect: {show(expect)}", data, Should.MAY, body)


def pipelines() -> Payloads:
    second = EVIL.replace(b"/evil", b"/%d")
    many = b"".join(second.replace(b"%d", b"%d" % number) for number in range(40))
    seen = tuple(Seen(b"GET", b"/@ID@/%d" % number) for number in range(40))
    yield Payload("forty requests", many, Should.FORWARD, seen)
    yield Payload(
        "a HEAD and a GET", get(line=b"HEAD " + FIRST + b" HTTP/1.1\r\n") + EVIL, Should.FORWARD, (got(b"HEAD"), SECOND)
    )
    yield Payload("a request behind Connection: close", get(b"Connection: close\r\n") + EVIL, Should.FORWARD, (got(),))
    yield Payload(
        "a request behind a close among others", get(b"Connection: x, CLOSE\r\n") + EVIL, Should.FORWARD, (got(),)
    )
    old = b"GET " + FIRST + b" HTTP/1.0\r\n"
    yield Payload("a request behind HTTP/1.0", get(line=old) + EVIL, Should.FORWARD, (got(),))
    yield Payload(
        "HTTP/1.0 keep-alive", get(b"Connection: keep-alive\r\n", line=old) + EVIL, Should.MAY, (got(), SECOND)
    )
    yield Payload("HTTP/1.0 without Host", get(line=old, host=b"") + EVIL, Should.MAY)
    yield Payload("rubbish behind a request", get() + b"\x00\x01\x02" * 100, Should.REFUSE, (got(),))
    yield Payload("half a request behind one", get() + EVIL[:20], Should.REFUSE, (got(),))
    yield Payload("a faulty one behind a request", get() + get(b"X : y\r\n"), Should.REFUSE, (got(),))
    for body in [b"GET", b"hell", b""]:
        yield Payload(f"a body cut short after {len(body)}", post(b"Content-Length: 5\r\n", body), Should.REFUSE)
        cut = b"5\r\n" + body if body else b""
        yield Payload(
            f"a chunked body cut short after {len(body)}", post(b"Transfer-Encoding: chunked\r\n", cut), Should.REFUSE
        )
    for method in [b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"TRACE"]:
        data = post(b"Content-Length: %d\r\n" % 5, b"hello" + EVIL, method=method)
        should = Should.MAY if method == b"TRACE" else Should.FORWARD
        yield Payload(f"{method.decode()} with a body", data, should, (Seen(method, FIRST, b"hello"), SECOND))
    star = b"OPTIONS * HTTP/1.1\r\nX-Case: @ID@\r\n"
    yield Payload("OPTIONS *", get(line=star) + EVIL, Should.FORWARD, (Seen(b"OPTIONS", b"*"), SECOND))
