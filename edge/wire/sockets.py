"""ZeroMQ sockets at the addresses the user gave, and what wakes a thread that waits for one."""

import errno
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from ..errors import PublishError, UsageError
from ..system.files import is_there
from .addresses import DEFAULT_ADDRESS, check_address

if TYPE_CHECKING:
    from .keys import ClientKeys, ServerKeys

LONGEST_TOPIC = 100
"""Bytes of a subscription; no topic is as long, and what is longer is not taken."""
LINGER_MS = 1000
"""How long an ending program waits for its last messages to leave."""


def bind(sock: "zmq.Socket[bytes]", address: str, keys: "ServerKeys | None", doing: str, option: str) -> str:
    """Bind, and return the address with its real port. PublishError where it cannot be had."""
    check_address(address, option, binds=True)
    if keys is not None:
        keys.protect(sock)
    sock.setsockopt(zmq.LINGER, LINGER_MS)
    sock.setsockopt(zmq.IPV6, int("[" in address))
    try:
        if is_taken(address):
            raise zmq.ZMQError(zmq.EADDRINUSE)
        sock.bind(address)
    except zmq.ZMQError as error:
        remedy = f"give another {option}, an address of this machine like tcp://127.0.0.1:6556"
        if error.errno == zmq.EADDRINUSE:
            remedy = f"another foal-edge may run there: end it, {remedy}, or {option} off"
        raise PublishError(f"cannot {doing} at {address}: {error.strerror}; {remedy}") from error
    return sock.getsockopt_string(zmq.LAST_ENDPOINT)


def is_taken(address: str) -> bool:
    """Whether an ipc address is somebody's, or a file that is no socket: ZeroMQ would replace either without a word."""
    transport, _, path = address.partition("://")
    if transport != "ipc" or not is_there(Path(path)):
        return False
    if not Path(path).is_socket():
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        return probe.connect_ex(path) != errno.ECONNREFUSED  # which is what a file left behind answers


def connect(
    sock: "zmq.Socket[bytes]", address: str, keys: "ClientKeys | None", option: str = "no such address:"
) -> None:
    """Connect, now or once somebody is there. UsageError where the address is none."""
    check_address(address, option, binds=False)
    if keys is not None:
        keys.introduce(sock)
    sock.setsockopt(zmq.LINGER, 0)
    sock.setsockopt(zmq.IPV6, int("[" in address))
    try:
        sock.connect(address)
    except zmq.ZMQError as error:
        raise UsageError(f"no such address: {address} ({error.strerror}); give one like {DEFAULT_ADDRESS}") from error


class WakeupPipe:
    """Wakes a thread that polls ZeroMQ sockets, which no other thread may touch: poll it together with them."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)

    def wake(self) -> None:
        """From any thread; never waits."""
        with suppress(BlockingIOError):  # full of calls that have not been heard yet: one more tells nothing
            self._ours.send(b"\0")

    def fileno(self) -> int:
        """What to poll for reading."""
        return self._theirs.fileno()

    def hear(self) -> None:
        """After polling: the calls so far are heard."""
        with suppress(BlockingIOError):  # the socket was ready, not the waker
            self._theirs.recv(4096)

    def close(self) -> None:
        """Once nobody wakes or polls any more."""
        self._ours.close()
        self._theirs.close()
