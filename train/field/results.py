"""Results of a field test on disk: written after every test, so that an interrupted run goes on where it was."""

import hashlib
from pathlib import Path

import msgspec

from edge.errors import UsageError
from edge.validation import UNREADABLE

from .rows import Row

FILE = "field.json"


class Results(msgspec.Struct):
    """Content of `field.json`."""

    model: str
    """Name and version of the bundle, or the path of the checkpoint."""
    key: str
    """Fingerprint of the model and of the settings; rows of another key are not mixed with these."""
    command: str
    settings: dict[str, str]
    tests: dict[str, list[Row]]
    """Rows by test, in the order in which they were run."""

    @property
    def rows(self) -> list[Row]:
        """Rows of all tests."""
        return [row for rows in self.tests.values() for row in rows]


def resume(folder: Path, started: Results) -> Results:
    """Return the results that an earlier run with the same key left, else those given; UsageError for other files."""
    path = folder / FILE
    if not path.is_file():
        return started
    try:
        earlier = msgspec.json.decode(path.read_bytes(), type=Results)
    except UNREADABLE as error:
        raise UsageError(f"{path} is no result of a field test ({error}); give another --out") from error
    return msgspec.structs.replace(started, tests=earlier.tests) if earlier.key == started.key else started


def write(folder: Path, results: Results) -> None:
    """Write the results, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{FILE}"
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    partial.replace(folder / FILE)


def fingerprint(*parts: str) -> str:
    """Return a hash of a model and its settings."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
