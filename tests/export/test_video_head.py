"""The classifier of windows without audio, as the shipped graphs of the fusion hold it and compute it."""

from pathlib import Path

import numpy as np
import pytest

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import SHIPPED, load
from edge.bundle.video_head import classify
from edge.models.names import find_bundle_folder
from export.video_head import read_video_head


@pytest.mark.parametrize("name", ["foal-nano", "foal-nano-seven"])
def test_it_gives_the_logits_of_the_fusion_it_was_read_from(name: str) -> None:
    bundle = load(find_bundle_folder(Path(name)))
    head = read_video_head(bundle.path(bundle.manifest.graphs.fusion.file))
    assert head is not None
    assert head == bundle.manifest.video_head
    audio, audio_mask, video, video_mask = (
        np.zeros((3, *tensor.shape[1:]), tensor.dtype) for tensor in bundle.manifest.graphs.fusion.inputs
    )
    for row, frames in enumerate((1, 7, 30)):
        video[row, :frames] = np.random.default_rng(row).normal(size=(frames, video.shape[2]))
        video_mask[row, :frames] = True
    inputs = dict(
        zip(
            ("audio_tokens", "audio_mask", "video_tokens", "video_mask"),
            (audio, audio_mask, video, video_mask),
            strict=True,
        )
    )
    expected = OrtBackend(bundle, threads=1).fusion(inputs)["logits"]
    found = [classify(head, rows[mask]) for rows, mask in zip(video, video_mask, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)  # sums of floats in another order


def test_a_graph_without_such_a_classifier_gives_none() -> None:
    assert read_video_head(SHIPPED / "image_encoder.onnx") is None
