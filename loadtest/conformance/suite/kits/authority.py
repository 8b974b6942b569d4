"""Whose request it is, in odd spellings: Host and absolute form over HTTP/1.1, `:authority` and Host over HTTP/2."""

from collections.abc import Iterator
from dataclasses import dataclass

from .. import h2_wire
from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score
from ..smuggling.payload import show
from ..wire import connect, converse

A, B = b"whose-a.ep-r.io", b"whose-b.ep-r.io"
S, U, T = b"whose-s.ep-r.io", b"whose-u.ep-r.io", b"whose-t.ep-r.io"
KINDS = {"a": "http", "b": "http", "s": "https", "u": "https", "t": "tls"}
BAD, NOBODY = (400,), (400, 404, 421)


@dataclass(frozen=True)
class Whose:
    """A request that must come to one backend, or to none and be answered by one of `statuses`."""

    name: str
    to: str | None
    statuses: tuple[int, ...]
    host: bytes | None = None
    target: bytes = b"/"
    # Fields over HTTP/2, behind the method and the path.
    fields: tuple[tuple[bytes, bytes], ...] = ()


def version() -> str:
    return "ours"


def hosts() -> Iterator[Whose]:
    for host in (A + b":1", A + b":65535", A + b":00080", A + b".:80", A.upper() + b":", b" \t" + A + b"\t "):
        yield Whose(f"Host {show(host)}", "a", (200,), host)
    for port in (
        b"0",
        b"65536",
        b"99999",
        b"000080",
        b"8x",
        b"x",
        b"-1",
        b"+80",
        b":80",
        b"80:80",
        b" 80",
        b"80,",
        b"\xb2",
    ):
        yield Whose(f"Host with port {show(port)}", None, BAD, A + b":" + port)
    for host in (
        A + b"..",
        b"." + A,
        b"whose-a..ep-r.io",
        b"whose-\xc3\xa4.ep-r.io",
        b"whose-\xe4.ep-r.io",
        b"whose%2da.ep-r.io",
    ):
        yield Whose(f"Host {show(host)}", None, BAD, host)
    for byte in b"/?#\\@*,;!$&'()=+~%\"<>^`{|}\x01\x7f":
        yield Whose(f"Host with {show(bytes([byte]))}", None, BAD, A + bytes([byte]) + B)
    for host in (
        A + b" " + B,
        A + b"\t" + B,
        b"http://" + A,
        A + b"/",
        b"x" * 64 + b".ep-r.io",
        b"x." * 140 + b"ep-r.io",
    ):
        yield Whose(f"Host {show(host)}", None, BAD, host)
    for host in (
        b"[::1",
        b"[::1]x",
        b"::1",
        b"[]",
        b"[fe80::1%25eth0]",
        b"[v1.x]",
        b"[::1]:0",
        b"[whose-a.ep-r.io]",
        b"[127.0.0.1]",
    ):
        yield Whose(f"Host {show(host)}", None, BAD, host)
    for host in (
        b"[::1]:80",
        b"[::ffff:127.0.0.1]",
        b"127.1",
        b"0x7f000001",
        b"2130706433",
        b"0177.0.0.1",
        b"127.0.0.1.",
    ):
        yield Whose(f"Host {show(host)}", None, NOBODY, host)
    for host in (b"under_score.ep-r.io", b"_whose-a.ep-r.io", b"xn--whose-a-9za.ep-r.io", b"whose-a.ep-r.io.ep-r.io"):
        yield Whose(f"Host {show(host)}", None, (404,), host)
    for target in (
        b"http://" + A,
        b"http://" + A + b"/",
        b"HTTP://" + A.upper() + b":80/",
        b"http://" + A + b"?x=//" + B,
    ):
        yield Whose(f"target {show(target)}", "a", (200,), B, target)
    for target in (b"//" + B + b"/", b"/http://" + B + b"/", b"/@" + B, b"/?" + B, b"/x:80/"):
        yield Whose(f"target {show(target)}", "a", (200,), A, target)
    for target in (
        b"ftp://" + A + b"/",
        b"http:" + A,
        b"http:/" + A,
        b"http:///",
        b"http://@" + A + b"/",
        b"http://" + B + b"@" + A + b"/",
    ):
        yield Whose(f"target {show(target)}", None, BAD, A, target)
    for target in (
        b"http://" + A + b"\\@" + B,
        b"http://" + A + b"#@" + B,
        A,
        A + b":80",
        b"*",
        b"x",
        b"?",
        b"ws://" + A + b"/",
        b"http://[::1/",
    ):
        yield Whose(f"target {show(target)}", None, (400, 404), A, target)


def streams() -> Iterator[Whose]:
    scheme, host, authority = (b":scheme", b"https"), b"host", b":authority"
    for spelling in (S, S.upper(), S + b":443", S + b".", S + b":8443"):
        yield Whose(f":authority {show(spelling)}", "s", (200,), fields=(scheme, (authority, spelling)))
    same = ((authority, S), (host, S))
    yield Whose(":authority and the same Host", "s", (200,), fields=(scheme, *same))
    yield Whose("Host alone", "s", (200,), fields=(scheme, (host, S)))
    yield Whose("a name of another route that the certificate covers", "u", (200,), fields=(scheme, (authority, U)))
    for other in (U, A, T, b"example.com", S + b".example.com", b"x." + S):
        yield Whose(
            f":authority, and Host {show(other)}", None, (0, 400), fields=(scheme, (authority, S), (host, other))
        )
    for name, fields in {
        "neither": (),
        "an empty :authority": ((authority, b""),),
        "an empty Host": ((host, b""),),
        "an empty :authority, and Host": ((authority, b""), (host, S)),
        "two :authority": ((authority, S), (authority, S)),
        "two :authority that differ": ((authority, S), (authority, U)),
        "two Hosts": ((host, S), (host, S)),
        "two Hosts behind :authority": (*same, (host, S)),
        "a user": ((authority, U + b"@" + S),),
        "a path": ((authority, S + b"/" + U),),
        "a list": ((authority, S + b", " + U),),
        "a bad port": ((authority, S + b":99999"),),
        "UTF-8": ((authority, b"whose-\xc3\xa4.ep-r.io"),),
        "NUL": ((authority, S + b"\0." + U),),
        "CR LF": ((authority, S + b"\r\nhost: " + U),),
        "a line in Host": ((authority, S), (host, S + b"\r\nx: y")),
    }.items():
        yield Whose(f"over HTTP/2: {name}", None, (0, 400), fields=(scheme, *fields))
    for name in (
        A,
        B,
        T,
        b"example.com",
        b"ep-r.io",
        b"127.0.0.1",
        b"[::1]",
        b"localhost",
        b"x." + S,
        b"nobody-has-it.ep-r.io",
    ):
        yield Whose(f":authority {show(name)}", None, NOBODY, fields=(scheme, (authority, name)))


def run(score: Score) -> None:
    with RawBackend() as a, RawBackend() as b, RawBackend() as s, RawBackend() as u, RawBackend() as t:
        backends = {"a": a, "b": b, "s": s, "u": u, "t": t}
        routes = [Route(f"whose-{name}", kind, backends[name].address) for name, kind in KINDS.items()]
        with running(routes) as edge:
            score.add(_judge(backends, one, lambda one: _one(edge, one)) for one in hosts())
            score.add(_judge(backends, one, lambda one: _two(edge, one)) for one in streams())


def _judge(backends: dict[str, RawBackend], one: Whose, ask) -> Case:
    before = {name: sum(len(each.requests) for each in backend.connections) for name, backend in backends.items()}
    statuses = ask(one)
    went = [
        name
        for name, backend in backends.items()
        if sum(len(each.requests) for each in backend.connections) != before[name]
    ]
    right = went == ([one.to] if one.to else []) and len(statuses) == 1 and statuses[0] in one.statuses
    return Case(one.name, right, f"went to {went}, answered {statuses}")


def _one(edge: Edge, one: Whose) -> list[int]:
    data = b"GET " + one.target + b" HTTP/1.1\r\nHost: " + (one.host or b"") + b"\r\n\r\n"
    return converse(connect(edge.http), [data], shut=True).statuses


def _two(edge: Edge, one: Whose) -> list[int]:
    """The status; 0 where the stream was reset, or the connection ended."""
    with h2_wire.Peer(edge, S.decode()) as peer:
        peer.send(h2_wire.headers(1, [(b":method", b"GET"), (b":path", b"/"), *one.fields]))
        said = peer.over(1)
        refused = 1 in said.resets or said.goaway is not None
        return [0] if refused else list(said.statuses.values())
