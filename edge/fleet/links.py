"""Links of a proxy: the sockets by which messages come from nodes, and leave a node for another proxy."""

from collections.abc import Iterator, Sequence

import zmq

from ..wire.guard import Limits
from ..wire.keys import ServerKeys
from ..wire.server_socket import ServerSocket
from ..wire.sockets import connect
from .addresses import Peer

RECEIVE_HIGH_WATER_MARK = 1000
"""Number of messages of one node that wait for the proxy; the node drops further ones, which shows as gaps."""
MAX_MESSAGE_BYTES = 1 << 20
"""Largest part of a message; ZeroMQ ends the connection of a node that sends a larger one."""
AT_ONCE = 32
"""Number of messages taken from one link before the others have their turn."""
SEND_HIGH_WATER_MARK = 256
"""Number of messages that a node keeps while it cannot reach its proxy: some 40 s of one stream."""
LIVENESS = {
    zmq.HEARTBEAT_IVL: 1000,
    zmq.HEARTBEAT_TIMEOUT: 3000,
    zmq.CONNECT_TIMEOUT: 2000,
    zmq.RECONNECT_IVL: 100,
    zmq.RECONNECT_IVL_MAX: 1000,
    zmq.HANDSHAKE_IVL: 5000,
}
"""Options, in milliseconds, by which a connection that has silently broken is made again within seconds. TCP alone
would wait ever longer between two attempts."""
GATE_LIMITS = Limits(connections=256, burst_bytes=8 << 20, rate_bytes_s=1 << 20)
"""Limits of the nodes that connect to a proxy."""


class Link:
    """Socket of one node, connected to it."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", peer: Peer, topics: Sequence[str]) -> None:
        self.socket = context.socket(zmq.SUB)
        """ZeroMQ socket, to be polled."""
        set_options(self.socket, receiving_options())
        subscribe(self.socket, topics)
        connect(self.socket, peer.address, peer.keys, "--from")

    def receive(self) -> Iterator[list[bytes]]:
        """Yield the frames of the messages that wait, 32 at most."""
        return receive_waiting(self.socket)


class Gate:
    """Socket that nodes connect to."""

    def __init__(self, address: str, keys: ServerKeys | None, topics: Sequence[str]) -> None:
        self._server = ServerSocket(zmq.SUB, receiving_options(), GATE_LIMITS, keys)
        self.socket = self._server.socket
        """ZeroMQ socket, to be polled."""
        subscribe(self.socket, topics)
        self.address = self._server.bind(address, "let nodes connect", "--nodes", may_be_off=False)
        """Address with its actual port."""

    def receive(self) -> Iterator[list[bytes]]:
        """Yield the frames of the messages that wait, 32 at most."""
        return receive_waiting(self.socket)

    def close(self) -> None:
        """Close the socket."""
        self._server.close()


def receive_waiting(sock: "zmq.Socket[bytes]") -> Iterator[list[bytes]]:
    """Yield the frames of the messages that wait at a socket, 32 at most."""
    for _ in range(AT_ONCE):
        try:
            yield sock.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return


def receiving_options() -> dict[zmq.SocketOption, int]:
    """Return the options of a socket that receives from nodes."""
    return {**LIVENESS, zmq.RCVHWM: RECEIVE_HIGH_WATER_MARK, zmq.MAXMSGSIZE: MAX_MESSAGE_BYTES}


def set_options(sock: "zmq.Socket[bytes]", options: dict[zmq.SocketOption, int]) -> None:
    """Set options of a socket, before it connects."""
    for option, value in options.items():
        sock.setsockopt(option, value)


def subscribe(sock: "zmq.Socket[bytes]", topics: Sequence[str]) -> None:
    """Subscribe to topics; to all of them where none is given."""
    for topic in topics or ("",):
        sock.setsockopt(zmq.SUBSCRIBE, topic.encode())
