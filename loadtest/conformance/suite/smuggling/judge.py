"""Sends payloads and judges each by what the backend got."""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..raw_backend import RawBackend, Request
from ..wire import Heard
from .payload import Payload, Seen, Should

MARK = re.compile(rb"case[0-9]{5}x")
SOUND, REFUSED = "forwarded soundly", "refused"
DANGEROUS, LAX, STRICT, HANGS = "dangerous", "lax", "refused though sound", "left hanging"


@dataclass(frozen=True)
class Verdict:
    """What became of a payload."""

    payload: Payload
    verdict: str
    told: str

    @property
    def fine(self) -> bool:
        return self.verdict in (SOUND, REFUSED)


Send = Callable[[bytes], Heard]


def judge(payloads: Iterable[Payload], backend: RawBackend, host: str, send: Send, at_once: int = 24) -> list[Verdict]:
    """Sends all of them, each over a connection of its own, then looks at what the backend has."""
    numbered = list(enumerate(payloads, 10_000))

    def play(item: tuple[int, Payload]) -> Heard:
        number, payload = item
        data = payload.data.replace(b"@ID@", mark(number)).replace(b"@HOST@", host.encode())
        return send(data)

    with ThreadPoolExecutor(at_once) as pool:
        heard = list(pool.map(play, numbered))
    seen, faults = sort(backend)
    return [
        _verdict(payload, mark(number), answer, seen, faults)
        for (number, payload), answer in zip(numbered, heard, strict=True)
    ]


def mark(number: int) -> bytes:
    return b"case%dx" % number


def sort(backend: RawBackend) -> tuple[dict[bytes, list[Request]], dict[bytes, str]]:
    """Whole requests and faults by the mark of their case."""
    seen: dict[bytes, list[Request]] = {}
    faults: dict[bytes, str] = {}
    for connection in backend.connections:
        last = b""
        for request in connection.requests:
            marks = set(MARK.findall(request.raw))
            last = next(iter(marks), last)
            seen.setdefault(last, []).append(request)
            if len(marks) > 1:
                faults[last] = f"bytes of several cases in one request: {sorted(marks)}"
        if connection.fault:
            found = MARK.search(connection.rest)
            faults[found[0] if found else last] = f"{connection.fault}, in {connection.rest[:200]!r}"
    for requests in seen.values():
        requests.sort(key=lambda request: request.at)
    return seen, faults


def _verdict(payload: Payload, mark: bytes, heard: Heard, all_seen: dict, faults: dict) -> Verdict:
    def say(verdict: str, told: str = "") -> Verdict:
        return Verdict(payload, verdict, f"{verdict}: {told}; answered {heard.statuses[:3]}, {heard.end}")

    def expected(seen: Seen) -> Seen:
        target = seen.target and seen.target.replace(b"@ID@", mark)
        return Seen(seen.method, target, re.sub(rb"@ID@", mark, seen.body))

    seen = [Seen(request.method, request.target, request.body) for request in all_seen.get(mark, [])]
    then = [expected(one) for one in payload.then]
    if mark in faults:
        return say(DANGEROUS, f"the backend got {faults[mark]}")
    if seen[: len(then)] != then[: len(seen)] or any(b"/evil" in (one.target or b"") for one in seen[len(then) :]):
        return say(DANGEROUS, f"the backend saw {seen}")
    if len(seen) > len(then):
        return say(LAX, f"the backend saw {seen}")
    if heard.end == "quiet":
        return say(HANGS, f"the backend saw {len(seen)} of {len(then)}")
    if payload.should is Should.FORWARD and len(seen) < len(then):
        return say(STRICT, f"the backend saw {len(seen)} of {len(then)}")
    if len(seen) < len(then):
        return say(REFUSED)
    return say(SOUND if seen else REFUSED)
