"""epr and the floor."""

import os
from pathlib import Path

from . import route_cache
from .around import rig
from .cells import Duty
from .contender import Contender, ask_version
from .setup import REPOSITORY, Setup


def binary() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return Path(os.environ.get("EPR_BIN", target / "release" / "epr"))


class Epr(Contender):
    """The data plane alone, on a table read from its cache; its control does not answer."""

    name = "epr"
    peer = False
    advice = "cargo build --release --locked -p cli (or name one by EPR_BIN)"

    def program(self):
        return [binary()]

    def version(self):
        return ask_version([*self.program(), "--version"], r"(\S+)\s*$")

    def command(self, setup: Setup):
        data = setup.dir / "data"
        data.mkdir(mode=0o700)
        backend = setup.raw_backend if setup.duty is Duty.PASSTHROUGH else setup.backend
        route_cache.write(data / "routes.cache", setup.duty, iter(setup.hosts), setup.routes, backend)
        token = setup.write("token", "a" * 43)
        https = setup.ports["pass" if setup.duty is Duty.PASSTHROUGH else "https"]
        words = f"""proxy --control http://127.0.0.1:9 --token-file {token} --data-dir {data}
            --http 127.0.0.1:{setup.ports["http"]} --https 127.0.0.1:{https}
            --admin 127.0.0.1:{setup.ports["admin"]} --workers {setup.workers} --access-log {setup.log}
            --cert {setup.cert} --key {setup.key} --connections-per-source 20000 --log error"""
        return [*self.program(), *words.split()], {}


class Floor(Contender):
    """The bare relay: reads nothing, logs nothing, routes nowhere."""

    name = "floor"
    can = frozenset({"websocket"})
    peer = False
    logs = False
    forwards = ()
    advice = "cargo build --release --locked -p rig"
    held = 9_000
    """Each has a connection to the backend, and files are bounded."""

    def program(self):
        return [rig()]

    def version(self):
        return "of this tree"

    def command(self, setup: Setup):
        backend = setup.raw_backend if setup.duty is Duty.PASSTHROUGH else setup.backend
        words = ["floor", "--listen", f"127.0.0.1:{setup.port}", "--backend", backend]
        if setup.duty is Duty.HTTPS:
            words += ["--cert", setup.cert, "--key", setup.key]
        return [*self.program(), *words], {}
