"""testssl.sh at a terminated name: each finding worse than advice is a failure."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score

PROGRAM = "testssl"
HOST = "scanned-by-sh.ep-r.io"
BAD = ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL")
DEVELOPMENT = "the development certificate, whose own CA no store has and which nobody revokes"
# Findings about the certificate that epr makes for itself, and what testssl cannot do here.
KNOWN = {
    "cert_chain_of_trust": DEVELOPMENT,
    "cert_revocation": DEVELOPMENT,
    "cert_crlDistributionPoints": DEVELOPMENT,
    "cert_ocspURL": DEVELOPMENT,
    "cert_caIssuers": DEVELOPMENT,
    "OCSP_stapling": DEVELOPMENT,
    "DNS_CAArecord": "the name is in no DNS",
    "overall_grade": "follows from the development certificate",
    "cipher_order": "all suites are AEADs with forward secrecy; the client has the say between AES and ChaCha20",
    "security_headers": "the application's to say",
    "HSTS": "the application's to say: an edge that adds it would decide for it",
}


def version() -> str | None:
    if not shutil.which(PROGRAM):
        return None
    told = subprocess.run(
        [PROGRAM, "--version"], capture_output=True, text=True, check=False, env=_environment()
    ).stdout
    found = re.search(r"testssl\S*\s+(?:version\s+)?([0-9]+\.[0-9.]+)", told)
    return found[1] if found else "?"


def _environment() -> dict[str, str]:
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "TERM": "dumb",
        "HOME": tempfile.gettempdir(),
    }


def run(score: Score) -> None:
    with RawBackend() as backend, running([Route("scanned-by-sh", "https", backend.address)]) as edge:
        score.add(_findings(edge))


def _findings(edge: Edge) -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "findings.json"
        flags = [
            "--jsonfile",
            out,
            "--ip",
            edge.https[0],
            "--nodns",
            "none",
            "--warnings",
            "off",
            "--color",
            "0",
            "--add-ca",
            edge.ca,
        ]
        command = [PROGRAM, *flags, "--openssl-timeout", "10", f"{HOST}:{edge.https[1]}"]
        subprocess.run(
            command, capture_output=True, timeout=900, check=False, stdin=subprocess.DEVNULL, env=_environment()
        )
        findings = json.loads(out.read_text())
    for one in findings:
        known = next((why for key, why in KNOWN.items() if one["id"].startswith(key)), "")
        yield Case(one["id"], one["severity"] not in BAD, f"{one['severity']}: {one['finding']}", known)
