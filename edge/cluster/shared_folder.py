"""Folders that all machines of a cluster share."""

import os
import time
from pathlib import Path

from ..errors import FoalError, UsageError

SHARE = "recordings and results must lie in folders that all machines share, by the same paths"
SEEN_S = 10.0
"""Longest wait for a file that a worker has written to be seen here: shared folders are a little behind."""


def check_recording(recording: Path, size_bytes: int | None) -> None:
    """Raise UsageError where a recording is not the file of that size which the machine sees that asks for it.

    None says that it does not see the recording either.
    """
    found = size_of(recording)
    if size_bytes is not None and found != size_bytes:
        seen = "it is not to be seen here" if found is None else f"here it has {found}"
        raise UsageError(f"{recording} has {size_bytes} bytes where the command was given, {seen}; {SHARE}")


def size_of(recording: Path) -> int | None:
    """Return the size of a recording in bytes; None where there is none."""
    return recording.stat().st_size if recording.is_file() else None


def wait_until_seen(path: Path) -> None:
    """Return once a file that a worker has written is seen here; FoalError where it is not."""
    until_s = time.monotonic() + SEEN_S
    while path.name not in os.listdir(path.parent):  # which asks the server of the folder anew, as a look-up may not
        if time.monotonic() > until_s:
            raise FoalError(f"a worker has written {path}, which is not to be seen here; {SHARE}")
        time.sleep(0.1)
