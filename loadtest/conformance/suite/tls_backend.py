"""Listens on loopback, keeps what comes over each connection, and answers the first bytes of it by a word."""

import contextlib
import socket
import threading

WORD = b"passed through"


class BytesBackend:
    """A backend of a route that is passed through."""

    def __enter__(self) -> "BytesBackend":
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = self.listener.getsockname()
        self.got: list[bytearray] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                stream, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream: socket.socket) -> None:
        kept = bytearray()
        self.got.append(kept)
        with stream, contextlib.suppress(OSError):
            while chunk := stream.recv(65536):
                if not kept:
                    stream.sendall(WORD)
                kept += chunk
