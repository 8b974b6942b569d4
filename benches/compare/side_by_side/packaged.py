"""Peers that PyPI has: Envoy, Traefik, Caddy."""

import json

from .contender import PEERS, TERMINATES, Contender, ask_version
from .debian import found_in_python
from .setup import Setup

BIN = PEERS / "venv/bin"


class Envoy(Contender):
    """A virtual host with every name, and a filter chain with every server name."""

    name = "envoy"

    def program(self):
        return [found_in_python("envoy", "_bin", "envoy")]

    def version(self):
        return ask_version([*self.program(), "--version"], r"/(\d+\.\d+\.\d+)/")

    def command(self, setup: Setup):
        names = json.dumps(setup.hosts)
        config = setup.render("envoy.yaml", domains=names, names=names)
        words = ["-c", config, "--concurrency", setup.workers, "-l", "error", "--disable-hot-restart",
                 "--file-flush-interval-msec", "1000"]
        return [*self.program(), *words], {}


class Traefik(Contender):
    """A router for every name."""

    name = "traefik"

    def program(self):
        return [BIN / "traefik"]

    def version(self):
        return ask_version([*self.program(), "version"], r"Version:\s+(\S+)")

    def command(self, setup: Setup):
        dynamic = {
            "http": {
                "routers": {
                    f"r{at}{entry}": {"rule": f"Host(`{host}`)", "service": "app", "entryPoints": [entry],
                                      **({"tls": {}} if entry == "secure" else {})}
                    for entry in ("plain", "secure") for at, host in enumerate(setup.hosts)},
                "services": {"app": {"loadBalancer": {"servers": [{"url": f"http://{setup.backend}"}],
                                                      "passHostHeader": True, "serversTransport": "many"}}},
                "serversTransports": {"many": {"maxIdleConnsPerHost": 512}},
            },
            "tcp": {
                "routers": {
                    f"t{at}": {"rule": f"HostSNI(`{host}`)", "service": "raw", "entryPoints": ["pass"],
                               "tls": {"passthrough": True}}
                    for at, host in enumerate(setup.hosts)},
                "services": {"raw": {"loadBalancer": {"servers": [{"address": setup.raw_backend}]}}},
            },
            "tls": {"certificates": [{"certFile": str(setup.cert), "keyFile": str(setup.key)}]},
        }
        setup.write("dynamic.yaml", json.dumps(dynamic))
        words = ["--configFile", setup.render("traefik.yaml")]
        # Go would start as many threads as the machine has cores.
        return [*self.program(), f"{words[0]}={words[1]}"], {"GOMAXPROCS": str(setup.workers)}


class Caddy(Contender):
    """One route that matches every name; it passes nothing through."""

    name = "caddy"
    duties = TERMINATES

    def program(self):
        return [BIN / "caddy"]

    def version(self):
        return ask_version([*self.program(), "version"], r"v(\S+)")

    def command(self, setup: Setup):
        config = setup.render("caddy.json", names=json.dumps(setup.hosts))
        environment = {"GOMAXPROCS": str(setup.workers), "HOME": str(setup.dir), "XDG_DATA_HOME": str(setup.dir)}
        return [*self.program(), "run", "--config", config], environment
