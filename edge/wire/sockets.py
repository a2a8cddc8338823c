"""ZeroMQ sockets: binding and connecting at the user's addresses, and waking a thread that polls them."""

import errno
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from ..errors import PublishError, UsageError
from ..system.files import is_there
from .addresses import DEFAULT_ADDRESS, check_address

if TYPE_CHECKING:
    from .keys import ClientKeys, ServerKeys

MAX_TOPIC_BYTES = 100
"""Largest subscription, in bytes, that a publisher accepts; every topic is shorter."""
LINGER_MS = 1000
"""Time that an ending program gives its last messages to be sent."""


def bind(
    sock: "zmq.Socket[bytes]",
    address: str,
    keys: "ServerKeys | None",
    doing: str,
    option: str,
    *,
    may_be_off: bool = True,
) -> str:
    """Bind a socket, with keys if given. Returns the address with its actual port.

    Raises UsageError if the address is malformed, PublishError if it is not available; the error names what failed
    (`doing`, such as "publish") and the command-line option that gave the address, which `may_be_off` or not.
    """
    check_address(address, option, binds=True)
    if keys is not None:
        keys.apply(sock)
    sock.setsockopt(zmq.LINGER, LINGER_MS)
    sock.setsockopt(zmq.IPV6, int("[" in address))
    try:
        if is_taken(address):
            raise zmq.ZMQError(zmq.EADDRINUSE)
        sock.bind(address)
    except zmq.ZMQError as error:
        remedy = f"give an address of this machine that is free, like {option} tcp://127.0.0.1:6556"
        if error.errno == zmq.EADDRINUSE:
            remedy = f"another foal-edge may run there: end it, {'' if may_be_off else 'or '}{remedy}"
            remedy += f", or {option} off" if may_be_off else ""
        raise PublishError(f"cannot {doing} at {address}: {zmq.strerror(error.errno or 0)}; {remedy}") from error
    return sock.getsockopt_string(zmq.LAST_ENDPOINT)


def is_taken(address: str) -> bool:
    """Return whether an ipc address is in use or is a file other than a socket: ZeroMQ would silently replace both."""
    transport, _, path = address.partition("://")
    if transport != "ipc" or not is_there(Path(path)):
        return False
    if not Path(path).is_socket():
        return True
    import socket  # here, as subscribers import this module and do without

    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        return probe.connect_ex(path) != errno.ECONNREFUSED  # a socket file left behind refuses connections


def connect(
    sock: "zmq.Socket[bytes]", address: str, keys: "ClientKeys | None", option: str = "no such address:"
) -> None:
    """Connect a socket, with keys if given, now or as soon as something is bound there.

    Raises UsageError if the address is malformed.
    """
    check_address(address, option, binds=False)
    if keys is not None:
        keys.apply(sock)
    sock.setsockopt(zmq.LINGER, 0)
    sock.setsockopt(zmq.IPV6, int("[" in address))
    try:
        sock.connect(address)
    except zmq.ZMQError as error:
        raise UsageError(f"no such address: {address} ({error.strerror}); give one like {DEFAULT_ADDRESS}") from error


class WakeupPipe:
    """Socket pair that wakes a thread polling ZeroMQ sockets, which no other thread may touch: poll both together."""

    def __init__(self) -> None:
        import socket  # here, as subscribers import this module and do without

        self._writer, self._reader = socket.socketpair()
        self._writer.setblocking(False)
        self._reader.setblocking(False)

    def wake(self) -> None:
        """Wake the polling thread; from any thread, without waiting."""
        with suppress(BlockingIOError):  # full of unread wake-ups: one more would add nothing
            self._writer.send(b"\0")

    def fileno(self) -> int:
        """Return the descriptor to poll for reading."""
        return self._reader.fileno()

    def drain(self) -> None:
        """Read all wake-ups so far; the polling thread calls it after polling."""
        with suppress(BlockingIOError):  # the poll ended because of another socket
            self._reader.recv(4096)

    def close(self) -> None:
        """Close the pair, once no thread wakes or polls any more."""
        self._writer.close()
        self._reader.close()
