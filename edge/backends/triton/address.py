"""Address of a server as `--backend` takes it: `triton://HOST:PORT`, or `tritons://` for TLS."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ...errors import UsageError
from ..registry import SCHEMES

FORM = "triton://HOST:PORT, or tritons://HOST:PORT for TLS"
DEFAULT_PORT = 8001
"""Port at which a server listens for gRPC unless it is told otherwise."""
FILES = ("ca", "cert", "key")
"""Parameters of an address that are files of TLS."""
CHOICES = {"memory": "shared", "insecure": "yes"}
"""Further parameters, each with its only value."""


@dataclass(frozen=True)
class ServerAddress:
    """Server, and the way to it."""

    text: str
    """Scheme, host and port, for people."""
    target: str
    """Host and port, as gRPC takes them."""
    is_secure: bool
    """True for TLS."""
    shares_memory: bool
    """True if tensors lie in memory that this machine shares with the server, which must run on it."""
    ca: Path | None = None
    """Certificates that sign the server's own, in PEM; None for those that gRPC knows."""
    cert: Path | None = None
    """Certificate of this node, in PEM, where the server asks for one."""
    key: Path | None = None
    """Private key of that certificate, in PEM."""


def parse(text: str) -> ServerAddress:
    """Return the address that a text names; UsageError says what is wrong with it."""
    given = f"--backend {text}"
    try:
        parts = urlsplit(text)
        port, host = DEFAULT_PORT if parts.port is None else parts.port, parts.hostname or ""
    except ValueError as error:
        raise UsageError(f"{given}: {error}; give {FORM}") from error
    is_place = host and port and not parts.path.strip("/") and not parts.fragment and parts.username is None
    if parts.scheme not in SCHEMES or not is_place or re.search(r"\s", parts.netloc):
        raise UsageError(f"{given}: {FORM} is expected")
    asked = parameters(given, parts.query)
    files = {name: existing_file(given, name, asked[name]) for name in FILES if name in asked}
    is_secure, is_local = parts.scheme == "tritons", is_loopback(host)
    check(given, asked, is_secure=is_secure, is_local=is_local)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return ServerAddress(f"{parts.scheme}://{target}", target, is_secure, "memory" in asked, **files)


def parameters(given: str, query: str) -> dict[str, str]:
    """Return the parameters of an address; UsageError where one is unknown."""
    known = ", ".join([*(f"{name}=FILE" for name in FILES), *(f"{name}={value}" for name, value in CHOICES.items())])
    asked = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in asked or (name not in FILES and CHOICES.get(name) != value):
            raise UsageError(f"{given}: its parameters are {known}, each once, {name}={value} is not among them")
        asked[name] = value
    return asked


def existing_file(given: str, name: str, value: str) -> Path:
    """Return the path of a parameter's file; UsageError where there is none."""
    if not Path(value).is_file():
        raise UsageError(f"{given}: there is no file {value!r}; give a file in PEM as {name}=FILE")
    return Path(value)


def check(given: str, asked: dict[str, str], *, is_secure: bool, is_local: bool) -> None:
    """Raise UsageError where the parameters of an address contradict each other or expose what nobody agreed to."""
    if not is_secure and (named := [name for name in FILES if name in asked]):
        raise UsageError(f"{given}: {', '.join(named)} are for TLS; give tritons:// in place of triton://")
    if ("cert" in asked) != ("key" in asked):
        raise UsageError(f"{given}: a certificate has a key; give both, cert=FILE&key=FILE")
    if "memory" in asked and not is_local:
        raise UsageError(f"{given}: memory is shared with a server on this machine alone; leave out memory=shared")
    if not is_secure and not is_local and "insecure" not in asked:
        raise UsageError(
            f"{given}: faces and voices would cross the network unencrypted; take tritons:// (docs/triton.md), "
            "or add ?insecure=yes where the network itself is trusted"
        )


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
