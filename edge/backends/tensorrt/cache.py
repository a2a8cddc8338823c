"""Cache of engines on disk: one file a graph, whose first line says what it was built from, with and for.

An engine is used only where that line is the key that is asked for, and the rest has the hash that it gives.
"""

import fcntl
import logging
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from ...bundle.load import Bundle
from ...bundle.manifest import Batch, GraphName
from ...errors import EngineError
from ...validation import UNREADABLE, explain
from .platform import architecture

FOLDER = "engines"
LONGEST_HEADER = 4096
LOCK = ".lock"
LOCK_RETRY_S = 0.2
READABLE = 0o644
NONE_YET = "there is none yet"

log = logging.getLogger(__name__)


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that an engine depends on."""

    variant: str = msgspec.field(name="flavour")
    version: str
    """Version of that TensorRT."""
    capability: str
    """Compute capability, e.g. `8.7`."""
    device: str | None
    """Name of the GPU; None where it is built ahead of time, for any device of that capability."""
    driver: str | None
    """Release of the driver; None where it is built ahead of time."""
    graph_sha256: list[str]
    """Hash of each file that the graph is made of."""
    batch: Batch

    @property
    def folder(self) -> str:
        """Name of the folder of all engines that differ in their graph alone."""
        driver = f"driver {self.driver}" if self.driver else "any driver"
        gpu = f"{self.device or 'any'} {architecture(self.capability)}"
        return slug(f"{gpu} {self.variant} {self.version} {driver}")


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line of an engine's file."""

    key: Key
    sha256: str
    """Hash of the rest of the file."""


class CacheMissError(Exception):
    """Reason why an engine's file is not used."""


def roots(bundle: Bundle) -> list[Path]:
    """Return the folders of a bundle's engines, the first one being for new engines.

    They are in the bundle and in the user's cache, which comes first where the bundle cannot be written to.
    """
    inside = bundle.folder / FOLDER
    import tempfile  # here, since few runs have engines

    home = os.path.expanduser("~")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home != "~" else tempfile.gettempdir()))
    about = bundle.manifest
    outside = caches / "foal-edge" / FOLDER / slug(f"{about.name} {about.version} {about.golden.sha256[:8]}")
    writable = os.access(inside if inside.is_dir() else bundle.folder, os.W_OK) and not inside.is_symlink()
    return [inside, outside] if writable else [outside, inside]


def paths(bundle: Bundle, key: Key, graph: GraphName) -> list[Path]:
    """Return the possible files of one graph's engine, the first one being for a new engine."""
    return [root / key.folder / f"{graph}.engine" for root in roots(bundle)]


def slug(words: str) -> str:
    """Return words as the name of a file or a folder."""
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-.")


def find(bundle: Bundle, keys: Sequence[Key], graph: GraphName) -> bytes:
    """Return the first engine that is kept for one of the keys; CacheMissError says what is there in its place."""
    reasons = []
    for key in keys:
        for file in paths(bundle, key, graph):
            try:
                return read(file, key)
            except CacheMissError as reason:
                reasons.append(str(reason))
    specific = [reason for reason in reasons if reason != NONE_YET]
    raise CacheMissError(next(iter([*specific, *describe_others(bundle, keys[0], graph)]), NONE_YET))


def describe_others(bundle: Bundle, key: Key, graph: GraphName) -> Iterator[str]:
    """Yield how each engine of the same graph that was built for or with something else differs."""
    for root in roots(bundle):
        for file in sorted(root.glob(f"*/{graph}.engine")):
            with suppress(OSError):
                try:
                    read_header(first_line(file), key)
                except CacheMissError as reason:
                    yield f"of the one in {file.parent.name}, {reason}"


def read(file: Path, key: Key) -> bytes:
    """Return the bytes of an engine; CacheMissError where there is none, or it is damaged or for another key."""
    try:
        with open_regular(file) as stream:
            header = read_header(stream.readline(LONGEST_HEADER), key)
            content = stream.read()
    except FileNotFoundError as error:
        raise CacheMissError(NONE_YET) from error
    except OSError as error:
        raise CacheMissError(f"it cannot be read ({error})") from error
    if sha256(content) != header.sha256:
        raise CacheMissError(f"it is damaged: its {len(content)} bytes do not have the sha256 {header.sha256}")
    return content


def open_regular(file: Path) -> BinaryIO:
    """Open a file to read; OSError where it is a link or a pipe, which may lead elsewhere or never end."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{file} is no regular file")
    return open(descriptor, "rb")


def first_line(file: Path) -> bytes:
    """Return the first line of an engine's file."""
    with open_regular(file) as stream:
        return stream.readline(LONGEST_HEADER)


def read_header(line: bytes, key: Key) -> Header:
    """Decode an engine's first line; CacheMissError where it is no header, or names what differs from the key."""
    try:
        header = msgspec.json.decode(line, type=Header)
    except UNREADABLE as error:
        raise CacheMissError(f"it is damaged ({explain(error, line, Header)})") from error
    theirs, ours = msgspec.to_builtins(header.key), msgspec.to_builtins(key)
    differing = [f"its {name} is {theirs[name]}, here {ours[name]}" for name in ours if theirs[name] != ours[name]]
    if differing:
        raise CacheMissError("; ".join(differing))
    return header


def write(file: Path, key: Key, content: memoryview) -> None:
    """Write an engine with its header, whole or not at all; EngineError where it cannot be written."""
    header = Header(key, sha256(content))
    replace(file, msgspec.json.encode(header) + b"\n", content)


def read_if_kept(file: Path) -> bytes:
    """Return the content of a file that only saves time; empty where it cannot be read."""
    try:
        with open_regular(file) as stream:
            return stream.read()
    except OSError as error:
        log.debug("%s", error)
        return b""


def replace(file: Path, *parts: bytes | memoryview) -> None:
    """Write a file whole or not at all; EngineError where it cannot be."""
    import tempfile  # here, since few runs build engines

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=partial_prefix(file), delete=False) as stream:
            partial = Path(stream.name)
            try:
                for part in parts:
                    stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())
                os.fchmod(stream.fileno(), READABLE)  # a temporary file is its maker's alone
                partial.replace(file)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise EngineError(f"{file} cannot be written ({error}); make room, or move what is in its place") from error


def partial_prefix(file: Path) -> str:
    """Return the beginning of the names of a file's partial copies, which a kill may leave."""
    return f".{file.name}-"


def sweep(*files: Path) -> None:
    """Remove the partial copies of these files that a kill has left."""
    for file in files:
        for left in file.parent.glob(f"{partial_prefix(file)}*"):
            with suppress(OSError):
                left.unlink()


@contextmanager
def locked(folder: Path, tell: Callable[[str], None], is_stopped: Callable[[], bool]) -> Iterator[None]:
    """Make a folder and lock it for one process that builds into it; wait for another one that does.

    `tell` gets a line before a wait. KeyboardInterrupt where `is_stopped` returns true meanwhile.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / LOCK).open("w")
    except OSError as error:
        raise EngineError(f"engines cannot be kept in {folder} ({error}); make it writable") from error
    with stream:
        if not take_lock(stream.fileno()):
            tell(f"waiting for another process that builds into {folder}")
            while not take_lock(stream.fileno()):
                if is_stopped():
                    raise KeyboardInterrupt
                time.sleep(LOCK_RETRY_S)
        yield


def take_lock(descriptor: int) -> bool:
    """Take a lock unless another process holds it; return whether it was taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sha256(content: bytes | memoryview) -> str:
    """Return the SHA-256 of an engine's bytes, in hex."""
    import hashlib  # here, since few runs have engines

    return hashlib.sha256(content).hexdigest()
