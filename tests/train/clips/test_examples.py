"""What the network gets of clips: padded, masked, thinned and cut as the runtime would."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from edge.clock import to_ns
from edge.preprocess.media import Samples
from tests.train.clips.conftest import WIDTH
from train.clips import compare
from train.clips.crossval import Experiment
from train.clips.embed import FrameEmbeddings
from train.clips.examples import Examples, load
from train.config import Config
from train.processes import SINGLE_PROCESS

RATE_HZ, SAMPLES, PICTURE_HZ = 100, 200, 5.0


def heard(count: int) -> Samples:
    return np.arange(1, count + 1, dtype=np.float32)


def seen(*times_s: float) -> FrameEmbeddings:
    """Whose embeddings are their times."""
    embedding = torch.tensor(times_s).half()[:, None].expand(-1, 3)
    return FrameEmbeddings(embedding, torch.tensor([to_ns(time_s) for time_s in times_s], dtype=torch.int64))


def examples(waveforms: Sequence[Samples], images: Sequence[FrameEmbeddings]) -> Examples:
    return Examples([], torch.zeros(len(waveforms)).long(), waveforms, images, RATE_HZ, SAMPLES, PICTURE_HZ)


def test_a_batch_is_padded_with_zeros_that_lengths_and_masks_tell_apart() -> None:
    made = examples(
        [heard(50), heard(0), heard(200)], [seen(0.0, 0.25, 0.5), seen(), seen(*(n / 5 for n in range(10)))]
    )
    waveform, length, tokens, mask = made.batch(torch.tensor([2, 0, 1, 0]))
    assert (waveform.dtype, length.dtype, tokens.dtype, mask.dtype) == (
        torch.float32,
        torch.int64,
        torch.float32,
        torch.bool,
    )
    assert (tokens.shape, mask.shape) == ((4, 10, 3), (4, 10))
    assert length.tolist() == [200, 50, 0, 50]
    assert waveform[1].tolist() == [*range(1, 51), *[0] * 150]
    assert waveform[0].tolist() == list(range(1, 201))
    assert not waveform[2].any()
    assert mask.sum(dim=1).tolist() == [10, 3, 0, 3]
    assert mask[1].tolist() == [True] * 3 + [False] * 7
    assert tokens[1, :, 2].tolist() == [0.0, 0.25, 0.5, *[0.0] * 7]
    assert torch.equal(tokens[1], tokens[3])


def test_more_than_a_window_is_not_taken_in() -> None:
    made = examples([heard(250)], [seen(*(n / 10 for n in range(24)))])
    waveform, length, tokens, mask = made.batch(torch.tensor([0]))
    assert (waveform.shape, length.tolist(), tokens.shape) == ((1, 200), [200], (1, 10, 3))
    assert waveform[0, -1] == 200
    assert mask.all()


@pytest.mark.parametrize(
    ("frame_rate_hz", "kept"),
    [(5.0, [0.0, 0.25, 0.5, 1.0, 1.25, 1.75]), (2.0, [0.0, 0.5, 1.0, 1.75]), (1.0, [0.0, 1.0])],
)
def test_at_a_lower_rate_the_first_frame_of_each_slot_is_kept(frame_rate_hz: float, kept: list[float]) -> None:
    made = examples([heard(9)] * 2, [seen(0.0, 0.25, 0.5, 1.0, 1.25, 1.75), seen()]).at_frame_rate(frame_rate_hz)
    assert (made.embeddings[0].time_ns / 1e9).tolist() == kept
    assert made.embeddings[0].embedding[:, 0].tolist() == kept
    assert len(made.embeddings[1].time_ns) == 0
    assert made.batch(torch.tensor([0])).video_mask.sum() == len(kept)


@pytest.mark.parametrize("frame_rate_hz", [1.0, 2.0, 5.0, 10.0, 30.0])
def test_at_a_lower_rate_it_is_what_would_have_been_embedded(
    dwarf: Config, dwarf_experiment: Experiment, tmp_path: Path, frame_rate_hz: float
) -> None:
    few = dwarf_experiment.finest.utterances[:6]
    _, store = compare.make_store(dwarf, tmp_path, frame_rate_hz)
    store.fill(few, SINGLE_PROCESS)
    thinned = dwarf_experiment.finest.at_frame_rate(frame_rate_hz)
    assert thinned.frames == 2 * frame_rate_hz
    for utterance, found in zip(few, thinned.embeddings, strict=False):
        expected = store.read(utterance)
        assert torch.equal(found.time_ns, expected.time_ns)
        torch.testing.assert_close(found.embedding, expected.embedding, atol=2e-3, rtol=2e-3)


def test_of_a_shorter_window_only_its_seconds_are_heard_and_seen() -> None:
    whole = examples([heard(150), heard(40)], [seen(0.0, 0.49, 0.5, 1.2), seen(0.1)])
    made = whole.cut_to(0.5)
    assert [len(audio) for audio in made.waveforms] == [50, 40]
    assert [each.time_ns.tolist() for each in made.embeddings] == [[0, 490_000_000], [100_000_000]]
    batch = made.batch(torch.tensor([0, 1]))
    assert (batch.waveform.shape, batch.video_tokens.shape) == ((2, SAMPLES), (2, 10, 3))
    assert batch.length.tolist() == [50, 40]
    assert batch.video_mask.sum(dim=1).tolist() == [2, 1]
    assert len(whole.waveforms[0]) == 150


def test_a_corpus_is_loaded_with_its_sounds_labels_and_embeddings(dwarf: Config, dwarf_experiment: Experiment) -> None:
    made = dwarf_experiment.examples
    assert (made.rate_hz, made.samples, made.frame_rate_hz, made.frames) == (16_000, 32_000, 10.0, 20)
    assert [dwarf.labels[label] for label in made.labels] == [each.label for each in made.utterances]
    assert {len(audio) for audio in made.waveforms} == {9600}
    assert {each.embedding.shape for each in made.embeddings} == {(6, WIDTH)}


def test_a_sound_is_cut_to_the_window(dwarf: Config, dwarf_experiment: Experiment, tmp_path: Path) -> None:
    short = replace(dwarf, audio=replace(dwarf.audio, window_s=0.3))
    _, store = compare.make_store(short, tmp_path, 10.0)
    few = dwarf_experiment.examples.utterances[:2]
    store.fill(few, SINGLE_PROCESS)
    made = load(short, few, store, shown=False)
    assert [len(audio) for audio in made.waveforms] == [4800, 4800]
    assert (made.samples, made.frames) == (4800, 3)
    np.testing.assert_allclose(made.waveforms[0], dwarf_experiment.examples.waveforms[0][:4800], atol=0.01)


def test_a_batch_goes_to_a_device() -> None:
    batch = examples([heard(50)], [seen(0.0)]).batch(torch.tensor([0])).to(torch.device("meta"))
    assert {part.device.type for part in batch} == {"meta"}
