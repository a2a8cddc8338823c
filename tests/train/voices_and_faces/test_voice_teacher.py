"""Teacher of the audio encoder, with its real weights where the package that carries them is installed."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
import torch

from edge.errors import UsageError
from edge.sources.media import read_audio
from tests.train import made
from train import packages
from train.corpora import ravdess
from train.simulation.streams import recording
from train.simulation.voice_activity import STEP
from train.voices_and_faces import voice_teacher
from train.voices_and_faces.voice_teacher import HIDDEN, HOP_SAMPLES, LARGEST, RATE_HZ, STRIDE, VoiceTeacher, describe


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
    torch.testing.assert_close(teacher.hidden(sound), teacher.hidden(0.1 * sound), atol=1e-4, rtol=0)


@pytest.mark.parametrize("seconds", [0.02, 0.5, 6.0])
def test_there_is_a_hidden_state_for_every_10_ms(teacher: VoiceTeacher, seconds: float) -> None:
    found = teacher.hidden(made.tone(150, seconds))
    assert found.shape == (round(seconds * 100) + 1, HIDDEN)
    assert found.isfinite().all()


def test_speakers_are_told_apart(teacher: VoiceTeacher, data: Path) -> None:
    """The weights are used as they were taught: nearly every voice is next to one of its own speaker."""
    speakers = ["ravdess-02", "ravdess-03", "ravdess-04", "ravdess-05"]
    voices = [voice for voice in ravdess.utterances(data) if voice.speaker in speakers and voice.label == "neutral"]
    assert len({voice.speaker for voice in voices}) == 4
    found = torch.stack([teacher.hidden(read_audio(voice.path, RATE_HZ)).mean(dim=0) for voice in voices])
    distances = torch.cdist(found, found) + torch.eye(len(voices)) * 1e6
    nearest = [voices[int(index)].speaker for index in distances.argmin(dim=1)]
    assert np.mean([name == voice.speaker for name, voice in zip(nearest, voices, strict=True)]) > 0.9


def test_descriptions_are_distances_from_the_mean_of_the_same_speaker(teacher: VoiceTeacher) -> None:
    steps, speakers = 63, ["a", "a", "b", "a", "b", "b"]
    sounds = [made.tone(hz, steps * STEP / RATE_HZ) for hz in (100, 150, 220, 330, 500, 800)]
    voices = [recording(sound, np.ones(steps, np.float32), steps * i) for i, sound in enumerate(sounds)]
    found = describe(voices, speakers)
    hidden = np.stack([teacher.hidden(sound).numpy() for sound in sounds])
    raw = np.concatenate([hidden.mean(axis=1), hidden.std(axis=1)], axis=1)
    of_a = np.array(speakers) == "a"
    centred = np.where(of_a[:, None], raw - raw[of_a].mean(axis=0), raw - raw[~of_a].mean(axis=0))
    deviation = np.sqrt(np.square(centred).mean(axis=0))
    moves = deviation > 1e-3
    expected = np.clip(centred / deviation, -LARGEST, LARGEST)
    # a millionth is added to the deviation, here up to a thousandth of it
    np.testing.assert_allclose(found.voices.numpy()[:, moves], expected[:, moves], atol=5e-3)


def test_a_moment_has_the_hidden_state_of_its_time(teacher: VoiceTeacher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_teacher, "standardised", lambda columns, groups: columns)
    lengths = [63, 30, 101]
    sounds = [made.tone(hz, steps * STEP / RATE_HZ) for hz, steps in zip((100, 220, 800), lengths, strict=True)]
    firsts = np.cumsum([0, *lengths[:-1]])
    voices = [
        recording(sound, np.ones(steps, np.float32), first)
        for sound, steps, first in zip(sounds, lengths, firsts.tolist(), strict=True)
    ]
    found = describe(voices, ["a", "b", "c"])
    for sound, voice in zip(sounds, voices, strict=True):
        hidden = teacher.hidden(sound)
        for step in range(STRIDE, len(voice.moments) - STRIDE):
            told = found.at(torch.tensor(int(voice.moments[step])))
            # the state kept is that of a step at most half a stride away: 62.5 ms, six or seven of its own hops
            place = round((step + 0.5) * STEP / HOP_SAMPLES)
            distances = (hidden[max(place - 7, 0) : place + 8] - told).abs().amax(dim=1)
            assert distances.min() == 0


def test_without_the_package_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, "distribution", missing)
    with pytest.raises(UsageError, match=r"pip install --no-deps resemblyzer==0\.1\.4 .*imitation to 0"):
        VoiceTeacher()
