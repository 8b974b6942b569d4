"""sslyze at a terminated name: what is accepted, what must not be, known holes, resumption, and Mozilla's profile."""

import ssl
import struct
from collections.abc import Iterator
from unittest import mock

import sslyze as scanner
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from nassl import _nassl
from sslyze.__version__ import __version__
from sslyze.mozilla_tls_profile import tls_config_checker as mozilla
from sslyze.plugins.certificate_info import implementation as certificates

from .. import hello
from ..edge import Edge, Route, running
from ..raw_backend import RawBackend
from ..score import Case, Score
from ..wire import connect, converse, hear

NAME = "scanned-by-sslyze"
HOST = f"{NAME}.ep-r.io"
OLD, NEW = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"), ("tls_1_2", "tls_1_3")
# The command with which the request's own headers are judged, which are the application's to say.
LEFT_OUT = {scanner.ScanCommand.HTTP_HEADERS}
# A certificate that epr makes for itself at its first start is held by clients that were told to.
KNOWN = {"maximum_certificate_lifespan": "the development certificate, which epr makes for itself"}


def version() -> str:
    return __version__


def run(score: Score) -> None:
    with RawBackend() as backend, running([Route(NAME, "https", backend.address)]) as edge:
        scanned = _scan(edge)
        done = scanned.scan_result
        if done is None:
            score.add([Case("the scan", False, str(scanned.connectivity_error_trace))])
            return
        score.add(_tried(done))
        if score.failures:
            return
        for cases in (_versions, _holes, _sessions, _curves, _certificates):
            score.add(cases(done))
        score.add(_resumption(edge))
        score.add([_hybrid(edge)])
        score.add(_intermediate(scanned))


def _scan(edge: Edge) -> scanner.ServerScanResult:
    where = scanner.ServerNetworkLocation(hostname=HOST, ip_address=edge.https[0], port=edge.https[1])
    trusting = scanner.CertificateInfoExtraArgument(custom_ca_file=edge.ca)
    request = scanner.ServerScanRequest(
        server_location=where,
        network_configuration=scanner.ServerNetworkConfiguration(tls_server_name_indication=HOST),
        scan_commands=set(scanner.ScanCommand) - LEFT_OUT,
        scan_commands_extra_arguments=scanner.ScanCommandsExtraArguments(certificate_info=trusting),
    )
    # Few at once: a debug build on a busy machine must not make its time-outs pass for findings.
    scan = scanner.Scanner(per_server_concurrent_connections_limit=3)
    with mock.patch.object(certificates, "get_certificate_chain", _chain):
        scan.queue_scans([request])
        return next(iter(scan.get_results()))


get_certificate_chain = certificates.get_certificate_chain


def _chain(*arguments):
    """sslyze takes a hello without a name for answered by a certificate or `unrecognized_name`, and else for a bug of
    its own. The edge refuses it as `missing_extension` (RFC 8446 9.2)."""
    try:
        return get_certificate_chain(*arguments)
    except _nassl.OpenSSLError as error:
        if "missing extension" in str(error) and arguments[-1] is False:
            raise _nassl.OpenSSLError("unrecognized name") from error
        raise


def _tried(done: scanner.AllScanCommandsAttempts) -> Iterator[Case]:
    for command in sorted(set(scanner.ScanCommand) - LEFT_OUT):
        attempt = getattr(done, command.value)
        right = attempt.status is scanner.ScanCommandAttemptStatusEnum.COMPLETED
        yield Case(f"{command.value} could be tried", right, f"{attempt.error_reason}: {attempt.error_trace}")


def _versions(done: scanner.AllScanCommandsAttempts) -> Iterator[Case]:
    accepted = {
        each: {one.cipher_suite.name for one in getattr(done, f"{each}_cipher_suites").result.accepted_cipher_suites}
        for each in OLD + NEW
    }
    for old in OLD:
        yield Case(f"{old} is refused", not accepted[old], f"accepted with {sorted(accepted[old])}")
    for new in NEW:
        suites = accepted[new]
        forward = all(name.startswith("TLS_ECDHE_ECDSA_") or new == "tls_1_3" for name in suites)
        sealed = all("_GCM_" in name or "_POLY1305_" in name for name in suites)
        yield Case(f"{new} is accepted", bool(suites))
        yield Case(f"{new} with forward secrecy alone", forward, str(sorted(suites)))
        yield Case(f"{new} with authenticated encryption alone", sealed, str(sorted(suites)))


def _holes(done: scanner.AllScanCommandsAttempts) -> Iterator[Case]:
    robot = done.robot.result.robot_result
    renegotiation = done.session_renegotiation.result
    yield Case("no compression", not done.tls_compression.result.supports_compression)
    yield Case("no Heartbleed", not done.heartbleed.result.is_vulnerable_to_heartbleed)
    yield Case("no CCS injection", not done.openssl_ccs_injection.result.is_vulnerable_to_ccs_injection)
    yield Case("no ROBOT", robot is scanner.RobotScanResultEnum.NOT_VULNERABLE_RSA_NOT_SUPPORTED, robot.name)
    yield Case("renegotiation is told to be secure", renegotiation.supports_secure_renegotiation)
    yield Case("no renegotiation by clients", not renegotiation.is_vulnerable_to_client_renegotiation_dos)
    yield Case("downgrades are noticed", done.tls_fallback_scsv.result.supports_fallback_scsv)
    yield Case("the master secret is extended", done.tls_extended_master_secret.result.supports_ems_extension)
    yield Case("no early data, which could be replayed", not done.tls_1_3_early_data.result.supports_early_data)


def _sessions(done: scanner.AllScanCommandsAttempts) -> Iterator[Case]:
    """Sessions are in tickets alone, for the edge keeps none."""
    ids = done.session_resumption.result.session_id_resumption_result.name
    yield Case("no session is kept by its id", ids == "NOT_SUPPORTED", ids)


def _resumption(edge: Edge) -> Iterator[Case]:
    """sslyze takes a ticket for ignored when a fresh one comes with each resumption: tried by hand instead."""
    for name, newest in (("TLS 1.2", ssl.TLSVersion.TLSv1_2), ("TLS 1.3", ssl.TLSVersion.TLSv1_3)):
        context = ssl.create_default_context(cafile=edge.ca)
        context.minimum_version = context.maximum_version = newest
        session, resumed = None, []
        for _ in range(4):
            with context.wrap_socket(connect(edge.https), server_hostname=HOST, session=session) as stream:
                stream.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
                hear(stream)
                resumed.append(stream.session_reused)
                session = stream.session
        yield Case(f"tickets of {name} resume", resumed == [False, True, True, True], str(resumed))


def _curves(done: scanner.AllScanCommandsAttempts) -> Iterator[Case]:
    curves = {curve.name for curve in done.elliptic_curves.result.supported_curves or []}
    yield Case(
        "X25519, P-256 and P-384, and no other curve", curves == {"X25519", "secp256r1", "secp384r1"}, str(curves)
    )


def _hybrid(edge: Edge) -> Case:
    """sslyze cannot offer it: a hello of ours names it alone, without a share, and must be asked for one."""
    parts = [part for part in hello.extensions(HOST.encode()) if part[:2] not in (b"\0\x0a", b"\0\x33")]
    parts += [hello.extension(10, hello.sized(struct.pack("!H", hello.MLKEM))), hello.shares()]
    heard = converse(connect(edge.https), [hello.record(hello.message(parts))], shut=False, within=1)
    asked = hello.extension(51, struct.pack("!H", hello.MLKEM))
    return Case("X25519MLKEM768 is asked for", heard.data[5:6] == b"\2" and asked in heard.data, repr(heard.data[:200]))


def _certificates(done: scanner.AllScanCommandsAttempts) -> Iterator[Case]:
    info = done.certificate_info.result
    yield Case("a certificate is deployed", bool(info.certificate_deployments))
    for number, chain in enumerate(info.certificate_deployments):
        leaf = chain.received_certificate_chain[0]
        yield Case(f"chain {number} is trusted with the edge's CA", bool(chain.verified_certificate_chain))
        yield Case(f"chain {number} is in order", chain.received_chain_has_valid_order is True)
        yield Case(
            f"chain {number} is without its anchor", chain.received_chain_contains_anchor_certificate is not True
        )
        yield Case(f"chain {number} is without SHA-1", chain.verified_chain_has_sha1_signature is False)
        yield Case(f"chain {number} is of an ECDSA key", isinstance(leaf.public_key(), EllipticCurvePublicKey))


def _intermediate(scanned: scanner.ServerScanResult) -> Iterator[Case]:
    """Mozilla's profile for servers of all clients of today."""
    profile = mozilla.MozillaTlsConfiguration.get(mozilla.TlsConfigurationEnum.MOZILLA_INTERMEDIATE)
    issues: dict[str, str] = {}
    try:
        mozilla.check_server_against_tls_configuration(scanned, profile)
    except mozilla.ServerNotCompliantWithTlsConfiguration as error:
        issues = error.issues
    for what, why in issues.items():
        yield Case(f"Mozilla intermediate: {what}", False, why, KNOWN.get(what, ""))
    yield Case("Mozilla intermediate", not (issues.keys() - KNOWN.keys()), str(issues))
