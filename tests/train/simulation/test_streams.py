"""Simulated windows: what is heard in them, where, and how loud."""

import numpy as np
import pytest

from edge.preprocess.media import Samples
from train.simulation import streams
from train.simulation.noise import Beds, Draw
from train.simulation.streams import Voice, change_speed, cut, recording, simulate, speak
from train.simulation.voice_activity import STEP

RATE_HZ = 16_000
TONE_HZ = 512
"""Whole periods in whole steps."""


@pytest.fixture
def rng() -> Draw:
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def beds() -> Beds:
    noises = np.random.default_rng(0)
    return Beds([], [noises.standard_normal(8000).astype(np.float32)], RATE_HZ, np.random.default_rng(1))


def tone(steps: int) -> Voice:
    time_s = np.arange(steps * STEP) / RATE_HZ
    return recording(np.sin(2 * np.pi * TONE_HZ * time_s).astype(np.float32), np.ones(steps, np.float32))


def counting(steps: int) -> Voice:
    """Each step's samples and activity are its number, from 1 on."""
    activity = np.arange(1, steps + 1, dtype=np.float32)
    return recording(np.repeat(activity, STEP), activity)


def constant(steps: int) -> Voice:
    return recording(np.ones(steps * STEP, np.float32), np.ones(steps, np.float32))


def decibels(sound: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-30))


@pytest.mark.parametrize("speed", [*streams.SPEEDS, 1.0])
def test_speed_moves_length_and_pitch(speed: float) -> None:
    voice = tone(128)
    changed = change_speed(voice, speed)
    assert len(changed.audio) == len(changed.activity) * STEP
    assert len(changed.activity) == int(128 / speed)
    loudest = np.abs(np.fft.rfft(changed.audio * np.hanning(len(changed.audio)))).argmax()
    assert loudest * RATE_HZ / len(changed.audio) == pytest.approx(TONE_HZ * speed, abs=0.5)


@pytest.mark.parametrize("speed", streams.SPEEDS)
def test_activity_moves_with_the_speed(speed: float) -> None:
    changed = change_speed(counting(100), speed)
    middles = changed.audio.reshape(-1, STEP)[:, 0]
    np.testing.assert_allclose(changed.activity, middles, atol=0.01)
    np.testing.assert_array_equal(changed.moments, changed.activity - 1)


@pytest.mark.parametrize("length", [1, 100, STEP, 999])
def test_the_shortest_voices_can_be_sped_up(length: int) -> None:
    voice = recording(np.ones(length, np.float32), np.ones(-(-length // STEP), np.float32))
    changed = change_speed(voice, 1.1)
    assert len(changed.audio) == len(changed.activity) * STEP >= STEP


@pytest.mark.parametrize("count", [16_000, 12_345])
@pytest.mark.parametrize("spoken", [10, 60, 300])
def test_a_voice_is_placed_with_its_activity_to_the_sample(rng: Draw, count: int, spoken: int) -> None:
    voice, steps = counting(spoken), -(-count // STEP)
    ends = set()
    for _ in range(60):
        audio, activity, moments = cut(voice, count, rng)
        assert audio.shape == (count,)
        assert activity.shape == (steps,)
        np.testing.assert_array_equal(audio, np.repeat(activity, STEP)[:count])
        np.testing.assert_array_equal(moments, activity - 1, "steps are numbered from 0 on, -1 is nowhere")
        heard = activity[activity > 0]
        np.testing.assert_array_equal(heard, np.arange(heard[0], heard[0] + len(heard)))
        assert len(heard) >= min(streams.HALF_SECOND, spoken, int(0.4 * steps))
        # What is cut off is cut off by the window's ends alone.
        assert heard[0] == 1 or activity[0] > 0
        assert heard[-1] == spoken or activity[-1] > 0
        ends.add(("cut" if heard[-1] < spoken else "whole", bool(activity[-1])))
    assert ("whole", False) in ends
    assert (("cut", True) in ends) == (spoken > streams.HALF_SECOND), "half a second is heard in any case"


def test_recordings_follow_each_other_after_pauses(rng: Draw) -> None:
    voices, count = [constant(40), constant(60)], 96_000
    slowest, fastest = streams.SPEEDS
    alone = 0
    for _ in range(60):
        said = speak(voices, count, rng)
        np.testing.assert_array_equal(said.audio, np.repeat(said.activity, STEP))
        np.testing.assert_array_equal(said.moments >= 0, said.activity > 0)
        assert said.activity[0] == said.activity[-1] == 1
        edges = np.flatnonzero(np.diff(said.activity))
        if not len(edges):
            assert int(40 / fastest) <= len(said.activity) <= int(40 / slowest)
            alone += 1
            continue
        assert len(said.audio) >= count
        pauses = edges[1::2] - edges[::2]
        assert pauses.min() >= 3
        assert pauses.max() <= streams.LONGEST_PAUSE_STEPS
        assert {int(run) for run in edges[2::2] - edges[1:-1:2]} <= set(range(int(40 / fastest), int(60 / slowest) + 1))
    assert 18 <= alone <= 42, "half of 60, to three standard deviations"


def test_a_window_is_as_long_as_asked_for_and_within_full_scale(beds: Beds, rng: Draw) -> None:
    for count in (12_000, 32_000, 20_001):
        for _ in range(30):
            window = simulate([tone(80), tone(100)], beds, count, RATE_HZ, rng)
            assert window.samples.shape == (count,)
            assert window.activity.shape == window.moments.shape == (-(-count // STEP),)
            assert not window.activity[window.moments < 0].any()
            assert window.samples.dtype == window.activity.dtype == np.float32
            assert np.abs(window.samples).max() <= 1.0
            assert set(window.activity.tolist()) <= {0.0, 1.0}


def test_a_window_is_that_of_its_generator(beds: Beds) -> None:
    first, again, other = (
        simulate([tone(80)], beds, 16_000, RATE_HZ, np.random.default_rng(seed)) for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first.samples, again.samples)
    np.testing.assert_array_equal(first.activity, again.activity)
    assert not np.array_equal(first.samples, other.samples)


def test_in_the_given_share_of_windows_nobody_speaks(beds: Beds, rng: Draw) -> None:
    """The share of 1,000 windows is known to 0.01."""
    windows = [simulate([tone(20)], beds, 4000, RATE_HZ, rng) for _ in range(1000)]
    nobody = [window for window in windows if not window.activity.any()]
    assert len(nobody) / 1000 == pytest.approx(streams.NOBODY, abs=0.03)
    silent = [window for window in nobody if not window.samples.any()]
    assert 0 < len(silent) < 0.3 * len(nobody)
    levels = [decibels(window.samples) for window in nobody if window.samples.any()]
    assert -81 < min(levels) < -60 < -30 < max(levels) <= -14.9


def test_the_bed_lies_below_the_voice_by_the_drawn_distance(
    beds: Beds, rng: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The distance is that of the voice while it is there, however much of the window that is."""
    monkeypatch.setattr(streams, "SPEEDS", (1.0, 1.0))
    monkeypatch.setattr(streams, "NOBODY", 0.0)
    monkeypatch.setattr(streams, "STUDIO", 0.0)
    monkeypatch.setattr(streams, "to_room", lambda audio, *_: audio)
    monkeypatch.setattr(streams, "to_microphone", lambda audio, *_: audio)
    count = 16_000
    time_s = np.arange(count) / RATE_HZ
    parts = np.stack([wave(2 * np.pi * TONE_HZ * time_s) for wave in (np.sin, np.cos)])
    distances = []
    for _ in range(150):
        window = simulate([tone(400)], beds, count, RATE_HZ, rng)
        voiced = np.repeat(window.activity, STEP)[:count] > 0
        if voiced.mean() > 0.2:
            # The tone's phase jumps from one recording to the next: the first one alone is fitted.
            begin, end = np.flatnonzero(np.diff(voiced, prepend=False, append=False))[:2]
            basis, heard = parts[:, begin:end], window.samples[begin:end]
            voice = np.linalg.lstsq(basis.T, heard, rcond=None)[0] @ basis
            assert decibels(voice) == pytest.approx(0.0, abs=6)
            distances.append(decibels(voice) - decibels(heard - voice))
    assert len(distances) > 50
    with_bed = [distance for distance in distances if distance < 80]
    assert 0.7 < len(with_bed) / len(distances) < 0.95
    # A bed may have some of its power at the voice's pitch.
    assert -6 < min(with_bed) < 5
    assert 40 < max(with_bed) < 66


def test_a_studio_changes_the_level_alone(beds: Beds, rng: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SPEEDS", (1.0, 1.0))
    monkeypatch.setattr(streams, "NOBODY", 0.0)
    monkeypatch.setattr(streams, "STUDIO", 1.0)
    levels = []
    for _ in range(100):
        window = simulate([tone(400)], beds, 16_000, RATE_HZ, rng)
        levels.append(decibels(window.samples))
        silent = np.repeat(window.activity, STEP)[:16_000] == 0
        assert not window.samples[silent].any()
        peak = np.abs(window.samples).max()
        loud = np.abs(window.samples[~silent]) > 0.99 * peak
        # a sine is within a hundredth of its peak for this share of its time
        assert loud.mean() == pytest.approx(2 * np.arccos(0.99) / np.pi, abs=0.01) or peak == 1.0
    assert -35.1 < min(levels) < -30 < -16 < max(levels) < -11.9


def test_a_room_is_heard_in_four_of_ten_draws(rng: Draw) -> None:
    audio = tone(16).audio
    assert np.mean([streams.to_room(audio, RATE_HZ, rng) is audio for _ in range(200)]) == pytest.approx(0.6, abs=0.1)


def test_a_microphone_gives_levels_from_faint_to_loud(rng: Draw) -> None:
    sound = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    levels = [decibels(streams.to_microphone(sound, RATE_HZ, rng)) for _ in range(200)]
    assert -55.1 < min(levels) < -45 < -12 < max(levels) < -9.9
