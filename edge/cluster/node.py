"""Part of every command on the workers of a cluster: which code is there, and the call of a function."""

import hashlib
import importlib.util
import socket
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import FoalError
from ..system.versions import find_version, versions


class ProcessEndedError(FoalError):
    """End of a process that worked for a worker, by a crash or for want of memory: the work may be tried again."""


class Installed(NamedTuple):
    """Code and packages that are installed on one machine."""

    code: str
    """Version of foal-edge and a fingerprint of its source, which tells two commits of one version apart."""
    packages: dict[str, str]
    """Versions of the packages that compute, by name."""


def installed(packages: Sequence[str], beside: Sequence[str] = ()) -> Installed:
    """Return what this machine has of our own `packages`, and of others that matter, `beside` among them."""
    found = {**versions(), **{name: version for name in beside if (version := find_version(name))}}
    own = found.pop("foal-edge", "source")
    return Installed(f"{own}, code {fingerprint(tuple(packages))}", found)


@cache
def fingerprint(packages: tuple[str, ...]) -> str:
    """Return the first digits of the SHA-256 of the source of some packages."""
    digest = hashlib.sha256()
    for package in packages:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(place).rglob("*.py")):
                digest.update(path.relative_to(place).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def call(code: str, packages: Sequence[str], function: Callable[..., Any], *arguments: Any) -> tuple[str | None, Any]:
    """Call a function where the code is that of the program that asks: (None, its result), else (the code here, None).

    A worker that has come later than the check of all workers is found so.
    """
    here = installed(packages).code
    if here != code:
        return here, None
    try:
        return None, function(*arguments)
    except FoalError as error:
        error.args = (f"{error} (on the worker at {socket.gethostname()})",)
        raise
