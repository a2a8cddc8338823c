"""The place of a recording: a file here, or an address that FFmpeg connects to, neither of which may hang."""

import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import av

from ..errors import SourceError
from ..system.files import check_file, is_there
from ..system.redaction import without_secrets

T = TypeVar("T")

Place = Path | str
"""A path is a file's; a text is an address."""

ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
ALIASES = {"mms": "mmsh"}
"""Schemes that FFmpeg calls otherwise."""
ANSWER_S = 5.0
"""What connecting may take, and recognising what comes, and each further piece of a recording."""
GRACE_S = 0.5
"""What FFmpeg may take beyond that: it looks at the time ten times a second, but not while a name is looked up."""
LITERALLY = {"pattern_type": "none"}
"""A picture's name with a % or a * in it is no pattern of many pictures.

All options are the container's: PyAV before 18 ends the process where streams are to have them too and come late.
"""
RTSP = {"rtsp_transport": "tcp"}


def is_address(text: str) -> bool:
    """Whether the user means something to connect to, not a file; the scheme in whatever case."""
    found = ADDRESS.match(text)
    return found is not None and found[1].lower() != "file" and not os.path.lexists(text)


def named(text: str, folder: Path | None = None) -> Place:
    """What the user names: an address, or a file, whatever its name looks like, relative to `folder`."""
    if is_address(text):
        return text
    if text.lower().startswith("file://") and not os.path.lexists(text):
        text = unquote(urlsplit(text).path)
    return folder / text if folder else Path(text)


def said(place: Place) -> str:
    """A place as messages name it."""
    return without_secrets(str(place)) if isinstance(place, str) else str(place)


def open_file(path: Path) -> "av.container.InputContainer":
    """A regular file of any name; SourceError where it is none, what FFmpeg raises where it cannot be read."""
    if not is_there(path, SourceError) and not path.is_symlink():
        raise SourceError(f"no such file: {path}")
    check_file(path, "give a recording or a still picture", SourceError)
    return av.open(f"file:{os.path.abspath(path)}", container_options=LITERALLY)


def open_address(address: str, name: str, read_s: float, options: dict[str, str]) -> "av.container.InputContainer":
    """A connection that ends by itself where nothing comes; SourceError names what is wrong with it."""
    scheme, separator, rest = address.partition("://")
    known = ALIASES.get(scheme.lower(), scheme.lower())
    transport = RTSP if known.startswith("rtsp") else {}
    begun_s = time.monotonic()
    try:
        return within(
            ANSWER_S + GRACE_S,
            f"{name}: opener",
            lambda: av.open(
                f"{known}{separator}{rest}", container_options=options | transport, timeout=(ANSWER_S, read_s)
            ),
        )
    except av.error.ProtocolNotFoundError as error:
        raise SourceError(
            f"cannot open {name}: the FFmpeg that PyAV brings knows no {scheme}://; give another kind of address, "
            "or for a camera a GStreamer string"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        reason = no_answer() if time.monotonic() - begun_s >= ANSWER_S else reason_of(error)
        raise SourceError(f"cannot open {name}: {reason}; check the address and that it answers") from None


def no_answer() -> str:
    """What is said where nothing came."""
    return f"no answer within {ANSWER_S:g} s"


def reason_of(error: Exception) -> str:
    """What FFmpeg says is wrong, without the address, which it repeats with its password."""
    if isinstance(error, av.error.ExitError):
        return no_answer()
    return str(getattr(error, "strerror", None) or type(error).__name__)


def within(seconds: float, name: str, make: Callable[[], T]) -> T:
    """What `make` gives or raises; TimeoutError where that takes too long: it is left behind in its thread."""
    result: SimpleQueue[tuple[T] | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            result.put((make(),))
        except BaseException as error:  # raised where it is waited for
            result.put(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        found = result.get(timeout=seconds)
    except Empty:
        raise TimeoutError(no_answer()) from None
    if isinstance(found, BaseException):
        raise found
    return found[0]
