"""Peers that crates.io has: sozu as a program, Pingora under a small main of ours."""

from .contender import PEERS, TERMINATES, Contender, ask_version
from .setup import Setup


class Sozu(Contender):
    """A cluster with a frontend for every name."""

    name = "sozu"
    duties = TERMINATES
    forwards = ("x-forwarded-for", "x-forwarded-proto")
    """It has no X-Forwarded-Host of what was asked for; Host goes on as it came."""

    def program(self):
        return [PEERS / "sozu/bin/sozu"]

    def version(self):
        return ask_version([*self.program(), "--version"], r"(\d+\.\d+\.\d+)")

    def command(self, setup: Setup):
        fronts = "".join(
            f'  {{ address = "127.0.0.1:{port}", hostname = "{host}"{more} }},\n'
            for port, more in ((setup.ports["http"], ""), (setup.ports["https"], ""))
            for host in setup.hosts)
        return [*self.program(), "start", "-c", setup.render("sozu.toml", frontends=fronts)], {}


class Pingora(Contender):
    """A set of names in front of one peer."""

    name = "pingora"
    duties = TERMINATES

    def program(self):
        return [PEERS / "bin/pingora-peer"]

    def version(self):
        return "0.9.1"

    def command(self, setup: Setup):
        hosts = setup.write("hosts", "".join(f"{host}\n" for host in setup.hosts))
        ports = [f"127.0.0.1:{setup.ports[name]}" for name in ("http", "https")]
        return [*self.program(), *ports, setup.backend, hosts, setup.cert, setup.key, setup.workers], {}
