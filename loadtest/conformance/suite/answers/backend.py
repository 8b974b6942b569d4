"""A backend that answers by what is asked for: hostile answers by their number, sound ones by their word."""

import contextlib
import re
import socket
import struct
import threading
import time

from ..raw_backend import Connection, RawBackend, Request
from .payload import Answer, End

# How long the edge has to do with an answer, then to notice that more came.
LATE = 0.05


class HostileBackend(RawBackend):
    """Answers `/hostile/N` by the answer of that number, and `/sound/WORD` by the word."""

    def __init__(self, answers: list[Answer]):
        super().__init__()
        self.answers = answers
        self.late = [threading.Event() for _ in answers]

    def _serve(self, stream: socket.socket) -> None:
        connection = Connection()
        self.connections.append(connection)
        with stream, contextlib.suppress(OSError):
            while chunk := stream.recv(65536):
                connection.data += chunk
                taken = connection.take()
                for request in connection.requests[len(connection.requests) - taken :]:
                    if not self._play(stream, request):
                        return

    def _play(self, stream: socket.socket, request: Request) -> bool:
        """Whether the connection stays."""
        if sound := re.fullmatch(rb"/sound/([\w-]+)", request.target):
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(sound[1]), sound[1]))
            return True
        number = re.match(rb"/hostile/([0-9]+)", request.target)
        if not number:
            return False
        answer = self.answers[int(number[1])]
        stream.sendall(answer.data)
        if answer.late:
            time.sleep(LATE)
            try:
                stream.sendall(answer.late)
            finally:
                self.late[int(number[1])].set()
        if answer.end is End.RESET:
            # What is read already must come through before the reset does, or there is nothing to be cut.
            time.sleep(LATE)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return answer.end is End.KEEP
