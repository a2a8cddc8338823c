"""Addresses of publishers and control ports, checked before ZeroMQ sees them: it takes what is left of a wrong one."""

import ipaddress
import os
import re
from pathlib import Path

from ..errors import UsageError
from ..system.files import denied, is_there

DEFAULT_ADDRESS = "tcp://127.0.0.1:5556"
AUTO, OFF = "auto", "off"
LARGEST_PORT = 65535
LONGEST_PATH = 107
"""Bytes of a Unix socket's path."""
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?")
"""A host or a network interface."""
FORM = f"give tcp://HOST:PORT, like {DEFAULT_ADDRESS}, or ipc://PATH"


def publishing_address(bind: str, fast: bool) -> str | None:
    """Where to publish: at an address, nowhere (None) where that is `off`, or fast and nothing else was asked for."""
    if bind == AUTO:
        return None if fast else DEFAULT_ADDRESS
    return None if bind == OFF else bind


def check_address(address: str, option: str, *, binds: bool) -> None:
    """UsageError unless it is an address to publish at (`binds`), or to connect to."""
    transport, separator, place = address.partition("://")
    said = f"{option} {address or repr(address)}"
    if not separator:
        raise UsageError(f"{said} begins with neither tcp:// nor ipc://; {FORM}")
    if transport == "tcp":
        check_tcp(place, said, binds=binds)
    elif transport == "ipc":
        check_ipc(place, said, binds=binds)
    else:
        raise UsageError(f"{said}: foal-edge speaks tcp and ipc, not {transport or 'nothing'}; {FORM}")


def check_tcp(place: str, said: str, *, binds: bool) -> None:
    """UsageError unless it is a host and a port."""
    host, colon, port = place.rpartition(":")
    if not colon or "]" in port:
        raise UsageError(f"{said} has no port; {FORM}")
    if not (binds and port == "*"):
        if not (port.isascii() and port.isdecimal()):
            raise UsageError(f"{said}: {port!r} is no port, which is a number up to {LARGEST_PORT}; {FORM}")
        if len(port) > 5 or int(port) > LARGEST_PORT or (int(port) == 0 and not binds):
            raise UsageError(f"{said}: there is no port {port}; give one up to {LARGEST_PORT}, like {DEFAULT_ADDRESS}")
    if not (binds and host == "*") and not is_host(host):
        remedy = f"write [{host}] where that is an IPv6 address" if ":" in host else FORM
        raise UsageError(f"{said}: {host!r} is no host; {remedy}")


def is_host(host: str) -> bool:
    """Whether it is an IP address, of version 6 in brackets, or may be a name."""
    if host.startswith("[") and host.endswith("]"):
        try:
            return ipaddress.ip_address(host[1:-1]).version == 6
        except ValueError:
            return False
    if re.fullmatch(r"[\d.]+", host):
        try:
            return ipaddress.ip_address(host).version == 4
        except ValueError:
            return False
    return NAME.fullmatch(host) is not None


def check_ipc(place: str, said: str, *, binds: bool) -> None:
    """UsageError unless it is a socket's path, in a folder that this user may enter."""
    if not place or (place == "*" and not binds):
        raise UsageError(f"{said} has no path; {FORM}")
    if "\0" in place or len(os.fsencode(place)) > LONGEST_PATH:
        raise UsageError(f"{said}: a socket's path has at most {LONGEST_PATH} bytes; give a shorter one")
    if not place.startswith(("@", "*")) and is_there(Path(place)) and not os.access(place, os.R_OK | os.W_OK):
        raise UsageError(f"{said}: {denied(Path(place))}")
