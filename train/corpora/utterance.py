"""Utterance, the item of every corpus: labelled speech of one speaker, with or without video."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from edge.errors import UsageError

LABELS = ("angry", "happy", "neutral", "sad")
"""Classes that most corpora have: all of a corpus of clips. A corpus of voices may have more."""
GROUPS = 5
"""Number of folds of a corpus without sessions or a split of its own."""
COMPANION = "._"
"""Prefix of the files that macOS leaves beside the ones it copies."""

Half = Literal["whole", "left", "right"]
Sex = Literal["female", "male", ""]
Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class VideoSegment:
    """Segment of a video file that shows an utterance."""

    path: Path
    """Path of the video file."""
    begin_s: float = 0.0
    """Begin of the segment in the file."""
    end_s: float | None = None
    """End of the segment in the file; None for the file's end."""
    half: Half = "whole"
    """Half of the frame that shows the speaker, if two people share it side by side."""


@dataclass(frozen=True)
class Utterance:
    """Labelled utterance of one speaker."""

    name: str
    """Name, unique in its corpus and valid as a file name."""
    path: Path
    """Path of the audio: any file that PyAV decodes."""
    label: str
    """Class, named as FER2013 names it where it has the class (angry, disgust, fear, happy, sad, surprise, neutral)."""
    speaker: str
    """Speaker, unique over all corpora: `corpus-speaker`."""
    corpus: str
    fold: str = ""
    """Fold of the cross-validation; empty for a corpus of voices only."""
    video: VideoSegment | None = None
    """Segment that shows the utterance; None if there is audio only."""
    language: str = ""
    """Language tag of BCP 47, such as `en-IN`; empty if the reader does not tell."""
    sex: Sex = ""
    """Sex of the speaker; empty if unknown."""


def recordings(folder: Path, pattern: str) -> Sequence[Path]:
    """Return the corpus's files in the same order on every machine; UsageError if there are none."""
    found = matching_files(folder, pattern)
    if not found:
        raise UsageError(
            f"no recordings match {folder / pattern}; set FOAL_DATA (or --data) to the folder that holds {folder.name}/"
        )
    return found


def fields(path: Path, separator: str, names: str) -> list[str]:
    """Return the fields of the file's name, one for each of the `names`; UsageError if their number differs."""
    found = path.stem.split(separator)
    expected = names.split()
    if len(found) != len(expected):
        raise UsageError(f"{path} is named with {len(found)} fields, expected {separator.join(expected)}; remove it")
    return found


def look_up(path: Path, code: str, meanings: Mapping[str, Name]) -> Name:
    """Return the meaning of a code in the file's name; UsageError if it has none."""
    if code not in meanings:
        raise UsageError(f"{path} is named with {code!r}, expected one of {', '.join(meanings)}; remove it")
    return meanings[code]


def unpacked(root: Path, name: str, pattern: str) -> Sequence[Path]:
    """Return the files of a corpus in `root/name` or in `root` itself; UsageError if there are none."""
    found = matching_files(root / name, pattern) or matching_files(root, pattern)
    if not found:
        raise UsageError(f"no {pattern} in {root / name} or in {root}; give the folder {name} or the one that holds it")
    return found


def matching_files(folder: Path, pattern: str) -> Sequence[Path]:
    """Return the files that match, sorted, without those of macOS."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith(COMPANION))


def in_groups(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Return the utterances with folds of whole speakers, whose sorted names are assigned in turn."""
    speakers = sorted({utterance.speaker for utterance in utterances})
    fold = {speaker: f"group{1 + index % GROUPS}" for index, speaker in enumerate(speakers)}
    return [replace(utterance, fold=fold[utterance.speaker]) for utterance in utterances]
