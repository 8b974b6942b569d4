"""What this example runs in place of real executables: `app.py '{"host": ..., "endpoints": {NAME: KIND}}'`.

Each endpoint is served on a port of its own: KIND "http" answers HTTP/1.1, "tls" echoes over TLS. Prints the ports
as one line of JSON, and ends when its standard input does: it does not outlive whoever started it.
"""

import json
import os
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Web(BaseHTTPRequestHandler):
    """Says who answers; `/env/NAME` says what the variable NAME holds."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        env = os.environ
        if self.path.startswith("/env/"):
            text = env.get(self.path.removeprefix("/env/"), "")
        else:
            names = ("EPR_DEPLOYMENT", "EPR_GENERATION", "EPR_REPLICA")
            told = {name.removeprefix("EPR_").lower(): env.get(name, "") for name in names}
            text = json.dumps(told | {"pid": os.getpid()})
        body = text.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-backend", env.get("EPR_DEPLOYMENT", ""))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Echo(socketserver.BaseRequestHandler):
    def setup(self):
        # Here and not at accept: one client that is slow to shake hands must not keep the others waiting.
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)

    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address):
        super().__init__(address, Echo)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as directory:
            key, cert = Path(directory) / "key.pem", Path(directory) / "cert.pem"
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            command += ["-days", "30", "-subj", "/CN=example", "-keyout", key, "-out", cert]
            subprocess.run(command, check=True, capture_output=True)
            self.tls.load_cert_chain(cert, key)


def main():
    what = json.loads(sys.argv[1])
    ports = {}
    for name, kind in what["endpoints"].items():
        address = (what["host"], 0)
        server = EchoServer(address) if kind == "tls" else ThreadingHTTPServer(address, Web)
        ports[name] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(ports), flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
