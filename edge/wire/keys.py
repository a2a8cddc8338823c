"""CURVE keys of a publisher and of its clients, and the folder that holds them.

DIR/server.key              the server's public key
DIR/server.key_secret       the server's secret key, mode 0600
DIR/clients/NAME.key        the public key of each client that is admitted
DIR/hand-out/NAME/          all that the client NAME needs: server.key, client.key, client.key_secret
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from ..errors import UsageError
from ..system.files import denied, is_there
from .key_files import PUBLIC_SUFFIX, SECRET_SUFFIX, make_folder, read_pair, read_public, write_key, write_pair

ZAP_DOMAIN = "foal-edge"
CLIENTS, HAND_OUT = "clients", "hand-out"
SERVER_KEY = f"server{PUBLIC_SUFFIX}"


@dataclass(frozen=True)
class ClientKeys:
    """Keys of a client, and the public key by which it recognises the server; each is 40 characters of Z85."""

    public: bytes
    secret: bytes
    server: bytes
    """Public key of the server."""

    def apply(self, sock: "zmq.Socket[bytes]") -> None:
        """Encrypt and authenticate a client's socket; call it before the socket connects."""
        sock.curve_publickey, sock.curve_secretkey, sock.curve_serverkey = self.public, self.secret, self.server


@dataclass(frozen=True)
class ServerKeys:
    """Keys of a server, each 40 characters of Z85, and the clients that it admits."""

    public: bytes
    secret: bytes
    clients: Path
    """Folder of the public keys of admitted clients, read again whenever a client connects."""
    logged_errors: dict[Path, str] = field(default_factory=dict, compare=False, repr=False)
    """Last error logged for each damaged file in that folder, so that it is logged once until it changes."""

    def apply(self, sock: "zmq.Socket[bytes]") -> None:
        """Encrypt a server's socket; call it before the socket binds. No client is admitted without `Authenticator`."""
        sock.curve_server = True
        sock.curve_publickey, sock.curve_secretkey = self.public, self.secret
        sock.setsockopt_string(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
        sock.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


def make_server_keys(folder: Path) -> None:
    """Write the keys of a new server. Raises UsageError if the folder holds keys already."""
    write_pair(folder, "server")
    make_folder(folder / CLIENTS)


def make_client_keys(folder: Path, name: str) -> Path:
    """Write the keys of a new client and admit it. Returns the folder to hand to the client.

    Raises UsageError if the name is not valid or taken, or if the server has no keys.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"--client {name!r} is not a valid name; use letters, digits, - and _")
    server = read_public(folder / SERVER_KEY)
    entry = folder / CLIENTS / f"{name}{PUBLIC_SUFFIX}"
    if is_there(entry):
        raise UsageError(f"{entry} exists already and is not replaced; give another --client, or delete it first")
    hand_out = folder / HAND_OUT / name
    public = write_pair(hand_out, "client")
    write_key(hand_out / SERVER_KEY, server, None)
    make_folder(entry.parent)
    write_key(entry, public, None)
    return hand_out


def load_server_keys(folder: Path) -> ServerKeys:
    """Return the keys of a server from its folder. Raises UsageError if any are missing, damaged or open to others."""
    clients = folder / CLIENTS
    public, secret = read_pair(folder / f"server{SECRET_SUFFIX}", f"make them with foal-edge keys {folder}")
    if is_there(clients) and not os.access(clients, os.R_OK | os.X_OK):
        raise UsageError(denied(clients))
    for path in clients.glob(f"*{PUBLIC_SUFFIX}"):
        read_public(path)
    return ServerKeys(public, secret, clients)


def load_client_keys(folder: Path) -> ClientKeys:
    """Return the keys of a client from its folder. Raises UsageError if any are missing, damaged or open to others."""
    remedy = f"give the folder {HAND_OUT}/NAME that foal-edge keys DIR --client NAME makes where it publishes"
    public, secret = read_pair(folder / f"client{SECRET_SUFFIX}", remedy)
    return ClientKeys(public, secret, read_public(folder / SERVER_KEY))


def as_client_keys(keys: object) -> ClientKeys | None:
    """Return a subscriber's argument `keys` as keys: None, keys, or the folder that holds them.

    Raises UsageError for anything else.
    """
    if keys is None or isinstance(keys, ClientKeys):
        return keys
    if isinstance(keys, str | Path):
        return load_client_keys(Path(keys))
    raise UsageError(
        f"keys: found {type(keys).__name__}, expected the folder {HAND_OUT}/NAME that foal-edge keys DIR --client NAME "
        "made, as text or a path, or the result of load_client_keys"
    )
