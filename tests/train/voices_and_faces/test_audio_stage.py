"""Stage of the audio encoder."""

import re
from dataclasses import replace as changed
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

from edge.errors import UsageError
from tests.train import made
from tests.train.voices_and_faces.killed_stage import check_resumed, with_stage
from train import sampling
from train.config import Config
from train.corpora import ravdess
from train.encoders.nano_audio import NanoAudioEncoder
from train.simulation.noise import Beds
from train.simulation.streams import Voice, recording
from train.voices_and_faces import audio_stage, voice_teacher
from train.voices_and_faces.audio_stage import (
    AudioClassifier,
    LabelledVoices,
    activity_of_tokens,
    check_lengths,
    fit_audio_encoder,
    voice_seconds,
    weighted_mean,
)
from train.voices_and_faces.voice_teacher import Descriptions
from train.voices_and_faces.voices import Simulator, Windows, pad

LABELS = torch.arange(8) % 4


@pytest.fixture(scope="module")
def heard(corpora: Path) -> LabelledVoices:
    """Tones of which the middle is voice, of eight speakers."""
    activity = np.zeros(90, np.float32)
    activity[5:85] = 1
    voices = [recording(made.tone(150 * (1 + number), 90 * 250 / 16_000), activity, 90 * number) for number in range(8)]
    utterances = [changed(ravdess.utterances(corpora)[0], speaker=str(number)) for number in range(8)]
    beds = Beds([], [voice.audio for voice in voices], 16_000, np.random.default_rng(0))
    speakers = [each.speaker for each in utterances]
    return LabelledVoices(voices, LABELS, speakers, Simulator(utterances, voices, beds, 16_000))


def fit_voices(config: Config, heard: LabelledVoices, run: Path) -> dict[str, Tensor]:
    return fit_audio_encoder(config, 4, heard, sampling.class_weights(LABELS), heard, run).state_dict()


def test_a_killed_stage_ends_where_the_uninterrupted_one_ends(
    tiny: Config, heard: LabelledVoices, tmp_path: Path
) -> None:
    check_resumed(tiny, "voices_stage", audio_stage, lambda config, path: fit_voices(config, heard, path), tmp_path)


@torch.no_grad()
def test_the_head_of_the_voices_takes_the_mean_of_the_valid_tokens(heard: LabelledVoices) -> None:
    torch.manual_seed(0)
    model = AudioClassifier(NanoAudioEncoder(16, 16_000), 4).eval()
    waveform, length, *_ = pad(heard.voices, 32_000)
    tokens, mask, voice = model.encoder(waveform, length)
    means = torch.stack([row[keep].mean(dim=0) for row, keep in zip(tokens, mask, strict=True)])
    weight, bias = model.head[1].weight, model.head[1].bias
    found = model(waveform, length)
    torch.testing.assert_close(found.logits, means @ weight.T + bias)
    torch.testing.assert_close(found.description, model.describe(means))
    torch.testing.assert_close(found.states, model.follow(tokens))
    torch.testing.assert_close(found.voice.sigmoid() * mask, voice)
    assert torch.equal(found.mask, mask)


def test_a_mean_by_weights_is_less_where_there_is_little_weight() -> None:
    values = torch.tensor([2.0, 4.0, 8.0])
    assert weighted_mean(values, torch.tensor([1.0, 1.0, 0.0])) == 3.0
    assert weighted_mean(values, torch.tensor([0.0, 0.5, 0.0])) == 2.0
    assert weighted_mean(values, torch.zeros(3)) == 0.0


def test_the_encoder_learns_what_the_teacher_says(
    tiny: Config,
    heard: LabelledVoices,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is said here is the pitch: the loss of it falls, and it is asked for once."""
    pitches = torch.linspace(-1.5, 1.5, 8)[:, None]
    of_moments = pitches.repeat_interleave(90, dim=0)[voice_teacher.STRIDE // 2 :: voice_teacher.STRIDE]
    said = Descriptions(pitches.repeat(1, voice_teacher.WIDTH), of_moments.repeat(1, voice_teacher.HIDDEN))
    asked = []

    def describe(voices: list[Voice], speakers: list[str]) -> Descriptions:
        asked.append((len(voices), speakers))
        return said

    monkeypatch.setattr(voice_teacher, "describe", describe)
    schedule = msgspec.structs.replace(tiny.recipe.voices_stage, epochs=3, batch=8, draws=240, learning_rate=5e-3)
    recipe = msgspec.structs.replace(tiny.recipe, voices_stage=schedule, imitation=1.0)
    fit_voices(msgspec.structs.replace(tiny, recipe=recipe), heard, tmp_path)
    assert asked == [(8, heard.speakers)]
    told = capsys.readouterr().out
    for loss in ("description", "states"):
        errors = [float(found) for found in re.findall(rf"{loss} (\S+)", told)]
        assert len(errors) == 3
        assert errors[-1] < 0.7 * errors[0]


def test_the_voice_head_learns_where_the_voice_is(tiny: Config, heard: LabelledVoices, tmp_path: Path) -> None:
    """Tones are the voice here: of the tokens with or without one most are told in windows as they were recorded."""
    config = with_stage(tiny, "voices_stage", epochs=3, batch=8, draws=240, learning_rate=5e-3)
    encoder = fit_audio_encoder(config, 4, heard, sampling.class_weights(LABELS), heard, tmp_path).eval()
    windows = pad(heard.voices, 32_000)
    with torch.no_grad():
        _, mask, voice = encoder(windows.waveform, torch.full((8,), 32_000))
    truth = activity_of_tokens(windows)
    assert (voice[truth > 0.9] > 0.5).float().mean() > 0.8
    assert voice[truth > 0.9].mean() > voice[mask & (truth < 0.1)].mean() + 0.3


def test_activity_is_that_of_whole_tokens_and_counted_in_seconds() -> None:
    activity = torch.zeros(2, 32)
    activity[0, :8], activity[0, 8:12], activity[1] = 1, 1, 0.5
    windows = Windows(torch.zeros(2, 8000), torch.tensor([8000, 8000]), activity, torch.zeros(2, 32))
    assert activity_of_tokens(windows).tolist() == [[1, 0.5, 0, 0], [0.5] * 4]
    assert voice_seconds(windows, 16_000).tolist() == [12 / 64, 16 / 64]


def test_sound_that_is_no_whole_number_of_tokens_is_refused(tiny: Config) -> None:
    replace = msgspec.structs.replace
    with pytest.raises(UsageError, match=r"sound\.window_s 1\.6 is not a multiple of 0\.125 s"):
        check_lengths(replace(tiny, audio=replace(tiny.audio, window_s=1.6)))
    check_lengths(tiny)
