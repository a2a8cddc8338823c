"""Files that the user names: regular and readable, or refused at once and in words; written whole or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
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
"""Tests of a file's mode, each with the name of what it finds."""


def check_file(path: Path, remedy: str, kind: type[FoalError] = UsageError, what: str = "file") -> None:
    """Raise `kind` unless a path is a regular file that this user may read, and no pointer of Git LFS or git-annex.

    A pipe is not opened, since that would wait for a writer.
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
    """Return whether a path exists; raise `kind` if this user may not know."""
    try:
        os.stat(path)
    except PermissionError as error:
        raise kind(denied(path)) from error
    except (OSError, ValueError):
        return False
    return True


def check_folder_of(path: Path) -> None:
    """Raise UsageError where the folder of a file is not there; called before the work that the file is to hold."""
    if not path.parent.is_dir():
        raise UsageError(f"no such folder: {path.parent}; make it first")


def denied(path: Path) -> str:
    """Return the message for a path that this user may not read."""
    return f"{path}: permission denied; let this user read it and enter the folders above it (chmod, chown)"


PART = ".part"
"""Ending of a file that is being written; before it stands the number of the process that writes it."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path for new content, which takes the file's place once the block has ended without an error.

    Whoever reads the file meets its old or its new content, whole, and of several writers the last one's. FoalError
    where the disk does not take it.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        remove_remains(path)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise exhaustion(error) or FoalError(
            f"cannot write {path}: {error.strerror or error}; give a folder that has room and may be written to"
        ) from error
    finally:
        with suppress(OSError):  # a disk that can only be read has none, and the error above says so
            part.unlink(missing_ok=True)


def remove_remains(path: Path) -> None:
    """Remove what processes that were killed have left half written of a file."""
    for part in path.parent.glob(f".{escape(path.name)}.*{PART}"):
        writer = part.name.removeprefix(f".{path.name}.").removesuffix(PART)
        if writer.isdecimal() and not is_running(int(writer)):
            part.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Return whether another process of this number runs on this machine."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return process != os.getpid()


LFS = b"version https://git-lfs.github.com/spec/v1"
ANNEX = b"/annex/objects/"
"""First bytes of the pointers of Git LFS and git-annex."""


def described(path: Path) -> str | None:
    """Return the rest of a sentence that begins with the path of a pointer, remedy included; None for other files."""
    with path.open("rb") as file:
        begin = file.read(len(LFS))
    if begin == LFS:
        return "is a Git LFS pointer, not the file itself; git lfs pull fetches it"
    if begin.startswith(ANNEX):
        return "is a git-annex pointer, not the file itself; git annex get fetches it"
    return None


def link_described(path: Path) -> str | None:
    """Return the rest of such a sentence for a link of git-annex without its target; None for other links."""
    if path.is_symlink() and "annex/objects" in str(path.readlink()):
        return "is a link of git-annex to content that is not here; git annex get fetches it"
    return None
