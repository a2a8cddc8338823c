"""Folders that a training writes to: refused at once, not after hours, where nothing can be written."""

import tempfile
from pathlib import Path

from edge.errors import UsageError


def make_writable(folder: Path, option: str) -> None:
    """Make a folder if there is none; UsageError, which names the option that gave it, if no file can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{option} {folder}: nothing can be written there ({error.strerror}); give a folder that this user may "
            "write to"
        ) from error
