"""Voice activity: of made sounds, and of real recordings where there are any."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from edge.errors import UsageError
from edge.preprocess.media import Samples
from edge.sources.media import read_audio
from train import packages
from train.corpora import ravdess
from train.simulation.noise import coloured
from train.simulation.voice_activity import RATE_HZ, STEP, VoiceActivity, loud


@pytest.fixture(scope="module")
def detector() -> VoiceActivity:
    return VoiceActivity()


def burst(level_db: float, steps: slice, count: int = 16_000) -> Samples:
    """A tone of full scale for half a second, then one of another level in some steps."""
    gain = np.zeros(count // STEP)
    gain[:32] = 1.0
    gain[steps] = 10 ** (level_db / 20)
    time_s = np.arange(count) / RATE_HZ
    return (np.repeat(gain, STEP) * np.sin(2 * np.pi * 512 * time_s)).astype(np.float32)


@pytest.mark.parametrize(("level_db", "is_loud"), [(-20.0, True), (-29.0, True), (-31.0, False), (-60.0, False)])
def test_what_is_within_30_db_of_the_loudest_is_loud(level_db: float, is_loud: bool) -> None:
    found = loud(burst(level_db, slice(44, 56)))
    assert found.dtype == np.float32
    assert found[:32].all()
    # A step beside a burst is in its surroundings.
    assert not found[33:43].any()
    assert found[45:55].tolist() == [float(is_loud)] * 10
    assert not found[57:].any()


def test_gain_makes_nothing_loud() -> None:
    sound = burst(-25.0, slice(44, 56))
    np.testing.assert_array_equal(loud(sound), loud(np.float32(0.01) * sound))


@pytest.mark.parametrize("count", [1, 250, 251, 4000])
def test_silence_is_no_voice(detector: VoiceActivity, count: int) -> None:
    found = detector.voice(np.zeros(count, np.float32), is_studio=True)
    assert found.tolist() == [0.0] * -(-count // STEP)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_noise_is_no_speech(detector: VoiceActivity, exponent: float) -> None:
    noise = coloured(4 * RATE_HZ, exponent, np.random.default_rng(0))
    found = detector.speech(noise)
    assert found.shape == (4 * RATE_HZ // STEP,)
    assert found.mean() < 0.05


def test_in_a_studio_what_is_loud_is_voice_too(detector: VoiceActivity) -> None:
    sound = burst(-60.0, slice(44, 56))
    speech = detector.speech(sound)
    np.testing.assert_array_equal(detector.voice(sound, is_studio=False), speech)
    np.testing.assert_array_equal(detector.voice(sound, is_studio=True), np.maximum(speech, loud(sound)))


def test_speech_is_found_where_it_is_and_at_any_level(detector: VoiceActivity, data: Path) -> None:
    """Recordings of RAVDESS begin with silence, or the noise of the room."""
    neutral = [voice for voice in ravdess.utterances(data) if voice.label == "neutral"][:6]
    for voice in neutral:
        audio = read_audio(voice.path, RATE_HZ)
        found = detector.speech(audio)
        assert 0.2 < found.mean() < 0.9, voice.path.name
        assert found[:16].mean() < 0.5, voice.path.name
        quiet = detector.speech(np.float32(0.05) * audio)
        assert np.mean(quiet == found) > 0.98, voice.path.name


def test_without_the_package_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, "distribution", missing)
    with pytest.raises(UsageError, match=r"silero-vad, which is not installed: pip install 'foal-edge\[train\]'"):
        VoiceActivity()
