"""People in made films: a real clip that plays or rests, and a photograph whose mouth a voice opens.

Pictures are uint8 `[H, W, 3]`, RGB; samples float32 `[n]` at 16 kHz, full scale 1.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edge.preprocess.images import Image
from edge.preprocess.media import Samples
from edge.sources.media import read_audio

from .recordings import PHOTOGRAPHED_FACE

RATE_HZ = 16000
STEP_S = 0.01
"""Length of the steps in which levels are taken."""
VOICED_DB = 26.0
"""Distance below a voice's loudest step down to which it is heard."""
BRIDGED_STEPS = 25
"""Longest pause between two words that counts as speaking."""
OPENS_S, CLOSES_S = 0.15, 0.2
"""Time by which a real mouth moves before its voice, and after it."""
OPEN = 0.12
"""Widest opening of a photograph's mouth, as a share of the face's width."""
OPENINGS = 60
"""Number of openings that a photograph is drawn with."""
OWN_SHARE = 0.35
"""Share of a made mouth's motion that follows nothing in the sound, as closures and rounded lips do not."""
JAW_STEPS, VOICED_STEPS = 8, 20
"""Steps to either side over which a made mouth's motion is smoothed, and over which it begins and ends."""
LEAD_S = (0.0, 0.1)
"""Time by which a made mouth moves before its sound."""
INSIDE = np.array((45, 26, 26), np.float32)
"""Colour inside of an open mouth."""

Levels = NDArray[np.float64]


class Said(NamedTuple):
    """Sound of an utterance and the time at which it begins; the number of its clip, where it is of one."""

    start_s: float
    samples: Samples
    clip: int = 0

    @property
    def end_s(self) -> float:
        """Time at which its sound ends."""
        return self.start_s + len(self.samples) / RATE_HZ


class Talker(Protocol):
    """Person in a film, who has a script."""

    def draw(self, time_s: float) -> Image:
        """Return the person's picture at a time, always of one size."""
        ...


class Footage(NamedTuple):
    """Real clip of one person who says something."""

    images: Sequence[Image]
    times_s: NDArray[np.float64]
    samples: Samples
    begins_s: float
    """Time at which the mouth begins to move, a little before the voice."""
    ends_s: float
    """Time at which it is still again."""


def powers(samples: Samples) -> Levels:
    """Return the mean power of each whole step of 10 ms."""
    step = round(STEP_S * RATE_HZ)
    return np.square(samples[: len(samples) // step * step], dtype=np.float64).reshape(-1, step).mean(axis=1)


def speaking(samples: Samples) -> NDArray[np.bool_]:
    """Return True for each step of 10 ms in which a voice in a quiet room speaks, short pauses included."""
    found = loud(samples)
    for one, next_one in pairwise(np.flatnonzero(found)):
        if next_one - one <= BRIDGED_STEPS:
            found[one:next_one] = True
    return found


def loud(samples: Samples) -> NDArray[np.bool_]:
    """Return True for each step of 10 ms that is not much below the loudest one."""
    power = powers(samples)
    return np.asarray(power > power.max(initial=0) * 10 ** (-VOICED_DB / 10))


def trimmed(samples: Samples) -> Samples:
    """Return a recording without what is before and after the voice, but for a twentieth of a second."""
    heard = np.flatnonzero(speaking(samples))
    first, last = (round(STEP_S * RATE_HZ * step) for step in (max(0, heard[0] - 5), heard[-1] + 6))
    return samples[first:last]


@lru_cache(maxsize=8)
def footage(path: Path) -> Footage:
    """Return a clip, decoded."""
    with av.open(str(path)) as container:
        frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    samples = read_audio(path, RATE_HZ)
    heard = np.flatnonzero(speaking(samples)) * STEP_S
    times_s = np.array([time_s for time_s, _ in frames], np.float64)
    return Footage([image for _, image in frames], times_s, samples, heard[0] - OPENS_S, heard[-1] + CLOSES_S)


class ClipTalker:
    """Person of real clips, who listens in the frames before and after their speech, played to and fro."""

    def __init__(self, clips: Sequence[Footage], script: Sequence[Said]) -> None:
        self._clips, self._script = clips, sorted(script)

    def draw(self, time_s: float) -> Image:
        """Return the frame of the utterance that is said, else one in which the person rests."""
        before = [said for said in self._script if said.start_s <= time_s]
        after = [said for said in self._script if said.start_s > time_s]
        if before and time_s < before[-1].start_s + self._clips[before[-1].clip].ends_s:
            return self._frame(before[-1].clip, time_s - before[-1].start_s)
        if after and (not before or after[0].start_s - time_s < time_s - before[-1].end_s):
            clip = self._clips[after[0].clip]
            return self._frame(after[0].clip, abs(folded(after[0].start_s - time_s, clip.begins_s)))
        number = before[-1].clip if before else 0
        clip = self._clips[number]
        since_s = time_s - (before[-1].start_s + clip.ends_s if before else 0.0)
        return self._frame(number, clip.ends_s + folded(since_s, float(clip.times_s[-1]) - clip.ends_s))

    def _frame(self, clip: int, at_s: float) -> Image:
        return self._clips[clip].images[int(np.abs(self._clips[clip].times_s - at_s).argmin())]


def folded(time_s: float, length_s: float) -> float:
    """Return the place of a time in a stretch that is played to and fro."""
    at = time_s % (2 * length_s)
    return min(at, 2 * length_s - at)


class PhotoTalker:
    """Photograph of a face, 128 px or so, whose lower part is warped as the voice of the script opens its mouth."""

    def __init__(self, image: Image, script: Sequence[Said], length_s: float, rng: np.random.Generator) -> None:
        self._image = image.astype(np.float32)
        self._drawn: dict[float, Image] = {}
        self._opening = np.zeros(round(length_s / STEP_S) + 1)
        lead = round(rng.uniform(*LEAD_S) / STEP_S)
        for said in script:
            opens = openings(said.samples, rng)
            first = max(0, round(said.start_s / STEP_S) - lead)
            part = self._opening[first : first + len(opens)]
            part[:] = np.maximum(part, opens[: len(part)])
        side = image.shape[0]
        self._face_px = PHOTOGRAPHED_FACE * side
        top = (side - self._face_px) / 2
        middle = image[:, round(0.38 * side) : round(0.62 * side)].mean(axis=(1, 2))
        lips = slice(round(top + 0.72 * self._face_px), round(top + 0.86 * self._face_px))
        self._lips_px = lips.start + int(np.convolve(middle, np.ones(3), mode="same")[lips].argmin())
        self._chin_px = top + 1.04 * self._face_px

    def draw(self, time_s: float) -> Image:
        """Return the photograph with the mouth as open as it is at a time."""
        opening = self._opening[min(round(time_s / STEP_S), len(self._opening) - 1)]
        return self._opened(round(opening * OPENINGS) / OPENINGS)

    def _opened(self, opening: float) -> Image:
        drawn = self._drawn.get(opening)
        if drawn is None:
            drawn = self._drawn[opening] = self._draw(opening)
        return drawn

    def _draw(self, opening: float) -> Image:
        widest = OPEN * self._face_px * opening
        height, width = self._image.shape[:2]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        across = (x - (width - 1) / 2) / self._face_px
        gap = widest * np.maximum(0, 1 - (across / 0.17) ** 2)
        jaw = widest * np.exp(-((across / 0.35) ** 2))
        lower = np.maximum(gap, jaw * np.clip((height - y) / (height - self._chin_px), 0, 1))
        below = y - self._lips_px
        raised = np.where(below < 0, 0.15 * gap * np.exp(below / (0.06 * self._face_px)), 0)
        source = np.where(below > gap, np.maximum(y - lower, self._lips_px), y + raised).astype(np.float32)
        warped = cv2.remap(self._image, x, source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = np.clip(np.minimum(below + 0.5, gap - below + 0.5), 0, 1) * np.clip(gap, 0, 1)
        return (warped * (1 - inside[..., None]) + INSIDE * inside[..., None]).clip(0, 255).astype(np.uint8)


def openings(samples: Samples, rng: np.random.Generator) -> Levels:
    """Return how far a voice opens a mouth in each step of 10 ms, 0 to 1.

    The level of the band of open vowels' first formant (400 to 1,200 Hz), smoothed as jaws are slow, times a motion of
    the mouth's own: about half of what real mouths do follows the level (Chandrasekaran et al. 2009).
    """
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    band = np.fft.irfft(spectrum * ((hz > 400) & (hz < 1200)), len(samples)).astype(np.float32)
    level = smoothed(np.sqrt(powers(band)), JAW_STEPS)
    level = (level / max(level.max(initial=0), 1e-9)) ** 0.6
    own = smoothed(rng.standard_normal(len(level)), JAW_STEPS)
    own = np.clip(0.5 + own / max(2.5 * own.std(), 1e-9), 0, 1)
    voiced = smoothed(loud(samples).astype(float), VOICED_STEPS)
    return np.clip((1 - OWN_SHARE) * level + OWN_SHARE * own * voiced, 0, 1)


def smoothed(values: Levels, width: int) -> Levels:
    """Return values averaged by a raised cosine of so many steps to both sides."""
    window = np.hanning(2 * width + 1)
    return np.convolve(values, window / window.sum(), mode="same") if len(values) > 2 * width else values * 0
