"""The real `epr up`, on a loopback address and ports of its own, with routes to given backends."""

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BINARY = os.environ.get("EPR_BIN", "epr")
KINDS = {"http": "external-http", "https": "external-https", "h2c": "external-https", "tls": "external-tls-tcp"}


@dataclass(frozen=True)
class Route:
    """A static route `NAME.ep-r.io` to one backend; `kind` is http, https, h2c or tls (passed through)."""

    name: str
    kind: str
    backend: tuple[str, int]

    @property
    def host(self) -> str:
        return f"{self.name}.ep-r.io"


class Edge:
    """A running epr."""

    def __init__(self, process: subprocess.Popen, directory: Path, listening: dict):
        self.process = process
        self.directory = directory
        self.http, self.https, self.admin = (_address(listening[name]) for name in ("http", "https", "admin"))
        self.ca = directory / "data/tls/ca.pem"

    def apply(self, routes: list[Route]) -> None:
        """Declares one deployment for each route; returns when they are served."""
        path = self.directory / "routes.yaml"
        path.write_text("---\n".join(_manifest(route) for route in routes))
        command = [BINARY, "apply", "-f", path, "--data-dir", self.directory / "data"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"epr apply: {done.stdout}{done.stderr}")

    def ended(self) -> bool:
        return self.process.poll() is not None

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")


@contextlib.contextmanager
def running(routes: list[Route], *flags: str) -> Iterator[Edge]:
    """An edge with these routes. When it ended or panicked meanwhile, that is an error."""
    with tempfile.TemporaryDirectory(prefix="epr-conformance-") as name:
        directory = Path(name)
        ports = ("--http", "--https", "--admin", "--grpc", "--api")
        listen = [word for port in ports for word in (port, "127.0.0.1:0")]
        command = [BINARY, "up", "--data-dir", directory / "data", "--log", "warn", *listen, *flags]
        with (directory / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            edge = Edge(process, directory, _listening(process, directory))
            edge.apply(routes)
            yield edge
            if edge.ended() or "panicked" in edge.log():
                raise RuntimeError(f"epr ended or panicked: {edge.log()[-2000:]}")
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()


def _listening(process: subprocess.Popen, directory: Path) -> dict:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            told = json.loads((directory / "data/listening.json").read_text())
            if told.get("https"):
                return told
        time.sleep(0.05)
    raise RuntimeError(f"epr does not start: {(directory / 'log').read_text()[-2000:]}")


def _address(text: str) -> tuple[str, int]:
    host, port = text.rsplit(":", 1)
    return host, int(port)


def _manifest(route: Route) -> str:
    head = f"apiVersion: api.rapyuta.io/v2\nkind: {{}}\nmetadata:\n  name: {route.name}\n"
    protocol = "    backendProtocol: h2c\n" if route.kind == "h2c" else ""
    return (
        head.format("StaticRoute")
        + "---\n"
        + head.format("Package")
        + "  version: v1\nspec:\n  runtime: cloud\n  executables:\n  - name: app\n    docker: {image: example/app}\n"
        + f"  endpoints:\n  - name: E\n    type: {KINDS[route.kind]}\n    targetPort: 8000\n{protocol}"
        + "---\n"
        + head.format("Deployment")
        + f"  depends: {{kind: package, nameOrGUID: {route.name}, version: v1}}\nspec:\n  runtime: cloud\n"
        + f"  staticRoutes:\n  - name: E\n    depends: {{kind: staticroute, nameOrGUID: {route.name}}}\n"
        + f'  backends:\n    E: ["{route.backend[0]}:{route.backend[1]}"]\n'
    )
