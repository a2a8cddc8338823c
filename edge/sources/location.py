"""Locations of recordings, files or network addresses, and how to open them without hanging."""

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

Location = Path | str
"""Location of a recording: the path of a file, or a network address as text."""

ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
ALIASES = {"mms": "mmsh"}
"""Schemes that FFmpeg knows by another name."""
CONNECT_TIMEOUT_S = 5.0
"""Time allowed for connecting, for probing the stream, and for each further read of a recording."""
GRACE_S = 0.5
"""Time allowed to FFmpeg beyond its timeout, which it checks ten times a second, but not during a DNS lookup."""
NO_NAME_PATTERN = {"pattern_type": "none"}
"""Option that keeps FFmpeg from taking a % or * in an image's file name for a pattern of many files.

Options are passed to the container only: PyAV before 18 crashes if they are for streams too and streams are added late.
"""
RTSP_OVER_TCP = {"rtsp_transport": "tcp"}
"""Option for RTSP: over UDP, lost packets damage frames."""


def is_address(text: str) -> bool:
    """Return whether the text is a network address and not a file; the scheme may be in any case."""
    found = ADDRESS.match(text)
    return found is not None and found[1].lower() != "file" and not os.path.lexists(text)


def parse_location(text: str, folder: Path | None = None) -> Location:
    """Return the location that a text means: an address, or a file relative to `folder`, whatever its name."""
    if is_address(text):
        return text
    if text.lower().startswith("file://") and not os.path.lexists(text):
        text = unquote(urlsplit(text).path)
    return folder / text if folder else Path(text)


def display_name(location: Location) -> str:
    """Return a location as messages show it, without passwords."""
    return without_secrets(str(location)) if isinstance(location, str) else str(location)


def open_file(path: Path) -> "av.container.InputContainer":
    """Open a regular file of any name; raises SourceError if there is none, FFmpeg's error if it is unreadable."""
    if not is_there(path, SourceError) and not path.is_symlink():
        raise SourceError(f"no such file: {path}")
    check_file(path, "give a recording or a still image", SourceError)
    return av.open(f"file:{os.path.abspath(path)}", container_options=NO_NAME_PATTERN)


def open_address(address: str, name: str, read_s: float, options: dict[str, str]) -> "av.container.InputContainer":
    """Connect to an address, with timeouts of `read_s` on reads; raises SourceError with the reason of a failure."""
    scheme, separator, rest = address.partition("://")
    known = ALIASES.get(scheme.lower(), scheme.lower())
    transport = RTSP_OVER_TCP if known.startswith("rtsp") else {}
    begun_s = time.monotonic()
    try:
        return call_within(
            CONNECT_TIMEOUT_S + GRACE_S,
            f"{name}: opener",
            lambda: av.open(
                f"{known}{separator}{rest}", container_options=options | transport, timeout=(CONNECT_TIMEOUT_S, read_s)
            ),
        )
    except av.error.ProtocolNotFoundError as error:
        raise SourceError(
            f"cannot open {name}: the FFmpeg that PyAV brings knows no {scheme}://; give another kind of address, "
            "or for a camera a GStreamer string"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        reason = timeout_message() if time.monotonic() - begun_s >= CONNECT_TIMEOUT_S else failure_reason(error)
        raise SourceError(f"cannot open {name}: {reason}; check the address and that it answers") from None


def timeout_message() -> str:
    """Return the reason of a connection that timed out."""
    return f"no answer within {CONNECT_TIMEOUT_S:g} s"


def failure_reason(error: Exception) -> str:
    """Return FFmpeg's reason of an error, without the address, which may hold a password."""
    if isinstance(error, av.error.ExitError):
        return timeout_message()
    return str(getattr(error, "strerror", None) or type(error).__name__)


def call_within(seconds: float, name: str, make: Callable[[], T]) -> T:
    """Call `make` in a thread; return or raise its outcome, or TimeoutError, abandoning the thread, if it hangs."""
    result: SimpleQueue[tuple[T] | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            result.put((make(),))
        except BaseException as error:  # raised in the waiting thread
            result.put(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        found = result.get(timeout=seconds)
    except Empty:
        raise TimeoutError(timeout_message()) from None
    if isinstance(found, BaseException):
        raise found
    return found[0]
