"""A wire between a writer and its PostgreSQL server that breaks at the one moment that matters: around a COMMIT."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Literal, Self
from urllib.parse import urlsplit

Breaks = Literal["never", "before", "after", "late"]
"""When it breaks: before the server hears of the COMMIT, after it did it, or long before it hears of it."""

CHUNK = 65_536
LATE_SECONDS = 0.7


class Wire:
    """Listens in the place of a server, and passes everything on until it breaks."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.breaks: Breaks = "never"
        self.for_good = False
        self.swallows = b""
        self.broken = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_listening()

    @property
    def url(self) -> str:
        """The server's URL, through the wire."""
        place = self._parts.netloc.rpartition(":")[0]
        return self._parts._replace(netloc=f"{place}:{self._listener.getsockname()[1]}").geturl()

    def break_(self, when: Breaks, *, for_good: bool = False, swallows: bytes = b"") -> None:
        """Break at the next COMMIT; ``for_good``: nobody gets through afterwards.

        ``swallows``: a connection that says this afterwards falls silent.
        """
        self.breaks, self.for_good, self.swallows = when, for_good, swallows

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._parts.hostname or "", self._parts.port or 0))
                threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        silence = threading.Event()
        answers = threading.Thread(target=_pass_on, args=(server, client, silence), daemon=True)
        answers.start()
        with suppress(OSError), client, server:
            while said := client.recv(CHUNK):
                if b"COMMIT" in said and self.breaks != "never":
                    self._break_at(said, client, server)
                    return
                if self.broken and self.swallows and self.swallows in said:
                    silence.set()
                    _swallow(client)
                    return
                server.sendall(said)

    def _break_at(self, said: bytes, client: socket.socket, server: socket.socket) -> None:
        when, self.breaks = self.breaks, "never"
        self.broken += 1
        if self.for_good:
            self._stop_listening()
        client.shutdown(socket.SHUT_RDWR)
        if when == "late":
            time.sleep(LATE_SECONDS)
        if when != "before":
            server.sendall(said)
            time.sleep(0.2)  # the answer is read, and lost, by the other thread
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _swallow(client: socket.socket) -> None:
    """Neither side hears of the other any more, and nothing is closed, until whoever asks gives up."""
    while client.recv(CHUNK):
        pass


def _pass_on(source: socket.socket, target: socket.socket, silence: threading.Event) -> None:
    with suppress(OSError):
        while said := source.recv(CHUNK):
            with suppress(OSError):
                if not silence.is_set():
                    target.sendall(said)
    if not silence.is_set():
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)  # whoever is served hears that the server has ended
