"""The classifier of windows without audio, against sums written out."""

import numpy as np
import pytest

from edge.bundle.manifest import VideoHead
from edge.bundle.video_head import classify, weights

WEIGHTS = np.array([[1, 2, 3], [-1, 0, 0.5]], np.float32)
HEAD = VideoHead(WEIGHTS.astype("<f4").tobytes(), [0.25, -4.0])


def test_weights_have_a_row_for_each_label() -> None:
    np.testing.assert_array_equal(weights(HEAD), WEIGHTS)


@pytest.mark.parametrize(
    ("embeddings", "expected"), [([[1, 1, 1]], [6.25, -4.5]), ([[0, 2, 4], [2, 4, 0]], [1 + 6 + 6 + 0.25, -1 + 1 - 4])]
)
def test_the_mean_embedding_is_classified(embeddings: list[list[float]], expected: list[float]) -> None:
    found = classify(HEAD, np.array(embeddings, np.float32))
    assert found.dtype == np.float32
    assert found.tolist() == expected
