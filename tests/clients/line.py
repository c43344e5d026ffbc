"""A line to a server that can break: it hands calls on, and at a moment of the test's choice not the answer."""

from __future__ import annotations

import contextlib
import socket
import threading

from dispatch.embedded.ports import free_port


class Line:
    """Listens at `address`. After the whole answer of call number `breaks_at` was heard, the caller's connection is
    closed without a word of it.
    """

    def __init__(self, port: int, breaks_at: int = 0) -> None:
        self.port, self.breaks_at = port, breaks_at
        self.calls: list[bytes] = []
        self.swallowed: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", free_port()))
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        self._ends.set()
        with socket.create_connection(self._listening.getsockname()):
            pass
        self._thread.join(10)
        self._listening.close()

    def _listen(self) -> None:
        while True:
            caller, _ = self._listening.accept()
            if self._ends.is_set():
                caller.close()
                return
            with caller, contextlib.suppress(OSError):  # the server is away, or the caller waits no longer
                self._hand_on(caller)

    def _hand_on(self, caller: socket.socket) -> None:
        """One call on a connection of its own: what is said to it ends with what its Content-Length says."""
        asked = _whole(caller)
        if not asked:
            return
        head, _, body = asked.partition(b"\r\n\r\n")
        self.calls.append(asked)
        with socket.create_connection(("127.0.0.1", self.port), 60) as server:
            server.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            answer = b"".join(iter(lambda: server.recv(65536), b""))
        if len(self.calls) == self.breaks_at:
            self.swallowed.append(answer)
            return
        caller.sendall(answer)


def _whole(caller: socket.socket) -> bytes:
    asked = b""
    while b"\r\n\r\n" not in asked:
        piece = caller.recv(65536)
        if not piece:
            return b""
        asked += piece
    head, _, body = asked.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += caller.recv(65536)
    return head.replace(b"\r\nConnection: keep-alive", b"") + b"\r\n\r\n" + body
