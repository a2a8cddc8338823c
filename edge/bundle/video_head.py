"""Logits of windows without audio, which need no fusion.

Dimensions: n frames of a window, Dv the width of their embeddings, C labels.
"""

import numpy as np

from .calibration import Array
from .manifest import VideoHead


def weights(head: VideoHead) -> Array:
    """Return the head's weights, float32 `[C, Dv]`."""
    return np.frombuffer(head.weight, "<f4").reshape(len(head.bias), -1)


def classify(head: VideoHead, embeddings: Array) -> Array:
    """Return the logits float32 `[C]` of a window of embeddings float32 `[n, Dv]`, n at least 1.

    A window is computed alone: it has the same logits whatever is in its batch.
    """
    return np.asarray(weights(head) @ embeddings.mean(axis=0) + np.array(head.bias, np.float32))
