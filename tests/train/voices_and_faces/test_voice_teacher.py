"""Teacher of the audio encoder, with its real weights where the package that carries them is installed."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
import torch

from edge.errors import UsageError
from edge.sources.media import read_audio
from tests.train import made
from train.corpora import ravdess
from train.simulation.streams import Voice
from train.voices_and_faces import voice_teacher
from train.voices_and_faces.voice_teacher import LARGEST, RATE_HZ, WIDTH, VoiceTeacher, describe


@pytest.fixture(scope="module")
def teacher() -> VoiceTeacher:
    try:
        distribution("resemblyzer")
    except PackageNotFoundError:
        pytest.skip("resemblyzer, whose weights the teacher has, is not installed: pip install --no-deps resemblyzer")
    return VoiceTeacher()


def test_gain_changes_nothing(teacher: VoiceTeacher) -> None:
    sound = made.tone(220, 1.5)
    # the level is a float32 product: the last bits of the powers differ
    torch.testing.assert_close(teacher.describe(sound), teacher.describe(0.1 * sound), atol=1e-4, rtol=0)


@pytest.mark.parametrize("seconds", [0.02, 0.5, 6.0])
def test_a_description_has_one_width(teacher: VoiceTeacher, seconds: float) -> None:
    found = teacher.describe(made.tone(150, seconds))
    assert found.shape == (WIDTH,)
    assert found.isfinite().all()


def test_speakers_are_told_apart(teacher: VoiceTeacher, data: Path) -> None:
    """The weights are used as they were taught: nearly every voice is next to one of its own speaker."""
    speakers = ["ravdess-02", "ravdess-03", "ravdess-04", "ravdess-05"]
    voices = [voice for voice in ravdess.utterances(data) if voice.speaker in speakers and voice.label == "neutral"]
    assert len({voice.speaker for voice in voices}) == 4
    found = torch.stack([teacher.describe(read_audio(voice.path, RATE_HZ)) for voice in voices])
    distances = torch.cdist(found, found) + torch.eye(len(voices)) * 1e6
    nearest = [voices[int(index)].speaker for index in distances.argmin(dim=1)]
    assert np.mean([name == voice.speaker for name, voice in zip(nearest, voices, strict=True)]) > 0.9


def test_descriptions_are_standardised_over_the_voices(teacher: VoiceTeacher) -> None:
    sounds = [made.tone(hz, 1.0) for hz in (100, 150, 220, 330, 500, 800)]
    voices = [Voice(sound, np.ones(64, np.float32)) for sound in sounds]
    found = describe(voices)
    assert found.shape == (6, WIDTH)
    assert found.abs().max() <= LARGEST
    raw = np.stack([teacher.describe(sound).numpy() for sound in sounds])
    expected = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    moves = raw.std(axis=0) > 1e-3
    # a millionth is added to the deviation, here up to a thousandth of it
    np.testing.assert_allclose(found.numpy()[:, moves], expected[:, moves], atol=5e-3)


def test_without_the_package_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(voice_teacher, "distribution", missing)
    with pytest.raises(UsageError, match=r"pip install --no-deps resemblyzer==0\.1\.4 .*imitation to 0"):
        VoiceTeacher()
