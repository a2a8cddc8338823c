"""Addresses of publishers and control ports: defaults, syntax, and exposure to other machines.

Addresses are checked here because ZeroMQ silently accepts parts of a malformed one.
"""

import ipaddress
import os
import re
from pathlib import Path

from ..errors import UsageError
from ..system.files import denied, is_there

DEFAULT_ADDRESS = "tcp://127.0.0.1:5556"
AUTO, OFF = "auto", "off"
MAX_PORT = 65535
MAX_SOCKET_PATH_BYTES = 107
"""Largest path of a Unix socket, in bytes."""
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?")
"""Pattern of a host name or a network interface."""
EXPECTED = f"give tcp://HOST:PORT, like {DEFAULT_ADDRESS}, or ipc://PATH"


def publishing_address(bind: str, fast: bool) -> str | None:
    """Return the address to publish at, or None to publish nowhere.

    `auto` is the default address, or nowhere in a run with `--fast`; `off` is nowhere.
    """
    if bind == AUTO:
        return None if fast else DEFAULT_ADDRESS
    return None if bind == OFF else bind


def control_address(bind: str | None, wanted: str, remedy: str = "give --control ADDRESS or off") -> str | None:
    """Return the address of the control port, or None for no control port.

    `auto` is the port after that of the publishing address `bind`, or none if nothing is published; `off` is none.
    Raises UsageError with the remedy if `bind` has the highest port.
    """
    if wanted != AUTO:
        return None if wanted == OFF else wanted
    if bind is None:
        return None
    transport, _, rest = bind.partition("://")
    if transport == "ipc":
        return bind if rest == "*" else f"{bind}.control"
    host, _, port = rest.rpartition(":")
    if port in ("*", "0"):
        return f"{transport}://{host}:*"
    if int(port) < MAX_PORT:
        return f"{transport}://{host}:{int(port) + 1}"
    raise UsageError(f"there is no port after that of {bind} for the control port; {remedy}")


def reachable_address(bound: str) -> str:
    """Return an address by which this machine reaches what is bound at another, which may stand for all of them."""
    transport, _, rest = bound.partition("://")
    host, _, port = rest.rpartition(":")
    loopback = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
    return f"tcp://{loopback[host]}:{port}" if transport == "tcp" and host in loopback else bound


def check_address(address: str, option: str, *, binds: bool) -> None:
    """Raise UsageError unless an address can be bound (`binds`) or connected to; `option` is named in the error."""
    transport, separator, location = address.partition("://")
    given = f"{option} {address or repr(address)}"
    if not separator:
        raise UsageError(f"{given} begins with neither tcp:// nor ipc://; {EXPECTED}")
    if transport == "tcp":
        check_tcp(location, given, binds=binds)
    elif transport == "ipc":
        check_ipc(location, given, binds=binds)
    else:
        raise UsageError(f"{given}: foal-edge speaks tcp and ipc, not {transport or 'nothing'}; {EXPECTED}")


def check_tcp(location: str, given: str, *, binds: bool) -> None:
    """Raise UsageError unless the part of an address after `tcp://` is a host and a port."""
    host, colon, port = location.rpartition(":")
    if not colon or "]" in port:
        raise UsageError(f"{given} has no port; {EXPECTED}")
    if not (binds and port == "*"):
        if not (port.isascii() and port.isdecimal()):
            raise UsageError(f"{given}: {port!r} is not a port, a number up to {MAX_PORT}; {EXPECTED}")
        if len(port) > 5 or int(port) > MAX_PORT or (int(port) == 0 and not binds):
            raise UsageError(f"{given}: there is no port {port}; give one up to {MAX_PORT}, like {DEFAULT_ADDRESS}")
    if not (binds and host == "*") and not is_host(host):
        remedy = f"write [{host}] if that is an IPv6 address" if ":" in host else EXPECTED
        raise UsageError(f"{given}: {host!r} is not a host; {remedy}")


def is_host(host: str) -> bool:
    """Return whether a text is an IPv4 address, an IPv6 address in brackets, or a possible host name."""
    if host.startswith("[") and host.endswith("]"):
        return is_ip(host[1:-1], 6)
    if re.fullmatch(r"[\d.]+", host):
        return is_ip(host, 4)
    return HOST_NAME.fullmatch(host) is not None


def is_ip(text: str, version: int) -> bool:
    """Return whether a text is an IP address of the given version, 4 or 6."""
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def check_ipc(path: str, given: str, *, binds: bool) -> None:
    """Raise UsageError unless the part of an address after `ipc://` is the path of a socket that this user may use."""
    if not path or (path == "*" and not binds):
        raise UsageError(f"{given} has no path; {EXPECTED}")
    if "\0" in path or len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        raise UsageError(f"{given}: a socket's path has at most {MAX_SOCKET_PATH_BYTES} bytes; give a shorter one")
    if not path.startswith(("@", "*")) and is_there(Path(path)) and not os.access(path, os.R_OK | os.W_OK):
        raise UsageError(f"{given}: {denied(Path(path))}")


def check_exposure(
    address: str, *, is_allowed: bool, keys_option: str = "--keys", risk: str = "read its predictions"
) -> None:
    """Raise UsageError if other machines can reach an address, unless keys or `--insecure` allow it.

    `keys_option` is the one that would admit few, and `risk` what all could do without it.
    """
    if is_allowed or is_local(address):
        return
    raise UsageError(
        f"{address} can be reached from other machines, which could then {risk}; "
        f"give {keys_option} DIR (foal-edge keys DIR makes them) to admit only your own clients, "
        f"or --insecure if the network is trusted, or a local address like {DEFAULT_ADDRESS}"
    )


def is_local(address: str) -> bool:
    """Return whether only this machine can reach an address."""
    transport, _, rest = address.partition("://")
    if transport == "ipc":
        return True
    host = rest.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # *, an interface or a name may all stand for a public address
        return False
