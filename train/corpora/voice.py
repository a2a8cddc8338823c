"""What every corpus of voices yields: one labelled recording of one speaker."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import UsageError


@dataclass(frozen=True)
class Voice:
    """One recording."""

    path: Path
    """Any file that PyAV decodes."""
    label: str
    """One of the config's labels."""
    speaker: str
    """Unique over all corpora: `corpus-speaker`."""
    corpus: str


def recordings(folder: Path, pattern: str) -> Sequence[Path]:
    """The corpus's files in one order on every machine; UsageError where there are none."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise UsageError(
            f"no recordings match {folder / pattern}; set FOAL_DATA (or --data) to the folder that holds {folder.name}/"
        )
    return found
