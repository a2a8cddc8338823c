"""What every corpus yields: one labelled utterance of one speaker, heard and perhaps seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edge.errors import UsageError

LABELS = ("angry", "happy", "neutral", "sad")
"""The classes that every corpus here is mapped to."""
GROUPS = 5
"""Folds of a corpus without sessions or a split of its own."""
COMPANION = "._"
"""How the names of the files begin that macOS leaves beside the ones it copies."""

Half = Literal["whole", "left", "right"]


@dataclass(frozen=True)
class VideoSegment:
    """Where an utterance is seen."""

    path: Path
    """A video file."""
    begin_s: float = 0.0
    """From the file's beginning."""
    end_s: float | None = None
    """None: to the file's end."""
    half: Half = "whole"
    """Where two people share a picture side by side, the half that shows the speaker."""


@dataclass(frozen=True)
class Utterance:
    """One utterance."""

    name: str
    """Unique in its corpus, good as a file name."""
    path: Path
    """Its sound: any file that PyAV decodes."""
    label: str
    """One of the config's labels."""
    speaker: str
    """Unique over all corpora: `corpus-speaker`."""
    corpus: str
    fold: str = ""
    """What cross-validation leaves out together; empty where the corpus is one of voices only."""
    video: VideoSegment | None = None
    """None: sound only."""


def recordings(folder: Path, pattern: str) -> Sequence[Path]:
    """The corpus's files in one order on every machine; UsageError where there are none."""
    found = matching_files(folder, pattern)
    if not found:
        raise UsageError(
            f"no recordings match {folder / pattern}; set FOAL_DATA (or --data) to the folder that holds {folder.name}/"
        )
    return found


def unpacked(root: Path, name: str, pattern: str) -> Sequence[Path]:
    """The files of a corpus that lies in `root/name` or is `root` itself; UsageError where there are none."""
    found = matching_files(root / name, pattern) or matching_files(root, pattern)
    if not found:
        raise UsageError(f"no {pattern} in {root / name} or in {root}; give the folder {name} or the one that holds it")
    return found


def matching_files(folder: Path, pattern: str) -> Sequence[Path]:
    """The files that match, sorted."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith(COMPANION))


def in_groups(utterances: Sequence[Utterance]) -> list[Utterance]:
    """The same utterances in folds of whole speakers: their sorted names are dealt out in turn."""
    speakers = sorted({utterance.speaker for utterance in utterances})
    fold = {speaker: f"group{1 + index % GROUPS}" for index, speaker in enumerate(speakers)}
    return [replace(utterance, fold=fold[utterance.speaker]) for utterance in utterances]
