"""httpbin's own tests, through the edge: what they ask of the application in Python goes over the network instead."""

import http.client
import importlib.util
import ssl
import sys
import unittest
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from types import ModuleType
from typing import Any

import httpbin
import httpx
from werkzeug.test import Client, TestResponse

from ..edge import Edge, Route, running
from ..score import Case, Score
from .httpbin import PLAIN, SAFE, server

# What ./run unpacks beside the environment: wheels have no tests.
SOURCES = Path(sys.prefix) / "sources"
# A request as it goes on, and its answer: status, reason, fields, body.
Fields = list[tuple[str, str]]
Answer = tuple[int, str, Fields, bytes]
Send = Callable[[str, str, Fields, bytes], Answer]

GUNICORN = "it expects that chunks are refused, as they are without gunicorn, which reads them"
SCHEME = "it expects its own URL to be http, and over TLS it is told https"
TRUST = "who is not trusted cannot say that it came by https"
KNOWN = {
    "http: test_post_chunked": GUNICORN,
    "http: test_x_forwarded_proto": TRUST,
    "h2: test_get": SCHEME,
    "h2: test_anything": SCHEME,
    "h2: test_redirect_absolute_param_n_higher_than_1": SCHEME,
    "h2: test_absolute_redirect_n_higher_than_1": SCHEME,
    "h2: test_absolute_redirect_n_equals_to_1": SCHEME,
    "h2: test_post_chunked": GUNICORN,
}


def version() -> str | None:
    return version_of("httpbin") if _tests() else None


def run(score: Score) -> None:
    tests = _load()
    with server() as address:
        routes = [Route(PLAIN.partition(".")[0], "http", address), Route(SAFE.partition(".")[0], "https", address)]
        with running(routes) as edge:
            score.add(_cases("http", tests, _over_http(edge)))
            with _client(edge) as client:
                score.add(_cases("h2", tests, _over_h2(edge, client)))


def _tests() -> Path | None:
    return next(SOURCES.glob("httpbin-*/tests/test_httpbin.py"), None)


def _load() -> ModuleType:
    path = _tests()
    assert path is not None
    spec = importlib.util.spec_from_file_location("test_httpbin", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Result(unittest.TestResult):
    """How each test went."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, str] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.told[_name(test)] = ""

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.told[_name(test)] = f"{err[0].__name__}: {err[1]}"

    addError = addFailure


def _name(test: unittest.TestCase) -> str:
    return test.id().rpartition(".")[2]


def _cases(way: str, tests: ModuleType, send: Send) -> Iterator[Case]:
    httpbin.app.test_client = lambda: Client(_relay(send), TestResponse)
    result = _Result()
    unittest.defaultTestLoader.loadTestsFromModule(tests).run(result)
    assert result.testsRun > 0
    for test, told in result.told.items():
        name = f"{way}: {test}"
        yield Case(name, not told, told[:300], KNOWN.get(name, ""))


def _relay(send: Send) -> Callable[..., Iterable[bytes]]:
    """An application in the tests' place that asks another, and answers what that one does."""

    def application(environ: dict, start: Callable) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        status, reason, fields, content = send(
            environ["REQUEST_METHOD"], environ["REQUEST_URI"], list(_fields(environ)), body
        )
        start(f"{status} {reason}", fields)
        return [content]

    return application


def _fields(environ: dict) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        name = key.removeprefix("HTTP_").replace("_", "-").title()
        # Some tests send fields without a name, which HTTP does not have.
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH") or (key.startswith("HTTP_") and name and name != "Host"):
            yield name, value


def _over_http(edge: Edge) -> Send:
    connection = http.client.HTTPConnection(*edge.http, timeout=30)

    def send(method: str, target: str, fields: Fields, body: bytes) -> Answer:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", PLAIN)
        chunked = any(name == "Transfer-Encoding" for name, _ in fields)
        for name, value in fields:
            if not (chunked and name == "Content-Length"):
                connection.putheader(name, value)
        connection.endheaders([body] if chunked else body, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.reason, answer.getheaders(), answer.read()

    return send


def _client(edge: Edge) -> httpx.Client:
    context = ssl.create_default_context(cafile=edge.ca)
    return httpx.Client(http1=False, http2=True, verify=context, timeout=30, trust_env=False)


def _over_h2(edge: Edge, client: httpx.Client) -> Send:
    def send(method: str, target: str, fields: Fields, body: bytes) -> Answer:
        # HTTP/2 has no chunks; the length says the same.
        own = [(name, value) for name, value in fields if name != "Transfer-Encoding"]
        url = "https://{}:{}{}".format(*edge.https, target)
        named = {"sni_hostname": SAFE}
        request = client.build_request(method, url, headers=[("Host", SAFE), *own], content=body, extensions=named)
        with_raw = client.send(request, stream=True)
        content = b"".join(with_raw.iter_raw())
        fields = [(name.decode(), value.decode("latin-1")) for name, value in with_raw.headers.raw]
        return with_raw.status_code, with_raw.reason_phrase or "-", fields, content

    return send
