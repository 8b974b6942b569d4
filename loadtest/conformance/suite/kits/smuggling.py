"""The smuggling corpus, over plain HTTP and over TLS, at a backend that keeps raw bytes."""

from collections import Counter
from functools import partial
from itertools import chain

from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score
from ..smuggling import chunks, framing, heads, judge
from ..smuggling.payload import Payload
from ..wire import Heard, connect, converse, tls

FAMILIES = [framing.codings, framing.good_codings, framing.lengths, chunks.chunks, chunks.ends, heads.lines]
FAMILIES += [heads.line_ends, heads.fields, heads.hosts, heads.connections, heads.pipelines]


def version() -> str:
    return "ours"


def payloads() -> list[Payload]:
    return list(chain.from_iterable(family() for family in FAMILIES))


def run(score: Score) -> None:
    with RawBackend() as plain, RawBackend() as safe, RawBackend() as pieces:
        routes = [Route("smuggled-plain", "http", plain.address), Route("smuggled-safe", "https", safe.address)]
        routes += [Route("smuggled-pieces", "http", pieces.address)]
        with running(routes) as edge:
            sends = [partial(_whole, edge), partial(_halves, edge, routes[1].host), partial(_pieces, edge)]
            corpus, counts = payloads(), Counter()
            for route, backend, send in zip(routes, (plain, safe, pieces), sends, strict=True):
                for verdict in judge.judge(corpus, backend, route.host, send):
                    counts[verdict.verdict] += 1
                    score.add([Case(f"{route.name}: {verdict.payload.name}", verdict.fine, verdict.told)])
            score.summary = ", ".join(f"{verdict} {count}" for verdict, count in sorted(counts.items()))


def _whole(edge: Edge, data: bytes) -> Heard:
    """At once over plain HTTP, then the end of the client's side."""
    return converse(connect(edge.http), [data], shut=True)


def _halves(edge: Edge, host: str, data: bytes) -> Heard:
    """In two TLS records, then the end of the client's side."""
    half = len(data) // 2
    return converse(tls(edge.https, host, edge.ca), [data[:half], data[half:]], shut=True)


def _pieces(edge: Edge, data: bytes) -> Heard:
    """A few bytes at a time over plain HTTP; the client goes on listening."""
    size = max(len(data) // 50, 1)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    heard = converse(connect(edge.http), pieces, shut=False, within=0.7)
    return Heard(heard.data, "open") if heard.end == "quiet" else heard
