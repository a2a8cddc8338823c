"""Socket that the page is served at, on loopback."""

import errno
import os
import socket

from ..errors import PublishError

HOST = "127.0.0.1"
DEFAULT_PORT = 8556


def listen(port: int | None) -> socket.socket:
    """Return a socket at a port of loopback, 0 for any free one; None for 8556, or any free one if that is taken.

    Raises PublishError if the port cannot be had.
    """
    try:
        return socket.create_server((HOST, DEFAULT_PORT if port is None else port))
    except OSError as error:
        if port is None and error.errno == errno.EADDRINUSE:
            return socket.create_server((HOST, 0))
        reason = os.strerror(error.errno or 0)  # without the address, which Python adds to it
        raise PublishError(f"cannot show the page at port {port}: {reason}; give another --port, or 0") from error


def page_address(listening: socket.socket) -> str:
    """Return the address by which a browser opens the page."""
    return f"http://{HOST}:{listening.getsockname()[1]}/"
