"""Access to libzmq's own TCP and IPC connections, by their file descriptors."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BYTES_RECEIVED_OFFSET = 128
"""Offset of `tcpi_bytes_received` in Linux's `struct tcp_info`."""
TCP_INFO_BYTES = 256


class ConnectionProbe:
    """Access to the connections of a socket bound at `address`, through one descriptor reserved from the start.

    libzmq may close a connection at any time, and its descriptor may then belong to something else. So the descriptor
    is duplicated first, and only connections that are bound at `address` are touched.
    """

    def __init__(self, address: str) -> None:
        transport, _, self._path = address.partition("://")
        self._port = int(self._path.rpartition(":")[2]) if transport == "tcp" else None
        self._placeholder = os.open(os.devnull, os.O_RDONLY)
        self._reserved = os.dup(self._placeholder)

    def bytes_received(self, descriptor: int) -> int | None:
        """Return the number of bytes received from a peer; None if it is gone or the system does not count them."""
        with self._duplicate(descriptor) as connection:
            if connection is None or self._port is None:
                return None
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
            if len(info) < BYTES_RECEIVED_OFFSET + 8:
                return None
            return int(struct.unpack_from("Q", info, BYTES_RECEIVED_OFFSET)[0])

    def shut_down(self, descriptor: int) -> bool:
        """End a connection, which makes libzmq free its memory. Returns False if the connection is gone already."""
        with self._duplicate(descriptor) as connection:
            if connection is None:
                return False
            with suppress(OSError):  # the peer was quicker
                connection.shutdown(socket.SHUT_RDWR)
            return True

    @contextmanager
    def _duplicate(self, descriptor: int) -> Iterator[socket.socket | None]:
        try:
            os.dup2(descriptor, self._reserved, inheritable=False)
            connection = socket.socket(fileno=self._reserved)
        except OSError:  # closed, or not a socket
            yield None
        else:
            yield connection if self._is_bound_here(connection) else None
            connection.detach()
        finally:
            os.dup2(self._placeholder, self._reserved, inheritable=False)

    def _is_bound_here(self, connection: socket.socket) -> bool:
        name = connection.getsockname()
        if connection.family == socket.AF_UNIX:
            return os.fsdecode(name).replace("\0", "@", 1) == self._path
        return connection.family in (socket.AF_INET, socket.AF_INET6) and name[1] == self._port

    def close(self) -> None:
        """Close the reserved descriptors."""
        os.close(self._reserved)
        os.close(self._placeholder)
