"""Demo recording, drawn and synthesised, for a machine without camera and microphone.

A drawn face and a synthesised voice show every part at work; they are no measure of accuracy.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..bundle.manifest import AudioSpec, VideoSpec
from ..clock import SECOND_NS, to_ns
from ..preprocess.images import Image
from ..preprocess.media import BLOCK_S, Block, Frame, Media, Samples

WIDTH, HEIGHT = 320, 240
VOWELS_HZ = np.array([(730, 1090, 2440), (270, 2290, 3010), (530, 1840, 2480), (570, 840, 2410), (300, 870, 2240)])
"""Formants of a man's /a i e o u/, `[5, 3]` (Peterson & Barney 1952)."""
CLOSED_HZ = np.array((250, 1400, 2500))
"""Formants of a closed mouth, from which each syllable opens to its vowel."""
BANDWIDTHS_HZ, GAINS = np.array((60, 90, 150)), np.array((1.0, 0.5, 0.25))
"""Bandwidth and gain of each formant."""
RING_S = 0.03
"""Time for which a glottal pulse is heard, by when its first formant is down by 49 dB."""
PHRASE = 6
"""Syllables of a phrase; the last one is a pause."""

Positions = NDArray[np.float64]


@dataclass(frozen=True)
class Mood:
    """Face and voice of one part of the demo."""

    smile: float
    """Curve of the mouth, -1 to 1."""
    frown: float
    """Slant of the brows, -1 to 1."""
    pitch_hz: float
    """Mean pitch of the voice."""
    pitch_swing: float
    """Amplitude of the pitch's modulation, as a fraction of the pitch."""
    syllables_hz: float
    """Syllables a second."""
    level: float
    """Peak of the voice; full scale is 1."""
    seconds: float = 4.0
    """Duration of the part."""


MOODS = (
    Mood(smile=0.0, frown=0.0, pitch_hz=120, pitch_swing=0.06, syllables_hz=3.5, level=0.2),
    Mood(smile=1.0, frown=-0.3, pitch_hz=210, pitch_swing=0.3, syllables_hz=4.5, level=0.35),
    Mood(smile=-0.9, frown=-1.0, pitch_hz=165, pitch_swing=0.15, syllables_hz=5.0, level=0.6),
)
"""Parts of the demo: neutral, happy, angry."""


class Demo:
    """Recording of the drawn face and its voice, 12 s long, the same every time."""

    name = "demo (a drawn face and a synthesised voice)"

    def __init__(self, audio: AudioSpec | None, video: VideoSpec | None) -> None:
        self._audio, self._video = audio, video

    def read(self) -> Iterator[Media]:
        """Yield blocks of 20 ms and frames at the bundle's rate, by time."""
        audio = blocks(self._audio.rate_hz) if self._audio else iter(())
        video = frames(self._video.rate_hz) if self._video else iter(())
        return heapq.merge(audio, video, key=lambda item: item.end_ns)


def blocks(rate_hz: int) -> Iterator[Media]:
    """Yield the voices of all moods in turn, in blocks of 20 ms."""
    size = round(BLOCK_S * rate_hz)
    samples = np.concatenate([voice(mood, rate_hz) for mood in MOODS])
    for end in range(size, len(samples) + 1, size):
        yield Block(samples[end - size : end], end * SECOND_NS // rate_hz)


def frames(rate_hz: float) -> Iterator[Media]:
    """Yield the faces of all moods in turn."""
    images = [face(mood) for mood in MOODS for _ in range(round(mood.seconds * rate_hz))]
    for index, image in enumerate(images):
        yield Frame(image, to_ns(index / rate_hz))


def face(mood: Mood) -> Image:
    """Draw a face that shows the mood, uint8 `[240, 320, 3]` RGB."""
    canvas = np.full((HEIGHT, WIDTH, 3), (96, 112, 120), np.uint8)
    skin, shade, hair, dark = (224, 184, 156), (186, 140, 116), (70, 48, 36), (40, 28, 28)
    cv2.ellipse(canvas, (160, 112), (74, 92), 0, 0, 360, hair, -1)
    cv2.ellipse(canvas, (160, 130), (62, 80), 0, 0, 360, skin, -1)
    for side in (-1, 1):
        eye = (160 + side * 26, 112)
        cv2.ellipse(canvas, (eye[0], 110), (19, 13), 0, 0, 360, shade, -1)
        cv2.ellipse(canvas, eye, (12, 6), 0, 0, 360, (240, 240, 240), -1)
        cv2.circle(canvas, eye, 5, dark, -1)
        inner, outer = (160 + side * 13, round(95 + 7 * mood.frown)), (160 + side * 42, round(93 - 4 * mood.frown))
        cv2.line(canvas, inner, outer, hair, 5)
        cv2.ellipse(canvas, (160 + side * 7, 150), (5, 3), 0, 0, 360, shade, -1)
    cv2.line(canvas, (160, 116), (160, 146), shade, 4)
    x = np.linspace(-1, 1, 25)
    mouth = np.stack([160 + 27 * x, 176 + 9 * mood.smile * (0.5 - x**2)], axis=1).round().astype(np.int32)
    cv2.polylines(canvas, [mouth], False, (150, 60, 60), 7)
    return np.asarray(cv2.GaussianBlur(canvas, (7, 7), 0), np.uint8)


def voice(mood: Mood, rate_hz: int) -> Samples:
    """Synthesise the mood's voice, float32 `[n]`: glottal pulses that each ring in three formants (FOF, Rodet 1984)."""
    count, ring = round(mood.seconds * rate_hz), round(RING_S * rate_hz)
    time_s = np.arange(count) / rate_hz
    pitch_hz = mood.pitch_hz * (1 + mood.pitch_swing * np.sin(2 * np.pi * 0.7 * time_s))
    cycles = np.cumsum(pitch_hz) / rate_hz
    pulses_s = np.interp(np.arange(1, int(cycles[-1]) + 1), cycles, time_s)[:, None]
    loudness, formants_hz = articulate(pulses_s * mood.syllables_hz)
    places = np.ceil(pulses_s * rate_hz).astype(int) + np.arange(ring)
    elapsed_s = places / rate_hz - pulses_s
    ringing = sum(
        gain * np.exp(-np.pi * bandwidth * elapsed_s) * np.sin(2 * np.pi * hz[:, None] * elapsed_s)
        for gain, bandwidth, hz in zip(GAINS, BANDWIDTHS_HZ, formants_hz.T, strict=True)
    )
    samples = np.bincount(places.ravel(), (loudness * ringing).ravel())[:count]
    return np.asarray(mood.level * samples / np.abs(samples).max(), np.float32)


def articulate(syllables: Positions) -> tuple[Positions, Positions]:
    """Return loudness `[n, 1]` and formants in Hz `[n, 3]` after so many syllables `[n, 1]`, a fraction of one counted.

    Each syllable opens to a vowel in its first quarter, and sounds for four fifths of its time.
    """
    index, elapsed = np.divmod(syllables, 1)
    vowel_hz = VOWELS_HZ[index[:, 0].astype(int) % len(VOWELS_HZ)]
    formants_hz = CLOSED_HZ + np.minimum(4 * elapsed, 1) * (vowel_hz - CLOSED_HZ)
    loudness = np.sqrt(np.sin(np.pi * np.minimum(1.25 * elapsed, 1)))
    return loudness * (index % PHRASE < PHRASE - 1), formants_hz
