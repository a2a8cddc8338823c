"""Voices: decoded by the runtime's code, cut into simulated windows, or padded as they were recorded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train import made
from train.corpora import nemo, ravdess
from train.simulation.noise import Beds
from train.simulation.streams import Voice, recording, simulate
from train.voices_and_faces import voices
from train.voices_and_faces.voices import Simulator, companions, pad, seeded

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def beds() -> Beds:
    return Beds([], [made.tone(440)], RATE_HZ, np.random.default_rng(0))


def voice(size: int) -> Voice:
    """Samples and steps by their numbers, from 1 on."""
    return recording(np.arange(1, size + 1, dtype=np.float32), np.arange(1, -(-size // 250) + 1, dtype=np.float32))


def test_a_lossless_recording_is_decoded_as_it_was_and_its_loud_part_is_voice(corpora: Path) -> None:
    found = ravdess.utterances(corpora)
    pitches = [made.pitch(each.label, ["ravdess-02", "ravdess-18", "ravdess-14"].index(each.speaker)) for each in found]
    for decoded, pitch_hz in zip(voices.load(found, RATE_HZ), pitches, strict=True):
        assert decoded.audio.dtype == np.float32
        np.testing.assert_allclose(decoded.audio, made.tone(pitch_hz), atol=1e-4)
        assert decoded.activity.shape == (-(-len(decoded.audio) // 250),)
        # 30 dB below its middle a tone that swells as a sine does is 1 % of its length from its ends.
        assert decoded.activity[2:-2].all()


def test_what_is_loud_outside_of_a_studio_is_no_voice(corpora: Path) -> None:
    found = [replace(each, corpus="emospeech_in") for each in ravdess.utterances(corpora)[:4]]
    studio, elsewhere = (
        np.mean([decoded.activity.mean() for decoded in voices.load(each, RATE_HZ)])
        for each in (ravdess.utterances(corpora)[:4], found)
    )
    assert studio > 0.9 > elsewhere


def test_an_opus_recording_has_its_pitch(corpora: Path) -> None:
    chosen = nemo.utterances(corpora)[:4]
    for each, decoded in zip(chosen, voices.load(chosen, RATE_HZ), strict=True):
        loudest = np.abs(np.fft.rfft(decoded.audio)).argmax() * RATE_HZ / len(decoded.audio)
        assert loudest == pytest.approx(made.pitch(each.label, 0), abs=5)


def test_the_end_of_a_voice_is_kept_and_padded_with_zeros() -> None:
    sizes = (0, 300, 1000, 2250)
    windows = pad([voice(size) for size in sizes], 1000)
    assert windows.length.tolist() == [0, 300, 1000, 1000]
    assert windows.length.dtype == torch.int64
    assert windows.waveform.dtype == windows.activity.dtype == torch.float32
    for row, size in enumerate(sizes):
        expected = [*range(max(size - 1000, 0) + 1, size + 1), *[0] * (1000 - size)]
        assert windows.waveform[row].tolist() == expected
    assert windows.activity.tolist() == [[0, 0, 0, 0], [1, 2, 0, 0], [1, 2, 3, 4], [6, 7, 8, 9]]


def test_companions_are_the_speakers_recordings_of_the_label(corpora: Path) -> None:
    one, other = ravdess.utterances(corpora)[0], ravdess.utterances(corpora)[-1]
    found = [
        replace(one, speaker="a", label="happy"),
        replace(one, speaker="a", label="sad"),
        replace(other, speaker="a", label="happy"),
        replace(other, speaker="b", label="happy"),
        replace(other, speaker="a", label="happy"),
    ]
    groups = companions(found)
    assert groups == [[0, 2, 4], [1], [0, 2, 4], [3], [0, 2, 4]]
    assert groups[0] is groups[2] is groups[4]


def test_a_voice_is_heard_before_its_companions(corpora: Path, beds: Beds) -> None:
    labels = ("happy", "sad", "happy", "happy")
    found = ravdess.utterances(corpora)[: len(labels)]
    chosen = [replace(each, speaker="a", label=label) for each, label in zip(found, labels, strict=True)]
    loaded = voices.load(chosen, RATE_HZ)
    indices, orders = [2, 1, 0] * 4, [(2, 0, 3), (1,), (0, 2, 3)] * 4  # in half of the windows the first speaks alone
    windows = Simulator(chosen, loaded, beds, RATE_HZ).windows(indices, 32_000, np.random.default_rng(4))
    rng = np.random.default_rng(4)
    for row, order in enumerate(orders):
        expected = simulate([loaded[k] for k in order], beds, 32_000, RATE_HZ, rng)
        np.testing.assert_array_equal(windows.waveform[row].numpy(), expected.samples)


def test_windows_are_simulated_of_each_voice_and_its_companions(corpora: Path, beds: Beds) -> None:
    chosen = ravdess.utterances(corpora)[:5]
    loaded = voices.load(chosen, RATE_HZ)
    simulator = Simulator(chosen, loaded, beds, RATE_HZ)
    windows = simulator.windows([3, 0, 3], 16_000, np.random.default_rng(4))
    assert windows.length.tolist() == [16_000] * 3
    rng = np.random.default_rng(4)
    for row, index in enumerate((3, 0, 3)):
        expected = simulate([loaded[index]], beds, 16_000, RATE_HZ, rng)
        np.testing.assert_array_equal(windows.waveform[row].numpy(), expected.samples)
        np.testing.assert_array_equal(windows.activity[row].numpy(), expected.activity)
    assert not torch.equal(windows.waveform[0], windows.waveform[2])


def test_one_generator_seeds_the_other() -> None:
    first, again, other = (seeded(torch.Generator().manual_seed(seed)).random(4).tolist() for seed in (1, 1, 2))
    assert first == again != other
    generator = torch.Generator().manual_seed(1)
    assert seeded(generator).random() != seeded(generator).random()
