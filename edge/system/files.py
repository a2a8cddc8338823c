"""Files that the user names: regular and readable, or refused at once and in words."""

import os
import stat
from pathlib import Path

from ..errors import FoalError, UsageError
from .pointer import described, link_described
from .shortage import shortage

KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_file(path: Path, remedy: str, kind: type[FoalError] = UsageError, what: str = "file") -> None:
    """Raise `kind` unless a regular file is there and may be read, itself and no pointer to it.

    A pipe, which waits for a writer, stays shut.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            if pointer := described(path):
                raise kind(f"{path} {pointer}")
            return
    except PermissionError as error:
        raise kind(denied(path)) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        if pointer := link_described(path):
            raise kind(f"{path} {pointer}") from error
        raise kind(f"no such {what}: {path}; {remedy}") from error
    except (OSError, ValueError) as error:  # a loop of links, a name that is too long or holds a NUL
        reason = getattr(error, "strerror", None) or error
        raise shortage(error) or kind(f"{path} cannot be read: {reason}; {remedy}") from error
    found = next((name for is_kind, name in KINDS if is_kind(mode)), "something else")
    raise kind(f"{path} is {found}, a regular file is expected; {remedy}")


def is_there(path: Path, kind: type[FoalError] = UsageError) -> bool:
    """Whether anything is there; `kind` is raised where this user may not know."""
    try:
        os.stat(path)
    except PermissionError as error:
        raise kind(denied(path)) from error
    except (OSError, ValueError):
        return False
    return True


def denied(path: Path) -> str:
    """What is said where this user may not read."""
    return f"{path}: permission denied; let this user read it and enter the folders above it (chmod, chown)"
