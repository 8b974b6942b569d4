"""httpbin behind the edge, asked by requests over plain HTTP, and by httpx over HTTPS in HTTP/1.1 and in HTTP/2."""

import base64
import contextlib
import gzip
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version as version_of
from typing import Any

import httpx
import requests

from ..edge import Edge, Route, running
from ..score import Case, Score
from ..wire import Address

PLAIN, SAFE = "httpbin-plain.ep-r.io", "httpbin-safe.ep-r.io"
BLOB = bytes(range(256)) * 4096
Answer = Any
Check = Callable[[Answer], bool]


@dataclass(frozen=True)
class Ask:
    """A request, and what its answer must be like."""

    method: str
    path: str
    check: Check
    status: int = 200
    more: dict = field(default_factory=dict)


def version() -> str:
    return f"{version_of('httpbin')}, requests {version_of('requests')}, httpx {version_of('httpx')}"


def _always(_: Answer) -> bool:
    return True


def _pieces() -> Iterator[bytes]:
    for at in range(0, len(BLOB), 10_000):
        yield BLOB[at : at + 10_000]


def _is_blob(answer: Answer) -> bool:
    return base64.b64decode(answer.json()["data"].partition("base64,")[2]) == BLOB


def asks() -> Iterator[Ask]:
    yield from methods()
    yield from answers()
    yield from bodies()
    for code in [
        200,
        201,
        202,
        204,
        206,
        226,
        300,
        304,
        400,
        401,
        402,
        403,
        404,
        405,
        406,
        409,
        410,
        412,
        413,
        416,
        418,
        422,
        429,
        451,
    ]:
        yield Ask("GET", f"/status/{code}", _always, code)
    for code in [500, 501, 502, 503, 504, 511, 599]:
        yield Ask("GET", f"/status/{code}", _always, code)
        yield Ask("POST", f"/status/{code}", _always, code)


def methods() -> Iterator[Ask]:
    yield Ask("GET", "/get?a=b&a=c&d=%20%C3%A9", lambda a: a.json()["args"] == {"a": ["b", "c"], "d": " é"})
    yield Ask("HEAD", "/get", lambda a: a.content == b"" and int(a.headers["content-length"]) > 0)
    yield Ask("OPTIONS", "/get", lambda a: "GET" in a.headers["allow"])
    for method in ["POST", "PUT", "PATCH", "DELETE"]:
        yield Ask(
            method, f"/{method.lower()}", lambda a: a.json()["json"] == {"x": [1, "é"]}, more={"json": {"x": [1, "é"]}}
        )
        yield Ask(method, f"/{method.lower()}", lambda a: a.json()["data"] == "", more={})
        yield Ask(method, "/anything/a//b/%2F;c", lambda a, m=method: a.json()["method"] == m)
    for method in ["TRACE", "GET"]:
        yield Ask(method, "/post", _always, 405)


def answers() -> Iterator[Ask]:
    for coding in ["gzip", "deflate", "brotli"]:
        key = {"gzip": "gzipped", "deflate": "deflated", "brotli": "brotli"}[coding]
        yield Ask("GET", f"/{coding}", lambda a, key=key: coded(a, key))
    for size in [0, 1, 1023, 65_536, 102_400]:
        yield Ask("GET", f"/bytes/{size}", lambda a, size=size: len(a.content) == size)
        yield Ask("GET", f"/stream-bytes/{size}?chunk_size=1000", lambda a, size=size: len(a.content) == size)
    yield Ask("GET", "/stream/100", lambda a: len(a.content.splitlines()) == 100)
    yield Ask("GET", "/drip?numbytes=20&duration=1&delay=0", lambda a: a.content == b"*" * 20)
    yield Ask(
        "GET",
        "/range/1000",
        lambda a: a.content == b"abcdefghijklmnopqrstuvwxyz" * 4,
        206,
        {"headers": {"Range": "bytes=0-103"}},
    )
    yield Ask("GET", "/range/1000", _always, 416, {"headers": {"Range": "bytes=5000-"}})
    yield Ask("GET", "/delay/1", _always)
    yield Ask("GET", "/etag/x", _always, 304, {"headers": {"If-None-Match": "x"}})
    yield Ask("GET", "/etag/x", _always, 412, {"headers": {"If-Match": "y"}})
    yield Ask("GET", "/cache", _always, 304, {"headers": {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}})
    yield Ask("GET", "/cache/60", lambda a: a.headers["cache-control"] == "public, max-age=60")
    yield Ask("GET", "/response-headers?X-A=1&X-A=2", lambda a: a.headers["x-a"] in ("1, 2", "2, 1"))
    yield Ask("GET", "/redirect-to?url=/get&status_code=307", lambda a: a.headers["location"] == "/get", 307)
    yield Ask("GET", "/redirect/1", lambda a: a.headers["location"] == "/get", 302)
    yield Ask("GET", "/cookies/set?a=b&c=d", lambda a: "a=b" in a.headers["set-cookie"], 302)
    for kind in [
        "html",
        "xml",
        "json",
        "robots.txt",
        "deny",
        "encoding/utf8",
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/svg",
    ]:
        yield Ask("GET", f"/{kind}", lambda a: int(a.headers["content-length"]) == len(a.content))
    yield Ask("GET", "/base64/aGVsbG8=", lambda a: a.content == b"hello")
    yield Ask("GET", "/uuid", lambda a: len(a.json()["uuid"]) == 36)
    yield Ask("GET", "/links/10/0", lambda a: a.text.count("href") == 9)


def bodies() -> Iterator[Ask]:
    yield Ask("POST", "/post", _is_blob, more={"data": BLOB})
    yield Ask("POST", "/post", _is_blob, more={"data": _pieces})
    yield Ask("PUT", "/put", _is_blob, more={"data": _pieces})
    yield Ask(
        "POST",
        "/post",
        lambda a: a.json()["form"] == {"a": "1", "b": ["2", "3"]},
        more={"data": {"a": "1", "b": ["2", "3"]}},
    )
    yield Ask("POST", "/post", lambda a: len(a.json()["files"]["f"]) > 1000, more={"files": {"f": ("f", BLOB)}})
    yield Ask("POST", "/post", lambda a: a.json()["data"].startswith("data:"), more={"data": gzip.compress(BLOB)})
    told = {"Authorization": "Basic " + base64.b64encode(b"user:pass").decode()}
    yield Ask("GET", "/basic-auth/user/pass", lambda a: a.json()["authenticated"], more={"headers": told})
    yield Ask("GET", "/basic-auth/user/pass", lambda a: "Basic" in a.headers["www-authenticate"], 401)
    yield Ask("GET", "/hidden-basic-auth/user/pass", _always, 404)
    yield Ask("GET", "/bearer", lambda a: a.json()["token"] == "t", more={"headers": {"Authorization": "Bearer t"}})
    yield Ask("GET", "/digest-auth/auth/user/pass", lambda a: "Digest" in a.headers["www-authenticate"], 401)
    yield Ask(
        "GET",
        "/headers",
        lambda a: a.json()["headers"]["X-Own"] == "é".encode().decode("latin-1"),
        more={"headers": {"X-Own": "é".encode()}},
    )
    yield Ask(
        "GET",
        "/headers",
        lambda a: a.json()["headers"]["X-Long"] == "x" * 8000,
        more={"headers": {"X-Long": "x" * 8000}},
    )
    yield Ask(
        "GET",
        "/cookies",
        lambda a: a.json()["cookies"] == {"a": "b", "c": "d"},
        more={"headers": {"Cookie": "a=b; c=d"}},
    )
    yield Ask("GET", "/user-agent", lambda a: a.json()["user-agent"] == "own", more={"headers": {"User-Agent": "own"}})
    yield Ask(
        "GET", "/ip", lambda a: a.json()["origin"] == "127.0.0.1", more={"headers": {"X-Forwarded-For": "192.0.2.66"}}
    )
    expecting = {"headers": {"Expect": "100-continue"}, "data": BLOB}
    yield Ask("POST", "/post", _is_blob, more=expecting)


def coded(answer: Answer, key: str) -> bool:
    return answer.json()[key] is True


def run(score: Score) -> None:
    with server() as address:
        routes = [
            Route(PLAIN.split(".", maxsplit=1)[0], "http", address),
            Route(SAFE.split(".", maxsplit=1)[0], "https", address),
        ]
        with running(routes) as edge:
            score.add(_case("http, requests", ask, _by_requests(edge, ask)) for ask in asks())
            for way, h2 in [("https, httpx", False), ("h2, httpx", True)]:
                with _client(edge, h2) as client:
                    score.add(_case(way, ask, _by_httpx(client, edge, ask)) for ask in asks())


def _case(way: str, ask: Ask, answer: Answer | Exception) -> Case:
    name = f"{way}: {ask.method} {ask.path} {', '.join(sorted(ask.more))}".strip()
    if isinstance(answer, Exception):
        return Case(name, False, repr(answer)[:300])
    try:
        right = answer.status_code == ask.status and ask.check(answer)
    except (KeyError, ValueError) as error:
        return Case(name, False, f"{error!r}: {answer.text[:200]}")
    return Case(name, right, f"{answer.status_code} {answer.content[:200]!r}")


def _given(ask: Ask) -> dict:
    more = dict(ask.more)
    if callable(more.get("data")):
        more["data"] = more["data"]()
    return more


def _by_requests(edge: Edge, ask: Ask) -> Answer | Exception:
    more = _given(ask)
    more["headers"] = {**more.get("headers", {}), "Host": PLAIN}
    url = "http://{}:{}{}".format(*edge.http, ask.path)
    try:
        return requests.request(ask.method, url, timeout=20, allow_redirects=False, **more)
    except requests.RequestException as error:
        return error


def _client(edge: Edge, h2: bool) -> httpx.Client:
    context = ssl.create_default_context(cafile=edge.ca)
    return httpx.Client(http1=not h2, http2=h2, verify=context, timeout=20, trust_env=False)


def _by_httpx(client: httpx.Client, edge: Edge, ask: Ask) -> Answer | Exception:
    more = _given(ask)
    more["headers"] = {**more.get("headers", {}), "Host": SAFE}
    if "data" in more and not isinstance(more["data"], dict):
        more["content"] = more.pop("data")
    url = "https://{}:{}{}".format(*edge.https, ask.path)
    try:
        return client.request(ask.method, url, extensions={"sni_hostname": SAFE}, **more)
    except httpx.HTTPError as error:
        return error


@contextlib.contextmanager
def server() -> Iterator[Address]:
    """httpbin under gunicorn, on a socket that is ours."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        descriptor = listener.fileno()
        words = ["--bind", f"fd://{descriptor}", "--threads", "8", "--log-level", "error", "--keep-alive", "60"]
        command = [sys.executable, "-m", "gunicorn", *words, "httpbin:app"]
        process = subprocess.Popen(command, pass_fds=[descriptor])
        try:
            yield listener.getsockname()
        finally:
            process.terminate()
            process.wait(20)
