"""Channels of the LSL outlet of predictions, each with a name and a unit, and their values."""

import math
from typing import NamedTuple

from ..wire.evidence import VoiceOf
from ..wire.messages import PersonPrediction, Prediction

PROBABILITY = "probability"


class Channel(NamedTuple):
    """Description of a channel, as XDF files keep it."""

    label: str
    unit: str
    kind: str


EVIDENCE = (
    Channel("confidence", PROBABILITY, "Confidence"),
    Channel("agreement", "cosine", "Agreement"),
    Channel("speech", "share", "Speech"),
    Channel("rms", "dBFS", "Level"),
    Channel("faces", "count", "Faces"),
    Channel("latency", "milliseconds", "Latency"),
    Channel("unix_time", "seconds", "Time"),
    Channel("seq", "count", "Sequence"),
)
"""Channels after those of the labels."""


PERSON = (Channel("person", "number", "Person"), Channel("voice", "0 or 1", "Voice"))
"""Channels before the others in the outlet of people: whose sample it is, and whether the voice is theirs."""
VOICES: dict[VoiceOf, float] = {"person": 1.0, "other": 0.0, "nobody": 0.0, "unclear": math.nan}


def channels(labels: list[str]) -> list[Channel]:
    """Return the channels of predictions with these labels: a probability each, then the evidence."""
    return [*(Channel(label, PROBABILITY, "Probability") for label in labels), *EVIDENCE]


def person_sample(message: PersonPrediction) -> list[float]:
    """Return the values of `PERSON` and `channels` for one of several people."""
    return [float(message.person), VOICES[message.audio.voice_of or "unclear"], *sample(message)]


def sample(message: Prediction | PersonPrediction) -> list[float]:
    """Return the values of `channels`; what is null is NaN."""
    evidence = (
        message.confidence,
        message.agreement,
        message.audio.speech,
        message.audio.rms_dbfs,
        message.video.faces,
        message.latency_ms.total,
        message.t_end / 1e9,
        message.seq,
    )
    return [*message.probs, *(math.nan if value is None else float(value) for value in evidence)]
