"""Accuracy of a bundle on labelled clips or still images, by the runtime's own windows.

A clip's prediction is that of its first window, as in the paper: its first 6 s, or all of a shorter clip.
"""

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..clock import to_ns
from ..errors import EngineError, SourceError, UsageError
from ..live.driver import cut_window
from ..live.recognizer import Recognition, Recognizer
from ..live.stream import Stream
from ..preprocess.framing import Framing
from ..sources.base import source_error
from ..sources.defects import Defects
from ..sources.location import Location, display_name, parse_location
from ..sources.media import MediaFile, probe
from ..sources.track_selection import BEST, TrackNumbers
from .answers import Answer
from .csv_table import rows
from .labels import match
from .metrics import Accuracy, evaluate

COLUMNS = {
    "path": ("file", "filename", "file_name", "filepath", "file_path", "clip", "video", "audio", "wav"),
    "label": ("emotion", "emo", "emoclass", "expression", "class", "target"),
}
"""Columns of a table of clips, each with other names that are common."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clip:
    """Row of a table of clips."""

    path: Location
    truth: int
    """Index of the true label in the bundle's labels."""


@dataclass(frozen=True)
class Score:
    """Result for a table of clips."""

    accuracy: Accuracy | None
    """Accuracy on the clips that could be predicted; None where there are none."""
    failed: list[str]
    """Error messages of the clips that could not be predicted."""
    uncertain: int
    """Number of clips with neither speech nor a face, which are `uncertain` and count as wrong."""
    answers: list[Answer]
    """Answer to each clip, in their order."""


def read_table(table: Path, labels: Sequence[str], skipped: Counter[str] | None = None) -> list[Clip]:
    """Read rows of `path,label`, paths relative to the table; UsageError names the line that is wrong.

    Columns and labels may have other names that are common. Rows with a label that is not known are counted in
    `skipped`, by their label; an error where that is None.
    """
    clips = []
    for line, row in rows(table, tuple(COLUMNS), COLUMNS):
        label = match(row["label"], labels)
        if label is not None:
            clips.append(Clip(parse_location(row["path"], table.parent), labels.index(label)))
        elif skipped is not None:
            skipped[row["label"]] += 1
        else:
            raise UsageError(
                f"{table}, line {line}: label {row['label']!r} is none of the bundle's: {', '.join(labels)}; "
                "--skip-unknown-labels leaves such rows out"
            )
    if skipped and not clips:
        raise UsageError(
            f"{table} has no row with a label of the bundle's: {', '.join(labels)}; it has {', '.join(skipped)}"
        )
    if not clips:
        raise UsageError(f"{table} has no rows; it needs path,label and a row a clip")
    return clips


def score(
    clips: Iterable[Clip],
    recognizer: Recognizer,
    make: Callable[[], Framing],
    *,
    audio: bool,
    video: bool,
    numbers: TrackNumbers = BEST,
) -> Score:
    """Predict each clip by those of the wanted modalities that it has; `make` gives a framing for each clip."""
    probs, truth, failed, uncertain = [], [], [], 0
    answers = []
    for clip in clips:
        framing, name = make(), display_name(clip.path)
        try:
            found = predict(clip.path, recognizer, framing, audio=audio, video=video, numbers=numbers)
            probs.append(found.probs if found.has_evidence else np.full_like(found.probs, np.nan))
            truth.append(clip.truth)
            uncertain += not found.has_evidence
            answers.append(answer(name, clip, found, recognizer.manifest.labels))
            if not np.isfinite(found.probs).all():
                log.warning("%s counts as wrong: the model gave it %s", name, found.probs.tolist())
        except EngineError:
            raise
        except Exception as error:  # a decoder may raise anything: one clip is lost, not the table
            log.debug("%s", name, exc_info=error)
            failed.append(str(source_error(name, error)))
            answers.append(Answer(name, recognizer.manifest.labels[clip.truth], None, None, None, failed[-1]))
    accuracy = evaluate(np.stack(probs), np.array(truth)) if probs else None
    return Score(accuracy, failed, uncertain, answers)


def answer(name: str, clip: Clip, found: Recognition, labels: Sequence[str]) -> Answer:
    """Return the answer to a clip."""
    probs = dict(zip(labels, map(float, found.probs), strict=True))
    return Answer(name, labels[clip.truth], found.label(labels), float(found.probs.max()), probs, None)


def predict(
    path: Location, recognizer: Recognizer, framing: Framing, *, audio: bool, video: bool, numbers: TrackNumbers = BEST
) -> Recognition:
    """Recognize a clip's first window; SourceError where the window holds nothing."""
    manifest = recognizer.manifest
    has_audio, has_video = probe(path, numbers)
    wants_audio, wants_video = audio and has_audio, video and has_video
    media = MediaFile(path, manifest.audio if wants_audio else None, manifest.video if wants_video else None, numbers)
    window_ns, end_ns = to_ns(manifest.audio.window_s), 1
    defects = Defects(display_name(path), warn=log.warning)
    stream = Stream(
        manifest,
        framing,
        audio=wants_audio,
        video=wants_video,
        begin_ns=0,
        hop_ns=window_ns,
        audio_lost_ns=math.inf,
        video_lost_ns=math.inf,
        on_drop=lambda reason, why: defects.report(reason, None, f"{why}; what is like it is left out"),
    )
    for item in media.read():
        if item.end_ns > window_ns:
            break
        stream.add(item)
        end_ns = item.end_ns + 1
    window = cut_window(stream, end_ns, recognizer).window
    if window is None:
        raise SourceError(f"{display_name(path)} has no audio that is used and no face that is detected")
    return recognizer.recognize([window])[0]
