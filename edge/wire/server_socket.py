"""Server socket: a ZeroMQ socket that binds, with limits for its clients and, with keys, their authentication."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import zmq

from .guard import Guard, Limits
from .keys import ServerKeys
from .sockets import bind

if TYPE_CHECKING:
    from .authenticator import Authenticator


class ServerSocket:
    """Socket in a ZeroMQ context of its own, with the guard of its clients and, with keys, their authenticator."""

    def __init__(
        self, kind: int, options: Mapping[zmq.SocketOption, int], limits: Limits, keys: ServerKeys | None
    ) -> None:
        self._context = zmq.Context()
        self._keys = keys
        self._authenticator = start_authenticator(self._context, keys) if keys is not None else None
        self.socket = self._context.socket(kind)
        """ZeroMQ socket; one thread at a time may use it."""
        for option, value in options.items():
            self.socket.setsockopt(option, value)
        self.guard = Guard(self.socket, limits)
        """Guard of the socket's clients, which starts when the socket binds."""

    def bind(self, address: str, doing: str, option: str, *, may_be_off: bool = True) -> str:
        """Bind the socket and start its guard; see `sockets.bind`. Returns the address with its actual port.

        If that fails, everything is closed before the error is raised.
        """
        try:
            bound = bind(self.socket, address, self._keys, doing, option, may_be_off=may_be_off)
        except BaseException:
            self.close()
            raise
        self.guard.start(bound)
        return bound

    def close(self) -> None:
        """Close the socket and end its context, once no other thread uses it."""
        self.guard.close()
        if self._authenticator is not None:
            self._authenticator.close()
        self.socket.close()
        self._context.term()


def start_authenticator(context: "zmq.Context[zmq.Socket[bytes]]", keys: ServerKeys) -> "Authenticator":
    """Start the authentication of a context's clients."""
    from .authenticator import Authenticator  # here, as it imports asyncio and most runs have no keys

    return Authenticator(context, keys)
