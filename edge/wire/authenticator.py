"""Authentication of clients by their CURVE keys, on the publishing side."""

import logging

import zmq
from zmq.auth.thread import ThreadAuthenticator

from ..errors import UsageError
from .key_files import PUBLIC_SUFFIX, read_public
from .keys import ZAP_DOMAIN, ServerKeys

log = logging.getLogger(__name__)


class Authenticator:
    """ZAP handler of one ZeroMQ context, which admits the clients whose public keys lie in a folder.

    Start it before a socket of the context binds.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", keys: ServerKeys) -> None:
        self._keys = keys
        self._authenticator = ThreadAuthenticator(context)
        self._authenticator.start()
        self._authenticator.configure_curve_callback(ZAP_DOMAIN, credentials_provider=self)

    def callback(self, _domain: str, key: bytes) -> bool:
        """Return whether a client with this public key is admitted; called by pyzmq's thread, and never raises.

        The folder is read again for every client, so that keys may be added and deleted meanwhile.
        """
        is_admitted = False
        for path in self._keys.clients.glob(f"*{PUBLIC_SUFFIX}"):
            try:
                is_admitted |= read_public(path) == key
                self._keys.logged_errors.pop(path, None)
            except UsageError as error:
                if self._keys.logged_errors.get(path) != str(error):
                    log.error("a client's key is ignored: %s", error)
                self._keys.logged_errors[path] = str(error)
        return is_admitted

    def close(self) -> None:
        """Stop the handler's thread; call it before the context ends."""
        self._authenticator.stop()
