"""Padding, masks, batches and calibration, against a backend reckoned by hand and the shipped one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.calibration import softmax
from edge.bundle.load import load
from edge.bundle.manifest import Manifest, VideoHead
from edge.live.recognizer import Recognizer
from edge.models.names import find_bundle_folder
from edge.sources.demo import MOODS, voice
from edge.wire.messages import UNCERTAIN


@dataclass
class Heard:
    """Evidence of so many samples and frames."""

    samples: np.ndarray
    embeddings: np.ndarray
    tokens: None = None


def drawn(rng: np.random.Generator, samples: int, frames: int, width: int) -> Heard:
    heard = rng.uniform(-0.3, 0.3, samples).astype(np.float32)
    return Heard(heard, rng.normal(size=(frames, width)).astype(np.float32))


def test_windows_are_padded_with_zeros_and_masked(manifest, numpy_backend) -> None:
    rng = np.random.default_rng(0)
    windows = [drawn(rng, 2000, 10, 3), drawn(rng, 700, 4, 3), drawn(rng, 0, 1, 3)]
    Recognizer(manifest, numpy_backend).recognize(windows)
    calls = dict(numpy_backend.calls)
    assert calls["audio_encoder"]["length"].tolist() == [2000, 700, 0]
    assert calls["fusion"]["video_mask"].sum(axis=1).tolist() == [10, 4, 1]
    for row, window in enumerate(windows):
        wave = calls["audio_encoder"]["waveform"][row]
        np.testing.assert_array_equal(wave, np.pad(window.samples, (0, 2000 - len(window.samples))))
        rows = calls["fusion"]["video_tokens"][row]
        np.testing.assert_array_equal(rows, np.pad(window.embeddings, ((0, 10 - len(window.embeddings)), (0, 0))))


def test_probabilities_are_the_softmax_of_the_logits_by_temperature(manifest, numpy_backend) -> None:
    window = drawn(np.random.default_rng(1), 2000, 10, 3)
    recognition = Recognizer(manifest, numpy_backend).recognize([window])[0]
    powers = np.exp(np.array([4.0, 10.0]) / manifest.temperature)
    np.testing.assert_allclose(recognition.probs, powers / powers.sum(), rtol=1e-6)


@pytest.mark.parametrize(
    ("samples", "frames", "agreement"), [(2000, 10, 0.96), (2000, 0, None), (0, 10, None), (1, 1, 0.96)]
)
def test_agreement_is_the_cosine_where_both_are_there(manifest, numpy_backend, samples, frames, agreement) -> None:
    window = drawn(np.random.default_rng(2), samples, frames, 3)
    assert Recognizer(manifest, numpy_backend).recognize([window])[0].agreement == pytest.approx(agreement)


def test_where_nobody_is_heard_the_audio_encoder_rests(manifest, numpy_backend) -> None:
    Recognizer(manifest, numpy_backend).recognize([drawn(np.random.default_rng(3), 0, 2, 3)])
    assert [name for name, _ in numpy_backend.calls] == ["fusion"]
    fusion = numpy_backend.calls[0][1]
    assert fusion["audio_tokens"].shape == (1, 4, 2)
    assert not fusion["audio_tokens"].any()
    assert not fusion["audio_mask"].any()


@pytest.mark.parametrize(("count", "batches"), [(1, [1]), (32, [32]), (33, [32, 1]), (70, [32, 32, 6])])
def test_crops_go_through_the_image_encoder_in_batches_in_order(manifest, numpy_backend, count, batches) -> None:
    crops = [np.full((8, 8, 3), i, np.uint8) for i in range(count)]
    embeddings = Recognizer(manifest, numpy_backend).embed(crops)
    assert [len(inputs["frames"]) for _, inputs in numpy_backend.calls] == batches
    assert embeddings[:, 0].tolist() == list(range(count))


def test_more_windows_than_a_graph_takes_are_split_in_order(manifest, numpy_backend) -> None:
    rng = np.random.default_rng(5)
    windows = [drawn(rng, 2000, i % 11, 3) for i in range(40)]
    recognitions = Recognizer(manifest, numpy_backend).recognize(windows)
    assert [len(inputs["video_mask"]) for name, inputs in numpy_backend.calls if name == "fusion"] == [32, 8]
    expected = [softmax(np.array([4.0, i % 11]) / manifest.temperature) for i in range(40)]
    np.testing.assert_allclose([recognition.probs for recognition in recognitions], expected, rtol=1e-5)


def test_a_batch_of_windows_is_as_good_as_one_at_a_time(shipped: Recognizer) -> None:
    rng = np.random.default_rng(4)
    manifest = shipped.manifest
    width = int(manifest.graphs.image_encoder.outputs[0].shape[1])
    speech = np.concatenate([voice(mood, manifest.audio.rate_hz) for mood in MOODS])
    sizes = [(manifest.audio.samples, manifest.frames), (8000, 0), (0, 3), (30000, 12)]
    windows = [Heard(speech[:samples], drawn(rng, 0, frames, width).embeddings) for samples, frames in sizes]
    recognitions = shipped.recognize(windows)
    assert [recognition.is_heard for recognition in recognitions] == [True, manifest.voice is None, False, True]
    for together, window in zip(recognitions, windows, strict=True):
        alone = shipped.recognize([window])[0]
        np.testing.assert_allclose(together.probs, alone.probs, atol=1e-3)
        assert together.probs.sum() == pytest.approx(1, abs=1e-5)
        assert (together.agreement is None) == (not together.is_heard or not len(window.embeddings))


def voiced(levels: list[float], frames: int) -> Heard:
    """Half a second at each level, as loud as it is a voice."""
    return Heard(np.repeat(np.float32(levels), 500), np.ones((frames, 3), np.float32))


@pytest.mark.parametrize(
    ("levels", "seconds", "share", "is_heard"),
    [
        ([0.5, 0.1, 0.4, 0.1], 1.0, 0.5, True),
        ([0.5, 0.1, 0.3, 0.1], 0.5, 0.25, False),
        ([0.5, 0.5], 1.0, 1.0, True),
        ([0.5], 0.5, 1.0, False),
        ([0.0, 0.1], 0.0, 0.0, False),
    ],
)
def test_audio_with_too_little_voice_is_missing(
    voice_manifest, numpy_backend, levels, seconds: float, share: float, is_heard: bool
) -> None:
    found = Recognizer(voice_manifest, numpy_backend).recognize([voiced(levels, 10)])[0]
    assert found.voice == pytest.approx((seconds, share))
    assert (found.is_heard, found.is_seen, found.has_evidence) == (is_heard, True, True)
    assert (found.agreement is not None) == is_heard
    expected = softmax(np.array([len(levels) if is_heard else 0, 10]) / voice_manifest.temperature)
    np.testing.assert_allclose(found.probs, expected, rtol=1e-6)


def test_a_window_without_voice_is_the_one_without_audio(voice_manifest, numpy_backend) -> None:
    quiet, none = Recognizer(voice_manifest, numpy_backend).recognize([voiced([0.1] * 4, 7), voiced([], 7)])
    np.testing.assert_array_equal(quiet.probs, none.probs)
    assert (quiet.is_heard, none.is_heard, none.voice) == (False, False, None)


def test_each_window_of_a_batch_is_judged_by_its_own_voice(voice_manifest, numpy_backend) -> None:
    windows = [voiced([0.5] * 4, 3), voiced([0.1] * 4, 3), voiced([0.1] * 4, 0), voiced([0.5] * 2, 0)]
    found = Recognizer(voice_manifest, numpy_backend).recognize(windows)
    assert [each.is_heard for each in found] == [True, False, False, True]
    assert [each.has_evidence for each in found] == [True, True, False, True]
    assert dict(numpy_backend.calls)["fusion"]["audio_mask"].sum(axis=1).tolist() == [4, 0, 0, 2]


@pytest.mark.parametrize("levels", [[], [0.1] * 4])
def test_without_a_voice_and_a_face_all_labels_are_as_probable_and_none_is_said(
    voice_manifest, numpy_backend, levels
) -> None:
    found = Recognizer(voice_manifest, numpy_backend).recognize([voiced(levels, 0)])[0]
    assert found.probs.tolist() == [0.5, 0.5]
    assert found.label(voice_manifest.labels) == UNCERTAIN


def test_a_bundle_that_knows_no_voice_hears_whatever_sounds(manifest, numpy_backend) -> None:
    found = Recognizer(manifest, numpy_backend).recognize([voiced([0.1] * 4, 0)])[0]
    assert (found.is_heard, found.has_evidence, found.voice) == (True, True, None)
    assert found.label(manifest.labels) == "calm"


def test_a_voice_that_is_not_finite_leaves_its_window_without_probabilities(
    voice_manifest, numpy_backend, monkeypatch
) -> None:
    real = numpy_backend.audio_encoder
    spoilt = np.array([[np.nan], [0]], np.float32)
    monkeypatch.setattr(
        numpy_backend, "audio_encoder", lambda inputs: (made := real(inputs)) | {"voice": made["voice"] + spoilt}
    )
    found = Recognizer(voice_manifest, numpy_backend).recognize([voiced([0.5] * 4, 3)] * 2)
    assert [bool(np.isfinite(each.probs).all()) for each in found] == [False, True]


@pytest.mark.parametrize("shift", [0.0, 1000.0, -1000.0])
def test_softmax_survives_large_logits(shift: float) -> None:
    expected = np.array([1, np.e, np.e**2]) / (1 + np.e + np.e**2)
    np.testing.assert_allclose(softmax(np.array([[0.0, 1.0, 2.0]]) + shift)[0], expected)


def test_people_of_one_stream_share_its_audio_and_each_has_what_is_theirs(voice_manifest, numpy_backend) -> None:
    audio = voiced([0.5] * 4, 3)
    first = np.array([True, True, False, False])
    windows = [audio, Heard(audio.samples, np.ones((7, 3), np.float32)), voiced([0.5] * 4, 1)]
    found = Recognizer(voice_manifest, numpy_backend).recognize(windows, [first, ~first, None])
    calls = dict(numpy_backend.calls)
    assert len(calls["audio_encoder"]["waveform"]) == 2
    assert calls["fusion"]["audio_mask"].tolist() == [first.tolist(), (~first).tolist(), [True] * 4]
    assert [each.voice for each in found] == [(1.0, 0.5), (1.0, 0.5), (2.0, 1.0)]
    np.testing.assert_array_equal(calls["fusion"]["audio_tokens"][0], calls["fusion"]["audio_tokens"][1])


def test_too_little_of_a_persons_voice_is_none(voice_manifest, numpy_backend) -> None:
    windows = [voiced([0.5] * 4, 3)]
    found = Recognizer(voice_manifest, numpy_backend).recognize(windows, [np.array([True, False, False, False])])[0]
    assert (found.is_heard, found.voice) == (False, (0.5, 0.25))


def with_head(manifest: Manifest) -> Manifest:
    """The same with a video head: a label is as likely as the mean of its column of the embeddings says."""
    return replace(manifest, video_head=VideoHead(np.eye(2, 3, dtype="<f4").tobytes(), [0.0, 1.0]))


def test_by_a_video_head_windows_without_a_voice_go_through_no_fusion(voice_manifest, numpy_backend) -> None:
    windows = [voiced([], 3), voiced([0.5] * 4, 3), voiced([0.1] * 4, 3), voiced([], 0), voiced([0.1] * 4, 0)]
    found = Recognizer(with_head(voice_manifest), numpy_backend).recognize(windows)
    calls = dict(numpy_backend.calls)
    assert len(calls["audio_encoder"]["waveform"]) == 3, "those with samples"
    assert calls["fusion"]["audio_mask"].sum(axis=1).tolist() == [4]
    assert [(each.is_heard, each.is_seen) for each in found] == [
        (False, True), (True, True), (False, True), (False, False), (False, False)
    ]  # fmt: skip
    seen, both, nothing = np.array([1.0, 2.0]), np.array([4.0, 3.0]), np.zeros(2)
    expected = [softmax(logits / voice_manifest.temperature) for logits in (seen, both, seen, nothing, nothing)]
    np.testing.assert_allclose([each.probs for each in found], expected, rtol=1e-6)
    assert [each.agreement is None for each in found] == [True, False, True, True, True]
    assert [each.voice for each in found] == [None, (2.0, 1.0), (0.0, 0.0), None, (0.0, 0.0)]


def test_where_all_windows_have_no_audio_no_graph_runs(manifest, numpy_backend) -> None:
    spoilt = Heard(np.zeros(0, np.float32), np.full((2, 3), np.nan, np.float32))
    found = Recognizer(with_head(manifest), numpy_backend).recognize([voiced([], 2), spoilt])
    assert numpy_backend.calls == []
    assert [bool(np.isfinite(each.probs).all()) for each in found] == [True, False]


@pytest.mark.parametrize("name", ["foal-nano", "foal-nano-seven"])
def test_the_video_head_gives_the_probabilities_of_the_fusion(name: str) -> None:
    bundle = load(find_bundle_folder(Path(name)))
    backend, width = OrtBackend(bundle, threads=1), bundle.manifest.graphs.image_encoder.outputs[0].shape[1]
    rng = np.random.default_rng(6)
    hum = rng.normal(0, 0.1, 40_000).astype(np.float32)
    windows = [
        Heard(hum[:samples], drawn(rng, 0, frames, width).embeddings) for samples in (0, 40_000) for frames in (1, 30)
    ]
    found, expected = (
        Recognizer(each, backend).recognize(windows)
        for each in (bundle.manifest, replace(bundle.manifest, video_head=None))
    )
    assert [each.is_heard for each in found] == [False] * 4
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.probs, other.probs, atol=1e-5)  # sums of floats in another order
        assert (one.label(bundle.manifest.labels), one.voice) == (other.label(bundle.manifest.labels), other.voice)
