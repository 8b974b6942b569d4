"""Hostile answers through the edge, judged at a strict client that asks for a sound one next.

Never two answers for one request, never one with ambiguous framing, never bytes of one within another, and what was
cut never looks whole: over HTTP/1.1, over TLS, and translated to HTTP/2.
"""

import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain

from .. import h2_wire
from ..answers import bodies, heads
from ..answers.backend import LATE, HostileBackend
from ..answers.payload import Answer, Should
from ..answers.reader import HOP, Client, Reply
from ..edge import Edge, Route, running
from ..raw_backend import VALUE, Fault
from ..score import Case, Score
from ..wire import connect, tls

FAMILIES = [heads.lines, heads.fields, heads.lengths, heads.codings, bodies.chunks, bodies.trailers, bodies.cuts]
FAMILIES += [bodies.behind, bodies.bodiless, bodies.interims, bodies.hops, bodies.upgrades]
SOUND, REFUSED, CUT = "forwarded soundly", "refused", "cut off"
DANGEROUS, LAX, STRICT, HANGS = "dangerous", "lax", "refused though sound", "left hanging"
SKIPPED = "not for this version of HTTP"
# What the edge answers where a backend failed. No backend here answers so.
FAILED = (502, 503, 504)
LANES = 16

Verdict = tuple[str, str]


def version() -> str:
    return "ours"


def answers() -> list[Answer]:
    return list(chain.from_iterable(family() for family in FAMILIES))


def run(score: Score) -> None:
    """Each lane has a route, thus a pool of its own: what comes late must find the connection idle, not lent again."""
    corpus, counts = answers(), Counter()
    kinds = {"plain": ("http", _plain), "safe": ("https", _safe), "two": ("https", _two)}
    with contextlib.ExitStack() as stack:
        backends = {name: [stack.enter_context(HostileBackend(corpus)) for _ in range(LANES)] for name in kinds}
        routes = {
            name: [Route(f"hostile-{name}-{at}", kind, lane.address) for at, lane in enumerate(backends[name])]
            for name, (kind, _) in kinds.items()
        }
        edge = stack.enter_context(running(list(chain(*routes.values()))))
        pool = stack.enter_context(ThreadPoolExecutor(LANES))
        for name, (_, talk) in kinds.items():
            lanes = [range(lane, len(corpus), LANES) for lane in range(LANES)]
            for verdicts in pool.map(partial(_lane, edge, talk), routes[name], backends[name], lanes):
                for number, verdict, told in (one for one in verdicts if one[1] != SKIPPED):
                    counts[verdict] += 1
                    fine = verdict in (SOUND, REFUSED, CUT)
                    score.add([Case(f"{name}: {corpus[number].name}", fine, f"{verdict}: {told}")])
            # Or bytes behind answers would be tried by nothing.
            again = sum(len(each.requests) - 1 for lane in backends[name] for each in lane.connections if each.requests)
            score.add([Case(f"{name}: connections to backends are used again", again > 100, f"{again} times")])
    score.summary = ", ".join(f"{verdict} {count}" for verdict, count in sorted(counts.items()))


def _lane(
    edge: Edge, talk: Callable, route: Route, backend: HostileBackend, numbers: range
) -> list[tuple[int, str, str]]:
    return [(number, *talk(edge, route, backend, number)) for number in numbers]


def _plain(edge: Edge, route: Route, backend: HostileBackend, number: int) -> Verdict:
    return _converse(lambda: Client(connect(edge.http)), route, backend, number)


def _safe(edge: Edge, route: Route, backend: HostileBackend, number: int) -> Verdict:
    return _converse(lambda: Client(tls(edge.https, route.host, edge.ca)), route, backend, number)


def _await_late(backend: HostileBackend, number: int) -> None:
    if backend.answers[number].late:
        backend.late[number].wait(5)
        time.sleep(LATE)


def _converse(opens: Callable[[], Client], route: Route, backend: HostileBackend, number: int) -> Verdict:
    """The hostile answer, then a sound one over the same connection, if it stays, to its end."""
    answer, host, word = backend.answers[number], f"Host: {route.host}\r\n".encode(), f"word-{number}"
    client = opens()
    try:
        client.send(answer.method + b" /hostile/%d HTTP/1.1\r\n" % number + host + answer.asks + b"\r\n")
        first = client.reply(answer.method)
        if client.data:
            raise Fault(f"bytes behind the answer: {client.data[:200]!r}")
        verdict = _judge(answer, first, client.end)
        _await_late(backend, number)
        ask = f"GET /sound/{word} HTTP/1.1\r\n".encode() + host + b"Connection: close\r\n\r\n"
        if client.end or (first and first.closes):
            client.more(time.monotonic() + 2)
            if client.data:
                raise Fault(f"bytes behind the answer: {client.data[:200]!r}")
            client.stream.close()
            client = opens()
        client.send(ask)
        second = client.reply(b"GET")
        while client.more(time.monotonic() + 2):
            pass
    except Fault as fault:
        return DANGEROUS, str(fault)
    finally:
        client.stream.close()
    if second is None or (second.status, second.body, second.whole) != (200, word.encode(), True) or client.data:
        told = f"{second.status} {second.body[:80]!r}" if second else f"nothing, {client.end}"
        return DANGEROUS, f"the next answer was {told}, behind it {client.data[:80]!r}"
    return verdict


def _judge(answer: Answer, reply: Reply | None, end: str) -> Verdict:
    """What became of an answer, by what the client read."""
    if reply is None:
        return (HANGS, "no answer") if end == "quiet" else (CUT if answer.should is not Should.FORWARD else STRICT, end)
    told = f"{reply.status}, {len(reply.body)} bytes {reply.body[:60]!r}, {'whole' if reply.whole else 'cut'}, {end}"
    raw = b"".join(b"%s: %s\n" % pair for each in [reply, *reply.interims] for pair in each.fields) + reply.body
    if reply.status in FAILED:
        return (STRICT if answer.should is Should.FORWARD else REFUSED) if reply.whole else HANGS, told
    if answer.absent in raw:
        return DANGEROUS, f"{answer.absent!r} came through: {raw[:300]!r}"
    if hop := [key for key, _ in reply.fields if key.lower() in HOP]:
        return DANGEROUS, f"fields of one hop came through: {hop}"
    if not reply.whole:
        if end == "quiet":
            return HANGS, told
        return CUT if answer.should is not Should.FORWARD else STRICT, told
    if answer.should is Should.REFUSE:
        return LAX, told
    if reply.status not in answer.statuses or (reply.body != answer.body):
        return DANGEROUS, f"changed: {told}"
    return SOUND, told


def _two(edge: Edge, route: Route, backend: HostileBackend, number: int) -> Verdict:
    answer, word = backend.answers[number], f"word-{number}"
    if answer.asks:
        return SKIPPED, "fields of HTTP/1.1 alone"
    with h2_wire.Peer(edge, route.host) as peer:
        first = _ask_two(peer, route, 1, answer.method, f"/hostile/{number}")
        _await_late(backend, number)
        second = _ask_two(peer, route, 3, b"GET", f"/sound/{word}")
        said = peer.said
    if said.goaway is not None or isinstance(second, str) or (second.status, second.body) != (200, word.encode()):
        return DANGEROUS, f"the next answer was {second}; {said}"
    if isinstance(first, str):
        return DANGEROUS, first
    if not set(said.bodies) | set(said.statuses) <= {1, 3}:
        return DANGEROUS, f"other streams: {said}"
    if 1 not in said.over:
        return HANGS, str(said)
    return _judge(answer, first if first.status else None, "reset" if 1 in said.resets else "fin")


def _ask_two(peer: h2_wire.Peer, route: Route, stream: int, method: bytes, path: str) -> Reply | str:
    """An answer over HTTP/2, or what is wrong about it (RFC 9113 8.1, 8.2)."""
    fields = [(b":method", method), (b":scheme", b"https"), (b":authority", route.host.encode())]
    peer.send(h2_wire.headers(stream, [*fields, (b":path", path.encode())]))
    said = peer.over(stream, within=8)
    blocks, reply = said.fields.get(stream, []), Reply(0, [])
    for block in blocks:
        for name, value in block:
            connection = name in (*HOP, b"connection", b"transfer-encoding")
            if (
                connection
                or not re.fullmatch(rb":status|[!#$%&'*+\-.^_`|~0-9a-z]+", name)
                or not VALUE.fullmatch(value)
            ):
                return f"field {name!r}: {value[:80]!r}"
        if not (status := dict(block).get(b":status")):
            reply.fields += block
        elif status.startswith(b"1"):
            reply.interims.append(Reply(int(status), block))
        elif reply.status:
            return f"two heads: {blocks}"
        else:
            reply.status, reply.fields = int(status), block
    reply.body = said.bodies.get(stream, b"")
    reply.whole = stream in said.over and stream not in said.resets
    lengths = {int(value) if value.isdigit() else value for value in reply.values(b"content-length")}
    if any(isinstance(length, bytes) for length in lengths):
        return f"lengths {lengths}"
    bodiless = method == b"HEAD" or reply.status in (204, 304)
    if reply.whole and not bodiless and lengths and lengths != {len(reply.body)}:
        return f"a whole body of {len(reply.body)} with lengths {lengths}"
    if len(reply.values(b"content-length")) > 1 or len([1 for name, _ in reply.fields if name == b":status"]) > 1:
        return f"fields {reply.fields}"
    return reply
