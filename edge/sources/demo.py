"""Demo recording, drawn and synthesised, for a machine without camera and microphone.

A drawn face and a synthesised voice show every part at work, and what happens where one of them is missing; they are
no measure of accuracy.
"""

import heapq
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..bundle.manifest import AudioSpec, VideoSpec
from ..clock import SECOND_NS, to_ns
from ..preprocess.images import Image
from ..preprocess.media import BLOCK_S, Block, Frame, Media, Samples
from .caption import Caption

WIDTH, HEIGHT = 320, 240
SKIN, SHADE, CHEEK, LIP = (224, 184, 156), (186, 140, 116), (232, 170, 150), (170, 80, 75)
HAIR, DARK, THROAT, WHITE = (70, 48, 36), (40, 28, 28), (90, 30, 30), (243, 241, 238)
HAND, HAND_SHADE = (206, 160, 130), (160, 116, 92)
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


MOOD_S = 4.0
"""Duration of a mood."""
ROOM_LEVEL = 1e-3
"""Level of the quiet room's noise: -60 dBFS, so that it is no muted microphone."""


@dataclass(frozen=True)
class Mood:
    """Face and voice of one part of the demo."""

    smile: float
    """Curve of the mouth, below 0 with its corners down."""
    parted: float
    """Opening of the lips; 0 for closed ones."""
    frown: float
    """Slant of the brows, above 0 with their inner ends down."""
    brows_px: int
    """Height of the brows above their place at rest."""
    squint: float
    """Share, 0 to 1, by which the eyes are narrowed."""
    pitch_hz: float
    """Mean pitch of the voice."""
    pitch_swing: float
    """Amplitude of the pitch's modulation, as a fraction of the pitch."""
    syllables_hz: float
    """Syllables a second."""
    level: float
    """Peak of the voice; full scale is 1."""


@dataclass(frozen=True)
class Part:
    """Part of the demo: a mood, and what of it is seen and heard."""

    shows: str
    """Caption: what is seen and heard."""
    mood: Mood
    speaks: bool = True
    """False for a face that says nothing, in a quiet room."""
    has_microphone: bool = True
    """False where no sound arrives, as of a microphone that was pulled out."""
    is_covered: bool = False
    """True for a face behind a hand."""
    seconds: float = MOOD_S
    """Duration; longer than a window where that must forget what was before."""


NEUTRAL = Mood(0.24, 0.08, 0.06, 5, 0.6, pitch_hz=126, pitch_swing=0.08, syllables_hz=5.5, level=0.1)
HAPPY = Mood(1.5, 0.0, 0.2, 6, 0.9, pitch_hz=278, pitch_swing=0.37, syllables_hz=5.4, level=0.2)
ANGRY = Mood(-1.0, 1.1, 1.1, -4, 0.8, pitch_hz=247, pitch_swing=0.04, syllables_hz=5.2, level=0.6)
SAD = Mood(-1.2, 0.2, -1.2, 1, 0.9, pitch_hz=105, pitch_swing=0.04, syllables_hz=2.2, level=0.1)
MOODS = (NEUTRAL, HAPPY, ANGRY, SAD)
PARTS = (
    Part("a neutral face and voice", NEUTRAL),
    Part("a happy face and voice", HAPPY),
    Part("an angry face and voice", ANGRY),
    Part("a sad face and voice", SAD),
    Part("a face that says nothing: soon the face alone counts", NEUTRAL, speaks=False, seconds=7.0),
    Part("a hand over the face: soon the voice alone counts", HAPPY, is_covered=True, seconds=7.0),
    Part("a lost microphone: the face alone counts", HAPPY, has_microphone=False),
)
BEGINS_S = tuple(sum(part.seconds for part in PARTS[:index]) for index in range(len(PARTS)))
DURATION_S = sum(part.seconds for part in PARTS)
CAPTIONS = tuple(Caption(to_ns(begin_s), part.shows) for begin_s, part in zip(BEGINS_S, PARTS, strict=True))
"""Captions of the demo, by time."""


class Demo:
    """Recording of the drawn face and its voice, the parts in turn, the same every time."""

    name = "demo (a drawn face and a synthesised voice)"

    def __init__(self, audio: AudioSpec | None, video: VideoSpec | None) -> None:
        self._audio, self._video = audio, video

    def read(self) -> Iterator[Media]:
        """Yield blocks of 20 ms and frames at the bundle's rate, by time."""
        audio = blocks(self._audio.rate_hz) if self._audio else iter(())
        video = frames(self._video.rate_hz) if self._video else iter(())
        return heapq.merge(audio, video, key=lambda item: item.end_ns)


def blocks(rate_hz: int) -> Iterator[Media]:
    """Yield what the microphone hears of all parts, in blocks of 20 ms."""
    size, noise = round(BLOCK_S * rate_hz), np.random.default_rng(0)
    for begin_s, part in zip(BEGINS_S, PARTS, strict=True):
        if not part.has_microphone:
            continue
        samples = noise.normal(0, ROOM_LEVEL, round(part.seconds * rate_hz)).astype(np.float32)
        if part.speaks:
            samples += voice(part.mood, rate_hz, part.seconds)
        for end in range(size, len(samples) + 1, size):
            yield Block(samples[end - size : end], to_ns(begin_s) + end * SECOND_NS // rate_hz)


def frames(rate_hz: float) -> Iterator[Media]:
    """Yield the faces of all parts in turn."""
    images = [covered(face(part.mood)) if part.is_covered else face(part.mood) for part in PARTS]
    for index in range(round(DURATION_S * rate_hz)):
        yield Frame(images[bisect(BEGINS_S, index / rate_hz) - 1], to_ns(index / rate_hz))


def face(mood: Mood) -> Image:
    """Draw a face that shows the mood, uint8 `[240, 320, 3]` RGB."""
    canvas = np.full((HEIGHT, WIDTH, 3), (96, 112, 120), np.uint8)
    cv2.ellipse(canvas, (160, 112), (74, 92), 0, 0, 360, HAIR, -1)
    cv2.ellipse(canvas, (160, 130), (62, 80), 0, 0, 360, SKIN, -1)
    cv2.line(canvas, (160, 116), (160, 146), SHADE, 4)
    for side in (-1, 1):
        draw_eye(canvas, mood, side)
        cv2.ellipse(canvas, (160 + side * 7, 150), (5, 3), 0, 0, 360, SHADE, -1)
        if mood.smile > 0.5:
            cv2.ellipse(canvas, (160 + side * 38, 150), (16, 11), 0, 0, 360, CHEEK, -1)
            cv2.line(canvas, (160 + side * 16, 150), (160 + side * 30, 168), SHADE, 2)
    draw_mouth(canvas, mood)
    return np.asarray(cv2.GaussianBlur(canvas, (7, 7), 0), np.uint8)


def draw_eye(canvas: Image, mood: Mood, side: int) -> None:
    """Draw an eye and its brow, on the left with side -1, on the right with 1."""
    x, opening = 160 + side * 26, round(7 * (1 - 0.7 * mood.squint))
    cv2.ellipse(canvas, (x, 110), (19, 13), 0, 0, 360, SHADE, -1)
    cv2.ellipse(canvas, (x, 112), (12, opening), 0, 0, 360, WHITE, -1)
    cv2.circle(canvas, (x, 112), min(5, opening), DARK, -1)
    inner = 160 + side * 13, round(95 - mood.brows_px + 7 * mood.frown)
    outer = 160 + side * 42, round(93 - mood.brows_px - 4 * mood.frown)
    cv2.line(canvas, inner, outer, HAIR, 4)


def draw_mouth(canvas: Image, mood: Mood) -> None:
    """Draw both lips, and teeth where they are parted."""
    x = np.linspace(-1, 1, 25)
    across, middle = 160 + (27 + 5 * max(0.0, mood.smile)) * x, 176 + 9 * mood.smile * (0.5 - x**2)
    parted = 9 * mood.parted * (1 - x**2)
    upper, lower = middle - 0.35 * parted, middle + parted
    if mood.parted:
        cv2.fillPoly(canvas, [outline(across, upper, lower)], THROAT)
        cv2.fillPoly(canvas, [outline(across, upper, upper + np.minimum(1.1 * parted, 7))], WHITE)
    for lip in (upper, lower):
        cv2.polylines(canvas, [np.stack([across, lip], axis=1).round().astype(np.int32)], False, LIP, 5)


def outline(x: Positions, upper: Positions, lower: Positions) -> NDArray[np.int32]:
    """Return the polygon between two curves, `[2 n, 2]`."""
    points = np.stack([np.concatenate([x, x[::-1]]), np.concatenate([upper, lower[::-1]])], axis=1)
    return np.asarray(points.round(), np.int32)


def covered(image: Image) -> Image:
    """Return a drawn face behind a hand: a palm and four fingers."""
    canvas = image.copy()
    cv2.ellipse(canvas, (160, 172), (62, 56), 0, 0, 360, HAND, -1)
    for index in range(4):
        x, top = 112 + 32 * index, 62 + 8 * abs(2 * index - 3)
        cv2.line(canvas, (x, 150), (x, top), HAND_SHADE, 32)
        cv2.line(canvas, (x, 150), (x, top), HAND, 27)
    return np.asarray(cv2.GaussianBlur(canvas, (7, 7), 0), np.uint8)


def voice(mood: Mood, rate_hz: int, seconds: float = MOOD_S) -> Samples:
    """Synthesise the mood's voice, float32 `[n]`: glottal pulses that each ring in three formants (FOF, Rodet 1984)."""
    count, ring = round(seconds * rate_hz), round(RING_S * rate_hz)
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
