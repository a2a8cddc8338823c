"""Windows cut out of simulated streams: voices of one speaker in a bed of other sound, heard by some microphone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.preprocess.media import Samples

from .acoustics import TELEPHONE_HZ, band_pass, convolve, equalise, impulse_response, mu_law
from .noise import Beds, Draw, to_level
from .voice_activity import STEP, Activity

SPEEDS = (0.85, 1.18)
"""Range of playback speeds, which move pitch and formants, too: the corpora have few speakers."""
PAUSE_STEPS, LONGEST_PAUSE_STEPS = 25, 128
"""Mean and largest pause between recordings: 0.4 and 2 s."""
HALF_SECOND = 32
"""Half a second in steps."""
LEAST_SHARE = 0.05
"""Smallest share of voice by which a window's level is corrected, so that what is voice has a root mean square of 1."""
NOBODY = 0.12
"""Share of windows in which nobody speaks."""
STUDIO = 0.2
"""Share of the other windows that are as the voice was recorded, in no room and no bed."""


Moments = NDArray[np.int32]
"""Number of each step among those of all recordings, `[n]`; `NOWHERE` where none is heard."""
NOWHERE = -1


class Voice(NamedTuple):
    """Voice with what is known of each of its steps."""

    audio: Samples
    activity: Activity
    moments: Moments


class Simulated(NamedTuple):
    """Window of a simulated stream."""

    samples: Samples
    """float32 `[n]`."""
    activity: Activity
    """Voice in each step of the window."""
    moments: Moments
    """Steps of the recordings that are heard in those of the window."""


def recording(audio: Samples, activity: Activity, first: int = 0) -> Voice:
    """Return a recording as a voice, whose steps are numbered from `first` on."""
    return Voice(audio, activity, np.arange(first, first + len(activity), dtype=np.int32))


def silence(steps: int) -> Voice:
    """Return steps in which nobody speaks."""
    return Voice(
        np.zeros(steps * STEP, np.float32), np.zeros(steps, np.float32), np.full(steps, NOWHERE, dtype=np.int32)
    )


def simulate(voices: Sequence[Voice], beds: Beds, count: int, rate_hz: int, rng: Draw) -> Simulated:
    """Return a window of `count` samples; `voices` are one speaker's recordings of one label, the first one is heard.

    In some of the windows nobody speaks.
    """
    if rng.random() < NOBODY:
        audio, activity, moments = silence(-(-count // STEP))
        if rng.random() < 0.1:
            return Simulated(audio[:count], activity, moments)
        return Simulated(to_level(beds.draw(count, rng), rng.uniform(-80, -15)), activity, moments)
    audio, activity, moments = cut(speak(voices, count, rng), count, rng)
    if rng.random() < STUDIO:
        return Simulated(np.clip(to_level(audio, rng.uniform(-35, -12)), -1, 1), activity, moments)
    audio = to_room(audio, rate_hz, rng)
    audio = to_level(audio, 0.0) * np.float32(np.sqrt(max(activity.mean(), LEAST_SHARE)))
    if rng.random() < 0.85:
        snr_db = rng.uniform(25, 60) if rng.random() < 0.4 else rng.uniform(-2, 25)
        audio = audio + beds.draw(count, rng) * np.float32(10 ** (-snr_db / 20))
    return Simulated(to_microphone(audio, rate_hz, rng), activity, moments)


def speak(voices: Sequence[Voice], count: int, rng: Draw) -> Voice:
    """Return the first recording, alone or, in half of the draws, followed by others up to a whole window's length."""
    speed = rng.uniform(*SPEEDS)
    said = [change_speed(voices[0], speed)]
    if rng.random() < 0.5:
        while sum(len(voice.activity) for voice in said) * STEP < count:
            pause = min(int(rng.exponential(PAUSE_STEPS)) + 3, LONGEST_PAUSE_STEPS)
            said.append(silence(pause))
            said.append(change_speed(voices[int(rng.integers(len(voices)))], speed))
    return Voice(*(np.concatenate(parts) for parts in zip(*said, strict=True)))


def change_speed(voice: Voice, speed: float) -> Voice:
    """Play a voice at another speed, by linear interpolation; the length is a whole number of steps."""
    steps = max(int(len(voice.audio) / speed) // STEP, 1)
    places = np.arange(steps * STEP) * speed
    audio = np.interp(places, np.arange(len(voice.audio)), voice.audio).astype(np.float32)
    of = np.minimum((np.arange(steps) * speed).astype(int), len(voice.activity) - 1)
    return Voice(audio, voice.activity[of], voice.moments[of])


def cut(voice: Voice, count: int, rng: Draw) -> Voice:
    """Place a voice in a window: it ends with it, before it or after it; what does not fit is cut off."""
    steps, spoken = -(-count // STEP), len(voice.activity)
    place = rng.random()
    if place < 0.5:
        end = spoken + int(rng.uniform(0, min(HALF_SECOND, steps / 2)))
    elif place < 0.75:
        end = int(rng.uniform(min(HALF_SECOND, spoken), spoken + 1))
    else:
        end = int(rng.uniform(min(2 * HALF_SECOND, spoken), spoken + 0.6 * steps))
    window = silence(steps)
    first, last = max(end - steps, 0), min(end, spoken)
    begin = first - (end - steps)
    window.audio[begin * STEP : (begin + last - first) * STEP] = voice.audio[first * STEP : last * STEP]
    for placed, known in ((window.activity, voice.activity), (window.moments, voice.moments)):
        placed[begin : begin + last - first] = known[first:last]
    return window._replace(audio=window.audio[:count])


def to_room(audio: Samples, rate_hz: int, rng: Draw) -> Samples:
    """Put a voice into a room at some distance, in four of ten draws."""
    if rng.random() < 0.6:
        return audio
    response = impulse_response(rate_hz, rng.uniform(0.15, 1.1), rng.uniform(-6, 10), rng)
    return convolve(audio, response)


def to_microphone(audio: Samples, rate_hz: int, rng: Draw) -> Samples:
    """Colour, band-limit, level and sometimes overdrive or code a sound as microphones and telephones do."""
    if rng.random() < 0.5:
        audio = equalise(audio, rate_hz, rng.uniform(-8, 8, size=7))
    kind = rng.random()
    level = rng.uniform(-55, -30) if rng.random() < 0.3 else rng.uniform(-30, -10)
    if kind < 0.15:
        audio = mu_law(to_level(band_pass(audio, rate_hz, *TELEPHONE_HZ), max(level, -35.0)))
    elif kind < 0.3:
        audio = band_pass(audio, rate_hz, rng.uniform(40, 300), rng.uniform(2500, 7500))
    return np.clip(to_level(audio, level), -1, 1)
