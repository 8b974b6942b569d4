"""Attacks by Host, and by fields that say who a client is: backends believe the edge, so nobody may speak for it."""

from collections.abc import Iterator
from dataclasses import dataclass

from .. import hello
from ..edge import Edge, Route, running
from ..raw_backend import RawBackend, Request
from ..score import Case, Score
from ..wire import Heard, connect, converse, tls

LIE = b"192.0.2.66"
# What the edge itself says of a client, and what of it applications are known to believe.
OURS = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "Forwarded",
]
OURS += ["X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-By", "X-Real-IP", "X-Client-IP"]
OURS += [
    "X-Forwarded-Client-Cert",
    "X-Forwarded-User",
    "X-Forwarded-Path",
    "Proxy",
]
HOP = [
    "Proxy-Authorization",
    "Proxy-Connection",
    "Keep-Alive",
    "Connection",
    "TE",
    "Upgrade",
    "Proxy-Authenticate",
    "HTTP2-Settings",
]
# What the edge does not speak of: applications that believe it have a reason to.
ALONE = [
    "Via",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-Original-Host",
    "X-Host",
    "True-Client-IP",
]
ALONE += ["CF-Connecting-IP", "traceparent", "tracestate", "Front-End-Https", "Authorization"]


@dataclass(frozen=True)
class Steered:
    """A request that must come to a backend (`a`, `b`), or to none and be answered by one of `statuses`."""

    name: str
    data: bytes
    to: str | None
    statuses: tuple[int, ...] = (200,)
    sni: str = ""


def version() -> str:
    return "ours"


def get(*fields: bytes, target: bytes = b"/", version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


def steering() -> Iterator[Steered]:
    a, b, bad = b"steer-a.ep-r.io", b"steer-b.ep-r.io", (400,)
    for host in [a, b"STEER-A.ep-r.IO", a + b".", a + b":80", a + b":", a + b":8443"]:
        yield Steered(f"Host {host.decode()}", get(b"Host: " + host), "a")
    for other in [
        b"X-Forwarded-Host: ",
        b"X-Host: ",
        b"Forwarded: host=",
        b"X-Original-Host: ",
        b"X-HTTP-Host-Override: ",
    ]:
        yield Steered(f"{other.decode()}of another", get(b"Host: " + a, other + b), "a")
    yield Steered("absolute form of a, Host of b", get(b"Host: " + b, target=b"http://" + a + b"/"), "a")
    yield Steered("absolute form of b, Host of a", get(b"Host: " + a, target=b"http://" + b + b"/"), "b")
    yield Steered("two hosts", get(b"Host: " + a, b"Host: " + b), None, bad)
    yield Steered("the same host twice", get(b"Host: " + a, b"Host: " + a), None, bad)
    yield Steered("two hosts in a list", get(b"Host: " + a + b", " + b), None, bad)
    yield Steered("a host with a user", get(b"Host: " + b + b"@" + a), None, bad)
    yield Steered("no host", get(), None, bad)
    yield Steered("an empty host", get(b"Host:"), None, bad)
    yield Steered("a host with a path", get(b"Host: " + a + b"/" + b), None, bad)
    yield Steered("a host folded", get(b"Host: " + a + b"\r\n " + b), None, bad)
    yield Steered("a host behind NUL", get(b"Host: " + a + b"\0." + b), None, bad)
    for host in [
        b"127.0.0.1",
        b"[::1]",
        b"localhost",
        b"169.254.169.254",
        b"ep-r.io",
        b"example.com",
        b"x." + a,
        a + b".example.com",
    ]:
        yield Steered(f"Host {host.decode()}", get(b"Host: " + host), None, (400, 404, 421))
    yield Steered("an https name on the plain port", get(b"Host: steer-s.ep-r.io"), None, (308,))
    yield Steered("a name passed through on the plain port", get(b"Host: steer-t.ep-r.io"), None, (404,))
    yield Steered("HTTP/1.0 without host", get(version=b"HTTP/1.0"), None, (400, 404))
    s = "steer-s.ep-r.io"
    yield Steered("SNI and Host of one route", get(b"Host: steer-s.ep-r.io"), "s", sni=s)
    yield Steered("SNI of s, Host of a name passed through", get(b"Host: steer-t.ep-r.io"), None, (421,), sni=s)
    yield Steered("SNI of s, Host of a plain name", get(b"Host: steer-a.ep-r.io"), None, (421,), sni=s)
    yield Steered("SNI of s, Host not covered", get(b"Host: example.com"), None, (421,), sni=s)
    yield Steered("SNI of s, Host deeper than the wildcard", get(b"Host: x.steer-s.ep-r.io"), None, (421,), sni=s)
    yield Steered(
        "SNI of s, absolute form of a plain name",
        get(b"Host: " + s.encode(), target=b"https://" + a + b"/"),
        None,
        (421,),
        sni=s,
    )
    yield Steered("SNI of s, an unbound name", get(b"Host: nobody-has-it.ep-r.io"), None, (404,), sni=s)


def proxy_headers() -> Iterator[tuple[str, bytes]]:
    """PROXY protocol headers, which no port of ours is told to take."""
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    addresses = bytes([192, 0, 2, 66, 127, 0, 0, 1, 1, 2, 0, 80])
    yield "v1 TCP4", b"PROXY TCP4 192.0.2.66 127.0.0.1 258 80\r\n"
    yield "v1 TCP6", b"PROXY TCP6 2001:db8::66 ::1 258 80\r\n"
    yield "v1 UNKNOWN", b"PROXY UNKNOWN\r\n"
    yield "v1 with LF", b"PROXY TCP4 192.0.2.66 127.0.0.1 258 80\n"
    yield "v1 in small letters", b"proxy tcp4 192.0.2.66 127.0.0.1 258 80\r\n"
    yield "v1 twice", b"PROXY TCP4 192.0.2.66 127.0.0.1 258 80\r\n" * 2
    yield "v1 behind a blank line", b"\r\nPROXY TCP4 192.0.2.66 127.0.0.1 258 80\r\n"
    yield "v1 cut short", b"PROXY TCP4 192.0.2.66"
    yield "v2 TCP4", signature + b"\x21\x11\0\x0c" + addresses
    yield "v2 LOCAL", signature + b"\x20\0\0\0"
    yield "v2 UNIX", signature + b"\x21\x31\0\xd8" + bytes(216)
    yield "v2 with TLVs", signature + b"\x21\x11\0\x13" + addresses + b"\x02\0\x04evil"
    yield "v2 too long", signature + b"\x21\x11\xff\xff" + addresses
    yield "v2 signature alone", signature


def run(score: Score) -> None:
    with RawBackend() as a, RawBackend() as b, RawBackend() as s, RawBackend() as t:
        backends = {"a": a, "b": b, "s": s, "t": t}
        kinds = {"a": "http", "b": "http", "s": "https", "t": "tls"}
        routes = [Route(f"steer-{name}", kinds[name], backends[name].address) for name in backends]
        with running(routes) as edge:
            score.add(_steered(edge, backends, one) for one in steering())
            score.add(case for name in OURS for case in _spoofed(edge, a, name))
            score.add(_hop(edge, a, name) for name in HOP)
            score.add(
                _named(edge, a, name) for name in [*OURS, "Host", "X-Request-Id", "Epr-Hop", "Cookie", "Content-Length"]
            )
            score.add(_told(edge, a))
            score.add(_alone(edge, a, name) for name in ALONE)
            score.add(case for name, data in proxy_headers() for case in _proxied(edge, backends, name, data))
        with running(routes, "--trusted-peer", "127.0.0.0/8", "--trusted-peer", "::1/128") as edge:
            score.add(_trusting(edge, a))
            score.add(_hop(edge, a, name) for name in HOP)
        with running(routes, "--trusted-peer", "192.0.2.0/24") as edge:
            score.add(
                case for name in OURS for case in _spoofed(edge, a, name, "of a peer that is not among the trusted")
            )


def _ask(edge: Edge, data: bytes, sni: str = "") -> Heard:
    stream = tls(edge.https, sni, edge.ca) if sni else connect(edge.http)
    return converse(stream, [data], shut=True)


def _counts(backends: dict[str, RawBackend]) -> dict[str, int]:
    return {name: sum(len(each.requests) for each in backend.connections) for name, backend in backends.items()}


def _steered(edge: Edge, backends: dict[str, RawBackend], one: Steered) -> Case:
    before = _counts(backends)
    heard = _ask(edge, one.data, one.sni)
    to = [name for name, count in _counts(backends).items() if count != before[name]]
    right = to == ([one.to] if one.to else []) and len(heard.statuses) == 1 and heard.statuses[0] in one.statuses
    return Case(one.name, right, f"went to {to}, answered {heard.statuses}")


def _last(backend: RawBackend) -> Request | None:
    """The request that came last."""
    return max(
        (request for each in backend.connections for request in each.requests), key=lambda one: one.at, default=None
    )


def _arrived(edge: Edge, backend: RawBackend, *fields: bytes) -> Request | None:
    """What became of a request with these fields; none when it was refused."""
    heard = _ask(edge, get(b"Host: steer-a.ep-r.io", *fields))
    return _last(backend) if heard.statuses == [200] else None


def _spoofed(edge: Edge, backend: RawBackend, name: str, who: str = "of an untrusted client") -> Iterator[Case]:
    """The field in several spellings. Many a gateway reads `_` and `-` as one (RFC 3875 4.1.18)."""
    spellings = {name, name.upper(), name.lower(), name.replace("-", "_"), name.replace("-", "_", 1)}
    for spelling in sorted(spellings):
        request = _arrived(edge, backend, spelling.encode() + b": " + LIE)
        told = "" if request is None else f"the backend got {[field for field in request.fields if LIE in field[1]]}"
        yield Case(f"{spelling} {who}", request is None or LIE not in request.raw, told)
    request = _arrived(edge, backend, name.encode() + b": x", name.lower().encode() + b": " + LIE)
    yield Case(f"{name} twice, {who}", request is None or LIE not in request.raw)


def _hop(edge: Edge, backend: RawBackend, name: str) -> Case:
    request = _arrived(edge, backend, name.encode() + b": something")
    return Case(f"{name} is of this hop", request is None or b"something" not in request.raw)


def _named(edge: Edge, backend: RawBackend, name: str) -> Case:
    """Naming a field in Connection must not take away what the edge says."""
    request = _arrived(edge, backend, b"Connection: close, " + name.encode())
    if request is None:
        return Case(f"Connection: {name}", True, "refused")
    says = {
        b"host",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"forwarded",
        b"x-request-id",
        b"epr-hop",
    }
    lost = says - {key.lower() for key, _ in request.fields}
    return Case(f"Connection: {name}", not lost, f"the backend is not told {lost}")


def _told(edge: Edge, backend: RawBackend) -> Iterator[Case]:
    """What the edge says of an honest client, each once."""
    request = _arrived(edge, backend)
    host = b"steer-a.ep-r.io"
    wanted = {b"x-forwarded-for": b"127.0.0.1", b"x-forwarded-proto": b"http", b"x-forwarded-host": host, b"host": host}
    for name, value in wanted.items():
        yield Case(f"{name.decode()} is told once", request is not None and request.values(name) == [value])


def _alone(edge: Edge, backend: RawBackend, name: str) -> Case:
    """What is the application's to believe comes as it was sent, and steers nothing here."""
    request = _arrived(edge, backend, name.encode() + b": /evil; x=1")
    right = request is not None and request.values(name.lower().encode()) == [b"/evil; x=1"]
    return Case(f"{name} is left alone", right and request.target == b"/", str(request and request.raw))


def _trusting(edge: Edge, backend: RawBackend) -> Iterator[Case]:
    """What a trusted peer says of a client goes on, and what it is itself comes behind."""
    said = b"for=192.0.2.66;proto=https"
    ours = b"for=127.0.0.1;proto=http"
    lie, two = b"192.0.2.66", b"192.0.2.66, 192.0.2.67"
    for name, fields, key, wanted in [
        ("X-Forwarded-For", [b"X-Forwarded-For: " + lie], b"x-forwarded-for", [lie + b", 127.0.0.1"]),
        ("a list", [b"X-Forwarded-For: " + two], b"x-forwarded-for", [two + b", 127.0.0.1"]),
        (
            "two fields",
            [b"X-Forwarded-For: " + lie, b"x-forwarded-for: ::1"],
            b"x-forwarded-for",
            [lie + b", ::1, 127.0.0.1"],
        ),
        ("an empty one", [b"X-Forwarded-For:"], b"x-forwarded-for", [b"127.0.0.1"]),
        ("Forwarded", [b"Forwarded: " + said], b"forwarded", [said + b", " + ours]),
        ("Forwarded twice", [b"Forwarded: " + said] * 2, b"forwarded", [said + b", " + said + b", " + ours]),
        ("X-Forwarded-Proto", [b"X-Forwarded-Proto: https"], b"x-forwarded-proto", [b"https"]),
        ("X-Forwarded-Host", [b"X-Forwarded-Host: x.example"], b"x-forwarded-host", [b"x.example"]),
        ("X-Real-IP", [b"X-Real-IP: " + lie], b"x-real-ip", [lie]),
        ("nothing, of the address", [], b"x-forwarded-for", [b"127.0.0.1"]),
        ("nothing, of the scheme", [], b"x-forwarded-proto", [b"http"]),
        ("nothing, of the host", [], b"x-forwarded-host", [b"steer-a.ep-r.io"]),
        (
            "one of its hop",
            [b"Connection: x-forwarded-for", b"X-Forwarded-For: " + lie],
            b"x-forwarded-for",
            [b"127.0.0.1"],
        ),
    ]:
        request = _arrived(edge, backend, *fields)
        got = request and request.values(key)
        yield Case(f"a trusted peer says {name}", got == wanted, f"{key!r}: {got}")


def _proxied(edge: Edge, backends: dict[str, RawBackend], name: str, header: bytes) -> Iterator[Case]:
    before = _counts(backends)
    heard = _ask(edge, header + get(b"Host: steer-a.ep-r.io"))
    yield Case(f"PROXY {name}, plain", _counts(backends) == before and 200 not in heard.statuses, str(heard))
    heard = converse(connect(edge.https), [header + get(b"Host: steer-s.ep-r.io")], shut=True)
    yield Case(f"PROXY {name}, before TLS", _counts(backends) == before and 200 not in heard.statuses, str(heard))
    heard = _ask(edge, header + get(b"Host: steer-s.ep-r.io"), sni="steer-s.ep-r.io")
    yield Case(f"PROXY {name}, within TLS", _counts(backends) == before and 200 not in heard.statuses, str(heard))
    for host in (b"steer-s.ep-r.io", b"steer-t.ep-r.io"):
        connections = len(backends["t"].connections)
        heard = converse(connect(edge.https), [header + hello.record(hello.usual(host))], shut=True)
        right = heard.data[:1] != b"\x16" and len(backends["t"].connections) == connections
        yield Case(f"PROXY {name}, before a hello to {host.decode()}", right, str(heard))
