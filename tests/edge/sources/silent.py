"""Servers on loopback that accept and then say nothing, or half of something."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_server(says: bytes = b"", connected: threading.Event | None = None) -> Iterator[int]:
    """Its port; every client gets `says` and then nothing, and stays. The first sets `connected`."""
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                client = listening.accept()[0]
            except OSError:  # closed
                return
            kept.append(client)
            client.sendall(says)
            if connected is not None:
                connected.set()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for client in kept:
                client.close()
