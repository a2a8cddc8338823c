"""Rows of an annotation, one a window or one a person in it, made from the messages of a run."""

from collections.abc import Iterable
from fractions import Fraction

import msgspec
from msgspec.structs import replace

from ..clock import SECOND_NS
from ..geometry import Box
from ..wire.evidence import AudioState, VideoState
from ..wire.messages import UNCERTAIN, Message, PersonPrediction, Prediction, SteadyState

ONLY_FACE = 0
"""Identity of the largest face, the one that is predicted."""
ROUNDED_NS = 1_000_000
"""Time by which a frame's own may lie too early: many formats round times to milliseconds."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prediction of one window of a recording."""

    start_s: float
    """Time of the oldest audio sample or frame in the window, in seconds from the beginning of the recording."""
    end_s: float
    """Time of the newest, in seconds from the beginning of the recording."""
    label: str
    """Most probable label, or `uncertain` for a window with neither speech nor a face."""
    confidence: float
    """Probability of `label`, 0 to 1; for `uncertain`, the highest of `probs`."""
    steady_label: str
    """Label of the steady state from this window on: after smoothing, hysteresis and a minimum dwell."""
    probs: dict[str, float]
    """Calibrated probability of each of the bundle's labels, 0 to 1."""
    agreement: float | None
    """Cosine similarity of what is heard and what is seen, -1 to 1; None if one of them is missing."""
    audio: AudioState
    """State of the audio, as in `AudioEvidence`."""
    speech: float | None
    """Share of the window's audio with a voice in it, 0 to 1; None without audio."""
    rms_dbfs: float | None
    """Level of the window's audio, in dB relative to full scale; None without audio and in silence."""
    video: VideoState
    """State of the video, as in `VideoEvidence`."""
    faces: int | None
    """Number of faces when the whole image was searched last; None where none was searched."""
    box: Box | None
    """Box of the face in the newest frame, in pixels of the upright image with square pixels; None without a face."""
    frames: int
    """Number of frames with a face in the window."""
    frame: int | None
    """Number of the film's frame that is shown at `end_s`, from 0, by its mean frame rate; None without video."""
    face_id: int | None
    """Number of the person whom the row is about, from 1, where several are followed; else 0 for the face in `box`, and
    None without a face."""


class RowCollector:
    """Builder of rows from the messages of one stream, in the order in which they are published.

    With `by_person`, a prediction that is about one of several people makes no row: that person's own stands beside it.
    """

    def __init__(self, frame_rate_hz: Fraction | None, *, by_person: bool = False) -> None:
        """Begin a recording; without a frame rate, rows have no frame number."""
        self.rows: list[Row] = []
        self._frame_rate_hz, self._by_person, self._steady_label = frame_rate_hz, by_person, UNCERTAIN
        self._newest: int | None = None
        """Index of the row of the newest prediction of the stream; None if that made no row."""

    def add(self, message: Message) -> None:
        """Take a message: a prediction makes a row, a steady state is that of the stream's last row on."""
        if isinstance(message, Prediction):
            self._newest = None
            if message.person is None or not self._by_person:
                self._newest = len(self.rows)
                self.rows.append(make_row(message, self._steady_label, self._frame_rate_hz))
        elif isinstance(message, PersonPrediction):
            self.rows.append(make_row(message, message.steady, self._frame_rate_hz))
        elif isinstance(message, SteadyState):
            self._steady_label = message.label
            if self._newest is not None:
                self.rows[self._newest] = replace(self.rows[self._newest], steady_label=message.label)


def make_row(prediction: Prediction | PersonPrediction, steady_label: str, frame_rate_hz: Fraction | None) -> Row:
    """Return the row of a prediction whose monotonic times count from the beginning of the recording."""
    audio, video = prediction.audio, prediction.video
    return Row(
        start_s=prediction.mono_start / SECOND_NS,
        end_s=prediction.mono_end / SECOND_NS,
        label=prediction.label,
        confidence=prediction.confidence,
        steady_label=steady_label,
        probs=dict(zip(prediction.labels, prediction.probs, strict=True)),
        agreement=prediction.agreement,
        audio=audio.state,
        speech=audio.speech,
        rms_dbfs=audio.rms_dbfs,
        video=video.state,
        faces=video.faces,
        box=video.box,
        frames=video.frames,
        frame=None if frame_rate_hz is None else frame_at(prediction.mono_end, frame_rate_hz),
        face_id=face_of(prediction),
    )


def face_of(prediction: Prediction | PersonPrediction) -> int | None:
    """Return the identity of the face that a prediction is about."""
    if isinstance(prediction, PersonPrediction):
        return prediction.person
    return None if prediction.video.box is None else ONLY_FACE


def by_person(rows: Iterable[Row]) -> dict[int | None, list[Row]]:
    """Return the rows of each person by number; None stands for those about nobody in particular, which come first."""
    found: dict[int | None, list[Row]] = {None: []}
    for row in rows:
        found.setdefault(row.face_id or None, []).append(row)
    numbers = sorted(person for person in found if person is not None)
    return {person: found[person] for person in (None, *numbers) if found[person]}


def frame_at(time_ns: int, frame_rate_hz: Fraction) -> int:
    """Return the number of the frame that is shown at a time."""
    return int((time_ns + ROUNDED_NS) * frame_rate_hz / SECOND_NS)
