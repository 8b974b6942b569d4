"""What stands around the contenders: rig, backend, certificate, sink of log lines."""

import os
import subprocess
from pathlib import Path

from .setup import DOMAIN, OTHER_CORE, REPOSITORY, Fault, said, start, stop


def rig() -> Path:
    """The rig's program; CARGO_TARGET_DIR and COMPARE_RIG say where to look."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return Path(os.environ.get("COMPARE_RIG", target / "release" / "rig"))


class Backend:
    """The backend of all rounds."""

    def __init__(self):
        self.process = start([rig(), "backend"], OTHER_CORE, stdout=subprocess.PIPE)
        addresses = said(self.process)
        self.http, self.tls = addresses["http"], addresses["tls"]

    def close(self):
        stop(self.process)


class Sink:
    """Reads what one start of a contender logs, and counts its lines."""

    def __init__(self, directory: Path):
        self.pipe, self.socket = directory / "access.pipe", directory / "access.socket"
        self.counts = [directory / "pipe.lines", directory / "socket.lines"]
        os.mkfifo(self.pipe)
        self.processes = [
            start([rig(), "sink", option, path, "--count", count], OTHER_CORE, stdout=subprocess.PIPE)
            for option, path, count in (
                ("--pipe", self.pipe, self.counts[0]), ("--socket", self.socket, self.counts[1]))
        ]
        for process in self.processes:
            said(process)

    def lines(self) -> int:
        return sum(int(count.read_text() or 0) for count in self.counts)

    def close(self):
        for process in self.processes:
            stop(process)


def certificate(directory: Path) -> tuple[Path, Path, Path]:
    """A certificate (ECDSA P-256, for every name of the domain), its key, and both in one file."""
    cert, key, pem = (directory / name for name in ("cert.pem", "key.pem", "both.pem"))
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", f"/CN={DOMAIN}", "-addext", "basicConstraints=critical,CA:FALSE",
         "-addext", f"subjectAltName=DNS:*.{DOMAIN},DNS:{DOMAIN}", "-keyout", key, "-out", cert],
        check=False, capture_output=True, text=True)
    if made.returncode != 0:
        raise Fault(f"openssl: {made.stderr}")
    pem.write_text(cert.read_text() + key.read_text())
    for path in (directory, cert, key, pem):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return cert, key, pem
