"""Voices: decoded by the runtime's code, padded, varied within their limits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train import made
from train.corpora import nemo, ravdess
from train.voices_and_faces import voices

RATE_HZ = 16_000


@pytest.fixture
def audio() -> np.ndarray:
    return made.tone(440, seconds=2.5)


def test_a_lossless_recording_is_decoded_as_it_was(corpora: Path) -> None:
    found = ravdess.utterances(corpora)
    pitches = [
        made.pitch(voice.label, ["ravdess-02", "ravdess-18", "ravdess-14"].index(voice.speaker)) for voice in found
    ]
    for decoded, pitch_hz in zip(voices.load(found, RATE_HZ), pitches, strict=True):
        assert decoded.dtype == np.float32
        np.testing.assert_allclose(decoded, made.tone(pitch_hz), atol=1e-4)


def test_an_opus_recording_has_its_pitch(corpora: Path) -> None:
    for voice, decoded in zip(
        nemo.utterances(corpora)[:4], voices.load(nemo.utterances(corpora)[:4], RATE_HZ), strict=True
    ):
        loudest = np.abs(np.fft.rfft(decoded)).argmax() * RATE_HZ / len(decoded)
        assert loudest == pytest.approx(made.pitch(voice.label, 0), abs=5)


def test_sounds_are_cut_and_padded_with_zeros() -> None:
    waveforms = [np.full(size, 0.5, np.float32) for size in (0, 3, 5, 9)]
    batch, lengths = voices.pad(waveforms, 5)
    assert lengths.tolist() == [0, 3, 5, 5]
    assert lengths.dtype == torch.int64
    assert batch.dtype == torch.float32
    assert (batch == 0.5).int().tolist() == [[0] * 5, [1, 1, 1, 0, 0], [1] * 5, [1] * 5]


def test_variation_repeats_with_its_generator_and_spares_its_source(audio: np.ndarray) -> None:
    before = audio.copy()
    first, second, other = (voices.augment(audio, RATE_HZ, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert len(first) != len(other)
    np.testing.assert_array_equal(audio, before)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.5, 7.0])
def test_variation_stays_within_its_limits(generator: torch.Generator, seconds: float) -> None:
    lengths = []
    for _ in range(60):
        varied = voices.augment(made.tone(440, seconds), RATE_HZ, generator)
        assert varied.dtype == np.float32
        assert np.abs(varied).max() <= 1.0
        lengths.append(len(varied) / RATE_HZ)
    slowest, quickest = (speed * seconds for speed in voices.SPEEDS)
    shortest = min(slowest, max(1.0, 0.7 * slowest))
    assert min(lengths) >= shortest - 0.01
    assert max(lengths) <= quickest + 0.8 + 0.01


def still(monkeypatch: pytest.MonkeyPatch, **changed: tuple[float, float] | float) -> None:
    """Every variation off, but those given."""
    off = {"SPEEDS": (1.0, 1.0), "SHORTEST_SHARE": 1.0, "LONGEST_LEAD_S": 0.0, "NOISE_DB": (-300.0, -300.0)}
    for name, value in {**off, "GAIN_DB": (0.0, 0.0), **changed}.items():
        monkeypatch.setattr(voices, name, value)


def test_with_every_variation_off_a_sound_is_itself(
    audio: np.ndarray, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    still(monkeypatch)
    np.testing.assert_allclose(voices.augment(audio, RATE_HZ, generator), audio, atol=1e-6)


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_speed_moves_length_and_pitch(
    audio: np.ndarray, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch, speed: float
) -> None:
    still(monkeypatch, SPEEDS=(speed, speed))
    varied = voices.augment(audio, RATE_HZ, generator)
    assert len(varied) == pytest.approx(len(audio) * speed, abs=2)
    assert np.abs(np.fft.rfft(varied)).argmax() * RATE_HZ / len(varied) == pytest.approx(440 / speed, abs=1)


@pytest.mark.parametrize("noise_db", [-40.0, -20.0])
def test_noise_is_measured_against_the_voice(
    audio: np.ndarray, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch, noise_db: float
) -> None:
    still(monkeypatch, NOISE_DB=(noise_db, noise_db))
    noise = voices.augment(audio, RATE_HZ, generator) - audio
    assert 20 * np.log10(noise.std() / np.sqrt((audio**2).mean())) == pytest.approx(noise_db, abs=0.3)


def test_gain_is_in_decibels(audio: np.ndarray, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch, GAIN_DB=(-6.0206, -6.0206))
    np.testing.assert_allclose(voices.augment(audio, RATE_HZ, generator), audio / 2, atol=1e-4)


def test_a_cut_is_a_piece_of_the_sound(
    audio: np.ndarray, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    still(monkeypatch, SHORTEST_SHARE=0.7)
    varied = voices.augment(audio, RATE_HZ, generator)
    pieces = np.lib.stride_tricks.sliding_window_view(audio, len(varied))
    assert len(varied) < len(audio)
    assert np.abs(pieces[:, :: len(varied) // 50] - varied[:: len(varied) // 50]).max(axis=1).min() < 1e-5
