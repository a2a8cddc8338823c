"""Files that the user names: regular and readable, or refused at once and in words."""

import os
import stat
from pathlib import Path

from ..errors import FoalError, UsageError
from .resources import exhaustion

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
        raise exhaustion(error) or kind(f"{path} cannot be read: {reason}; {remedy}") from error
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


LFS = b"version https://git-lfs.github.com/spec/v1"
ANNEX = b"/annex/objects/"


def described(path: Path) -> str | None:
    """Completes a sentence that begins with the path of a file, remedy included; None where it is no pointer."""
    with path.open("rb") as file:
        begin = file.read(len(LFS))
    if begin == LFS:
        return "is a Git LFS pointer, not the file itself; git lfs pull fetches it"
    if begin.startswith(ANNEX):
        return "is a git-annex pointer, not the file itself; git annex get fetches it"
    return None


def link_described(path: Path) -> str | None:
    """The same of a link that leads nowhere: git-annex leaves those."""
    if path.is_symlink() and "annex/objects" in str(path.readlink()):
        return "is a link of git-annex to content that is not here; git annex get fetches it"
    return None
