"""Fields of predictions: what a window was based on, and what was recognised in it."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..bundle.manifest import Manifest
from ..wire.evidence import AudioEvidence, AudioState, Latency, PersonSeen, VideoEvidence, VoiceOf
from .active_speaker import UNCLEAR
from .inbox import Moment
from .recognizer import Recognition
from .signal_quality import rms_dbfs, speech_share
from .speaker_turns import NOBODY
from .window import Window


class Part(NamedTuple):
    """Window of a stream or of one of its people, with what was recognised in it."""

    window: Window
    recognition: Recognition
    audio: AudioEvidence

    @property
    def person(self) -> int | None:
        """Number of the person; None where the window is the stream's."""
        return self.window.person

    @property
    def is_finite(self) -> bool:
        """True if all that a prediction would say can be published."""
        numbers = *self.recognition.probs, self.recognition.agreement, self.audio.rms_dbfs, self.audio.speech
        return all(number is None or math.isfinite(number) for number in numbers)

    @property
    def figures(self) -> str:
        """The numbers, for people."""
        found = self.recognition
        return f"probabilities {found.probs.tolist()}, agreement {found.agreement}, {self.audio}"


def make_part(manifest: Manifest, window: Window, recognition: Recognition) -> Part:
    """Return a window with what was recognised in it, and what its audio was."""
    is_speechless = len(window.samples) > 0 and not recognition.is_heard
    audio = AudioEvidence(
        with_speech(window.audio, is_speechless=is_speechless),
        rms_dbfs(window.samples),
        speech(manifest, window, recognition),
        voice_of(window),
    )
    return Part(window, recognition, audio)


def with_speech(audio: AudioState, *, is_speechless: bool) -> AudioState:
    """Return the state of the audio, `no_speech` where sound arrives but the window held too little voice."""
    return "no_speech" if is_speechless and audio in ("ok", "clipping") else audio


def speech(manifest: Manifest, window: Window, recognition: Recognition) -> float | None:
    """Return the share of speech: the model's, or a measure of energy where the bundle cannot tell."""
    if manifest.voice is None:
        return speech_share(window.samples, manifest.audio.rate_hz)
    return recognition.voice.share if recognition.voice else None


def voice_of(window: Window) -> VoiceOf | None:
    """Return whose the voice in the newest second is, as seen from the window's person."""
    if window.speaker is None:
        return None
    if window.speaker == window.person:
        return "person"
    return "nobody" if window.speaker == NOBODY else "unclear" if window.speaker == UNCLEAR else "other"


def prediction_fields(
    part: Part, labels: list[str], moment: Moment, people: Sequence[PersonSeen] = ()
) -> dict[str, Any]:
    """Return the fields of a prediction that say what was recognised, in what, and how long it took."""
    window, recognition, audio = part
    framing = window.framing
    return {
        "t_start": moment.unix_ns(window.start_ns),
        "t_end": moment.unix_ns(window.end_ns),
        "t_publish": moment.unix_ns(moment.now_ns),
        "mono_start": window.start_ns,
        "mono_end": window.end_ns,
        "mono_publish": moment.now_ns,
        "backend": recognition.backend,
        "label": recognition.label(labels),
        "labels": labels,
        "probs": [float(p) for p in recognition.probs],
        "confidence": float(recognition.probs.max()),
        "agreement": recognition.agreement,
        "audio": audio,
        "video": VideoEvidence(
            window.video,
            framing.faces if framing else None,
            framing.box if framing else None,
            len(window.embeddings),
            list(people),
        ),
        "latency_ms": Latency(
            window.encode_video_s * 1e3,
            recognition.encode_audio_ms,
            recognition.fuse_ms,
            (moment.now_ns - window.end_ns) / 1e6,
        ),
    }
