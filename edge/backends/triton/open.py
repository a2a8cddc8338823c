"""Opening of a backend on a server, with or without one of this machine that stands in for it."""

from ...bundle.load import Bundle
from ...errors import UnansweredError
from ..base import RegisteredBackend
from ..fallback import FallbackBackend
from ..patience import Patience
from .address import ServerAddress
from .backend import TritonBackend
from .server import Server


def open_served(bundle: Bundle, address: ServerAddress, patience: Patience) -> TritonBackend:
    """Connect to the server at an address; EngineError where it does not answer or has other models."""
    server = Server(address, bundle, patience, is_waited_for=True)
    server.open()
    return TritonBackend(server)


def open_with_fallback(
    bundle: Bundle, address: ServerAddress, patience: Patience, local: RegisteredBackend
) -> FallbackBackend:
    """Connect to the server at an address, with a backend of this machine while it does not answer, be it at once.

    EngineError where the server has other models.
    """
    server = Server(address, bundle, patience, is_waited_for=False)
    try:
        server.open()
    except UnansweredError as error:
        server.seek(error)
    return FallbackBackend(TritonBackend(server), local)
