"""A connection that is libzmq's, by its descriptor: what it has sent, and how it is cut off."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

RECEIVED_AT = 128
"""Where Linux's `struct tcp_info` has the bytes received."""
INFO_BYTES = 256


class Glass:
    """Looks at descriptors of others through one of its own, which it has from the start.

    A number may have become something else's before it is looked at: only what is bound at `address` is touched.
    """

    def __init__(self, address: str) -> None:
        transport, _, self._path = address.partition("://")
        self._port = int(self._path.rpartition(":")[2]) if transport == "tcp" else None
        self._nothing = os.open(os.devnull, os.O_RDONLY)
        self._ours = os.dup(self._nothing)

    def received(self, descriptor: int) -> int | None:
        """Bytes that a connection has sent; None where it is gone, or the system does not count them."""
        with self._look(descriptor) as connection:
            if connection is None or self._port is None:
                return None
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, INFO_BYTES)
            if len(info) < RECEIVED_AT + 8:
                return None
            return int(struct.unpack_from("Q", info, RECEIVED_AT)[0])

    def cut(self, descriptor: int) -> bool:
        """End a connection; libzmq finds it ended, and frees what it holds. False where it is gone."""
        with self._look(descriptor) as connection:
            if connection is None:
                return False
            with suppress(OSError):  # the other side was quicker
                connection.shutdown(socket.SHUT_RDWR)
            return True

    @contextmanager
    def _look(self, descriptor: int) -> Iterator[socket.socket | None]:
        try:
            os.dup2(descriptor, self._ours, inheritable=False)
            connection = socket.socket(fileno=self._ours)
        except OSError:  # closed, or no socket
            yield None
        else:
            yield connection if self._is_of_the_port(connection) else None
            connection.detach()
        finally:
            os.dup2(self._nothing, self._ours, inheritable=False)

    def _is_of_the_port(self, connection: socket.socket) -> bool:
        name = connection.getsockname()
        if connection.family == socket.AF_UNIX:
            return os.fsdecode(name).replace("\0", "@", 1) == self._path
        return connection.family in (socket.AF_INET, socket.AF_INET6) and name[1] == self._port

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._ours)
        os.close(self._nothing)
