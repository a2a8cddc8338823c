"""Stage of the image encoder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.train.voices_and_faces.killed_stage import check_resumed
from train.config import Config
from train.corpora.fer2013 import EMOTIONS, NONE, Faces
from train.encoders.nano_image import NanoImageEncoder
from train.voices_and_faces import faces, image_stage
from train.voices_and_faces.image_stage import ImageClassifier, accuracies, fit_image_encoder, targets


@pytest.fixture(scope="module")
def found() -> Faces:
    """Two faces of each label, as raters and the corpus see them, and one that raters do not agree on."""
    images = np.random.default_rng(0).integers(0, 256, (9, 48, 48)).astype(np.uint8)
    emotions = np.array([EMOTIONS.index(name) for name in ("angry", "happy", "neutral", "sad") * 2] + [0])
    votes = 0.75 * np.eye(len(EMOTIONS), dtype=np.float32)[emotions]
    votes[8, :4] = 0.25
    return Faces(images, votes, np.where(np.arange(9) < 8, emotions, NONE), emotions)


def fit_faces(config: Config, found: Faces, path: Path) -> dict[str, Tensor]:
    return fit_image_encoder(config, found, found, path).state_dict()


def test_a_killed_stage_ends_where_the_uninterrupted_one_ends(tiny: Config, found: Faces, tmp_path: Path) -> None:
    check_resumed(tiny, "faces_stage", image_stage, lambda config, path: fit_faces(config, found, path), tmp_path)


@torch.no_grad()
def test_the_head_of_the_faces_is_linear_in_the_embedding() -> None:
    torch.manual_seed(0)
    model = ImageClassifier(NanoImageEncoder(24), 4).eval()
    crops = torch.randint(256, (8, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    frames = faces.rgb(crops)
    weight, bias = model.head[1].weight, model.head[1].bias
    torch.testing.assert_close(model(frames), model.encoder(frames) @ weight.T + bias)


def test_targets_are_the_raters_votes_and_some_of_the_first_label() -> None:
    votes = np.zeros((2, 8), np.float32)
    votes[0, :2], votes[1, 3] = (0.6, 0.2), 0.7
    of = Faces(np.zeros((2, 48, 48), np.uint8), votes, np.array([0, 3]), np.array([1, 3]))
    expected = [[0.75, 0.25, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(targets(of, 0.0)[:, :4], expected)
    np.testing.assert_allclose(targets(of, 0.2)[:, :4], [[0.6, 0.4, 0, 0], [0, 0, 0, 1]], rtol=1e-6)


def test_figures_are_by_raters_and_by_first_labels(found: Faces) -> None:
    labels = ["angry", "happy", "neutral", "sad"]
    logits = torch.eye(4).repeat(3, 1)[:9]
    logits[3] = logits[0]
    figures = accuracies(logits, found, labels)
    assert figures["ua"] == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    assert figures["wa"] == pytest.approx(7 / 8)
    assert figures["first ua"] == pytest.approx((1 + 1 + 2 / 3 + 0.5) / 4)
    assert figures["first wa"] == pytest.approx(7 / 9)
