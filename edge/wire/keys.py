"""CURVE keys: who publishes, who may subscribe, and which addresses need them.

    DIR/server.key              the server's public key
    DIR/server.key_secret       its secret one, mode 0600
    DIR/clients/NAME.key        the public key of each client that is let in
    DIR/hand-out/NAME/          what the client NAME needs, and nothing else: server.key, client.key, client.key_secret

The files are certificates as ZeroMQ's own tools write them.
"""

import ipaddress
import logging
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import zmq
from zmq.utils import z85

from ..errors import UsageError
from ..system.files import check_file, denied, is_there

DOMAIN = "foal-edge"
CLIENTS, HAND_OUT = "clients", "hand-out"
PUBLIC, SECRET = ".key", ".key_secret"
PUBLIC_MODE, SECRET_MODE, FOLDER_MODE = 0o644, 0o600, 0o700
KEY_BYTES = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClientKeys:
    """What a subscriber shows, and whom it takes for the server."""

    public: bytes
    secret: bytes
    server: bytes
    """The server's public key."""

    def introduce(self, sock: "zmq.Socket[bytes]") -> None:
        """Before it connects."""
        sock.curve_publickey, sock.curve_secretkey, sock.curve_serverkey = self.public, self.secret, self.server


@dataclass(frozen=True)
class ServerKeys:
    """What the publisher shows, and whom it lets in."""

    public: bytes
    secret: bytes
    clients: Path
    """Folder of the public keys that are let in; looked at whenever a client comes."""
    said: dict[Path, str] = field(default_factory=dict, compare=False, repr=False)
    """What the log says of files there that are no keys: once, until that changes."""

    def protect(self, sock: "zmq.Socket[bytes]") -> None:
        """Before it binds: only encrypted, and nobody is let in where no `Doorkeeper` answers."""
        sock.curve_server = True
        sock.curve_publickey, sock.curve_secretkey = self.public, self.secret
        sock.setsockopt_string(zmq.ZAP_DOMAIN, DOMAIN)
        sock.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


class Authenticator:
    """Lets in those whose public key lies in the folder; one for each ZeroMQ context, from before it binds."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", keys: ServerKeys) -> None:
        from zmq.auth.thread import ThreadAuthenticator  # here, since it imports asyncio, which subscribers do without

        self._keys = keys
        self._authenticator = ThreadAuthenticator(context)
        self._authenticator.start()
        self._authenticator.configure_curve_callback(DOMAIN, credentials_provider=self)

    def callback(self, _domain: str, key: bytes) -> bool:
        """Whether a client's public key is let in; called by pyzmq, whose thread must not break."""
        is_let_in = False
        for path in self._keys.clients.glob(f"*{PUBLIC}"):
            try:
                is_let_in |= read_public(path) == key
                self._keys.said.pop(path, None)
            except UsageError as error:
                if self._keys.said.get(path) != str(error):
                    log.error("one client less is let in: %s", error)
                self._keys.said[path] = str(error)
        return is_let_in

    def close(self) -> None:
        """Before the context ends."""
        self._authenticator.stop()


def make_server_keys(folder: Path) -> None:
    """A new server's; never over others."""
    write_pair(folder, "server")
    make_folder(folder / CLIENTS)


def make_client_keys(folder: Path, name: str) -> Path:
    """Let a new client in; returns the folder to hand to it."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"--client {name!r} is no name; use letters, digits, - and _")
    server = read_public(folder / f"server{PUBLIC}")
    entry = folder / CLIENTS / f"{name}{PUBLIC}"
    if is_there(entry):
        raise UsageError(f"{entry} is there already and stays as it is; give another --client, or delete it first")
    hand_out = folder / HAND_OUT / name
    public = write_pair(hand_out, "client")
    write_key(hand_out / f"server{PUBLIC}", server, None)
    make_folder(entry.parent)
    write_key(entry, public, None)
    return hand_out


def load_server_keys(folder: Path) -> ServerKeys:
    """Of `--keys DIR` where foal-edge publishes. UsageError where they are missing or damaged."""
    secret_path, clients = folder / f"server{SECRET}", folder / CLIENTS
    public, secret = read_pair(secret_path, f"make them with foal-edge keys {folder}")
    check_hidden(secret_path)
    if is_there(clients) and not os.access(clients, os.R_OK | os.X_OK):
        raise UsageError(denied(clients))
    for path in clients.glob(f"*{PUBLIC}"):
        read_public(path)
    return ServerKeys(public, secret, folder / CLIENTS)


def load_client_keys(folder: Path) -> ClientKeys:
    """Of `--keys DIR` where somebody subscribes. UsageError where they are missing or damaged."""
    remedy = f"give the folder {HAND_OUT}/NAME that foal-edge keys DIR --client NAME makes where it publishes"
    secret_path = folder / f"client{SECRET}"
    public, secret = read_pair(secret_path, remedy)
    check_hidden(secret_path)
    return ClientKeys(public, secret, read_public(folder / f"server{PUBLIC}"))


def client_keys(keys: object) -> ClientKeys | None:
    """What a subscriber was given as its keys: none, keys, or the folder that they lie in."""
    if keys is None or isinstance(keys, ClientKeys):
        return keys
    if isinstance(keys, str | Path):
        return load_client_keys(Path(keys))
    raise UsageError(
        f"keys: found {type(keys).__name__}, expected the folder {HAND_OUT}/NAME that foal-edge keys DIR --client NAME "
        "made, as text or a path, or what load_client_keys gives"
    )


def write_pair(folder: Path, name: str) -> bytes:
    """A new public and a new secret key; returns the public one."""
    public, secret = zmq.curve_keypair()
    make_folder(folder)
    write_key(folder / f"{name}{SECRET}", public, secret)
    write_key(folder / f"{name}{PUBLIC}", public, None)
    return public


def make_folder(folder: Path) -> None:
    """One for its owner alone."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {folder} ({error.strerror}); give another one for the keys"
        ) from error


def write_key(path: Path, public: bytes, secret: bytes | None) -> None:
    """A certificate; a secret one is its owner's alone from its first moment."""
    lines = ["curve", f'    public-key = "{public.decode()}"']
    if secret is not None:
        lines.append(f'    secret-key = "{secret.decode()}"')
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PUBLIC_MODE if secret is None else SECRET_MODE)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already and stays as it is; give another folder, or delete it") from error
    except OSError as error:
        raise UsageError(f"cannot write {path} ({error.strerror}); give another folder for the keys") from error
    with open(number, "w") as file:
        file.write("\n".join(lines) + "\n")


def read_pair(path: Path, remedy: str) -> tuple[bytes, bytes]:
    """Public and secret key."""
    if not is_there(path):
        raise UsageError(f"no keys at {path}; {remedy}")
    check_file(path, remedy)
    public, secret = read_key(path)
    if secret is None:
        raise UsageError(f"{path} holds no secret key; {remedy}")
    return public, secret


def check_hidden(path: Path) -> None:
    """UsageError where others than its owner can read or change a secret key."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            f"{path} is open to others than its owner (mode {mode:04o}), and whoever has it can pretend to be its "
            f"owner; chmod 600 {path}, and if somebody may have read it, make new keys"
        )


def read_public(path: Path) -> bytes:
    """A public key."""
    if not is_there(path):
        raise UsageError(f"no key at {path}; foal-edge keys DIR makes it")
    check_file(path, "foal-edge keys DIR makes keys")
    return read_key(path)[0]


def read_key(path: Path) -> tuple[bytes, bytes | None]:
    """A certificate; UsageError where it is damaged."""
    from zmq.auth import load_certificate  # here, since it imports asyncio, which subscribers do without

    try:
        public, secret = load_certificate(path)
        for key in (public, secret):
            if key is not None and (len(key) != KEY_BYTES * 5 // 4 or len(z85.decode(key)) != KEY_BYTES):
                raise ValueError(f"{len(key)} characters, not {KEY_BYTES * 5 // 4}")
    except (OSError, ValueError, KeyError) as error:  # KeyError: a character that no key has
        raise UsageError(f"{path} cannot be read as a CURVE key ({error}); make it anew with foal-edge keys") from error
    return public, secret


def check_bind(address: str, keys: ServerKeys | None, insecure: bool) -> None:
    """UsageError where others than this machine could reach an address and nothing says that they may."""
    if keys is not None or insecure or is_local(address):
        return
    raise UsageError(
        f"{address} can be reached from other machines: whoever does sees what this person seems to feel; "
        "give --keys DIR (foal-edge keys DIR makes them) so that only your clients are let in, "
        "or --insecure where the network is trusted, or an address like tcp://127.0.0.1:5556"
    )


def is_local(address: str) -> bool:
    """Whether only this machine can reach an address."""
    transport, _, rest = address.partition("://")
    if transport == "ipc":
        return True
    host = rest.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # *, an interface or a name: whatever it stands for may be public
        return False
