"""The cells of the table: what is measured, and when its goal is met."""

from dataclasses import dataclass, field
from enum import Enum


class Duty(Enum):
    """What the routes are for."""

    HTTP = "http"
    HTTPS = "https"
    PASSTHROUGH = "passthrough"


class How(Enum):
    """By what a cell is measured."""

    LOAD = "load"  # the rig's load: CPU of the proxy a unit
    H2LOAD = "h2load"
    MEMORY = "memory"  # bytes of resident memory a connection
    IMBALANCE = "imbalance"  # connections of the busiest worker to the mean
    BIND = "bind"  # the bench bind_to_served


@dataclass(frozen=True)
class Goal:
    """Met when the upper bound of ours to `against` is at most `most`.

    `against` is "best" (the cheapest peer that did the same), the beginning of contenders' names, or
    "absolute" for a figure that is compared with nothing. A parity is met when the interval touches 1.
    """

    most: float
    against: str = "best"
    parity: bool = False

    def __str__(self) -> str:
        if self.parity:
            return f"parity with {self.against}"
        return f"<= {self.most:g}" if self.against == "absolute" else f"<= {self.most:g} of {self.against}"


PARITY = Goal(1.0, parity=True)


@dataclass(frozen=True)
class Cell:
    name: str
    what: str
    duty: Duty
    unit: str
    goals: tuple[Goal, ...]
    load: tuple[str, ...] = ()
    how: How = How.LOAD
    needs: frozenset[str] = frozenset()
    """Besides the duty: h2, websocket."""
    mebibytes: float = 0.0
    """MiB in a unit, where the figure is for one MiB."""
    saturates: bool = True
    logged: bool = True
    """Whether each unit is a request or a connection, for which there is a line."""
    hosts_asked: int = 0
    """How many of the routes are asked for; 0 for all."""
    group: str | None = None
    """The key exchange without which a contender does not compare."""
    resumed: bool = False
    versions: tuple[tuple[str, dict], ...] = field(default=())
    """Contenders of our own instead of the peers: name, and what differs in the set-up. The second one
    is the one the goal is about."""


def cell(name, what, duty, load="", *, unit="us of CPU a request", goals=(PARITY,), **more) -> Cell:
    return Cell(name, what, duty, unit, tuple(goals), tuple(load.split()), **more)


HTTP, HTTPS, PASS = Duty.HTTP, Duty.HTTPS, Duty.PASSTHROUGH
PER_MIB = {"unit": "us of CPU a MiB", "mebibytes": 1.0}
SHAKE = {"unit": "us of CPU a handshake and request", "goals": [Goal(0.85), Goal(0.5, "nginx")]}
MEMORY = {"unit": "bytes a connection", "how": How.MEMORY, "saturates": False}

CELLS = [
    cell("h1-64b", "HTTP/1.1, 64 B, keep-alive, saturated", HTTP, "--size 64", goals=[Goal(0.70)]),
    cell("h1-4000", "the same at 4,000 req/s offered", HTTP, "--size 64 --rate 4000", goals=[Goal(0.85)],
         saturates=False),
    cell("h1-close", "HTTP/1.1, one connection a request", HTTP, "--size 64 --once", goals=[Goal(0.90)]),
    cell("h1-64k", "64 KiB response", HTTP, "--size 65536", goals=[Goal(0.85)]),
    cell("h1-1m", "1 MiB response", HTTP, "--size 1048576 --connections 16", **PER_MIB),
    cell("upload-1m", "1 MiB upload", HTTP, "--kind upload --size 1048576 --connections 16", **PER_MIB),
    cell("https-64b", "HTTPS, HTTP/1.1, 64 B", HTTPS, "--tls --size 64", goals=[Goal(0.65)]),
    cell("https-1m", "HTTPS, 1 MiB response", HTTPS, "--tls --size 1048576 --connections 16", **PER_MIB),
    cell("h2-64b", "HTTPS, HTTP/2, 8 connections x 32 streams", HTTPS, how=How.H2LOAD, needs=frozenset({"h2"}),
         goals=[Goal(0.90, "nginx-1.26"), Goal(0.90, "haproxy-3.0")]),
    cell("tls-full", "full handshake and request, X25519", HTTPS, "--tls --once --size 64 --group x25519",
         group="X25519", **SHAKE),
    cell("tls-mlkem", "full handshake and request, X25519MLKEM768", HTTPS,
         "--tls --once --size 64 --group x25519mlkem768", group="X25519MLKEM768", unit=SHAKE["unit"],
         goals=[*SHAKE["goals"], Goal(0.7, "envoy")]),
    cell("tls-resumed", "resumed handshake and request", HTTPS,
         "--tls --once --size 64 --group x25519 --resume --warm 2", group="X25519", resumed=True, hosts_asked=16,
         **SHAKE),
    cell("sni-short", "SNI passthrough, a short connection", PASS, "--kind passthrough --size 64 --once",
         unit="us of CPU a connection"),
    cell("sni-bulk", "SNI passthrough, bulk", PASS, "--kind passthrough --size 16777216 --connections 8",
         unit="us of CPU a MiB", mebibytes=16.0, logged=False, goals=[Goal(0.85)]),
    cell("websocket", "WebSocket, 128 B there and back", HTTP, "--kind websocket --size 128",
         unit="us of CPU a message", needs=frozenset({"websocket"}), logged=False),
    cell("idle-plain", "memory of an idle connection", HTTP, goals=[Goal(2000, "absolute")], **MEMORY),
    cell("idle-tls", "memory of an idle TLS connection", HTTPS, goals=[Goal(12_000, "absolute")], **MEMORY),
    cell("routes-1m", "CPU at 1M routes next to 10", HTTP, "--size 64", goals=[Goal(1.15, "epr@10")],
         versions=(("epr@10", {"routes": 10}), ("epr@1M", {"routes": 1_000_000}))),
    cell("bind-1m", "one route added among 1M under load, p99", HTTP, unit="ms from durable commit to first served",
         how=How.BIND, goals=[Goal(5.0, "absolute")], saturates=False),
    cell("workers-2", "two workers next to one", HTTP, "--size 64", goals=[Goal(1.1, "epr-1-worker")],
         saturates=False, versions=(("epr-1-worker", {"workers": 1}), ("epr-2-workers", {"workers": 2}))),
    cell("imbalance", "two workers under 10k connections", HTTP, unit="connections of the busier to the mean",
         how=How.IMBALANCE, goals=[Goal(1.2, "absolute")], saturates=False,
         versions=(("epr-2-workers", {"workers": 2}),)),
]


def chosen(names: str | None) -> list[Cell]:
    """The cells of these names, separated by commas; all without any."""
    if names is None:
        return CELLS
    known = {cell.name: cell for cell in CELLS}
    wanted = names.split(",")
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(f"no cell {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in wanted]
