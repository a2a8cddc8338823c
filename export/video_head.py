"""Classifier of windows without audio, read out of the graph of the fusion that holds it."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from edge.bundle.manifest import VideoHead

WEIGHT, BIAS = "single_heads.1.weight", "single_heads.1.bias"
"""Ends of the names of the classifier of the video, in a fusion that starts from the product of both modalities."""


def read_video_head(fusion: Path) -> VideoHead | None:
    """Return the video head of an fp32 graph of the fusion; None where it has none.

    Without audio such a fusion gives what this classifier gives for the mean of the embeddings, and nothing else.
    """
    found = {}
    for constant in onnx.load(fusion).graph.initializer:
        for end in (WEIGHT, BIAS):
            if constant.name.endswith(end):
                found[end] = numpy_helper.to_array(constant)
    if set(found) != {WEIGHT, BIAS}:
        return None
    return VideoHead(np.asarray(found[WEIGHT], "<f4").tobytes(), found[BIAS].tolist())
