"""Numerical parity of an exported graph with torch."""

from pathlib import Path

import numpy as np

from edge.backends.onnxruntime import open_session
from edge.errors import FoalError

from .graphs import Graph

TOLERANCE = 1e-4
"""Largest absolute difference between torch and ONNX Runtime in fp32."""


def largest_difference(graph: Graph, path: Path) -> float:
    """Return the largest absolute difference over all outputs; FoalError if it exceeds the tolerance.

    The batch is dynamic, so it is checked at its full size and at 1.
    """
    session = open_session(path)
    expected = {name: tensor.numpy() for name, tensor in graph.expected.items()}
    worst = 0.0
    for rows in (slice(None), slice(1)):
        found = session.run(list(expected), {name: tensor.numpy()[rows] for name, tensor in graph.inputs.items()})
        for array, reference in zip(found, expected.values(), strict=True):
            worst = float(np.maximum(worst, np.abs(array.astype(np.float64) - reference[rows]).max()))
    if not worst <= TOLERANCE:
        raise FoalError(f"{graph.name}: ONNX differs from torch by {worst:.2e}, more than {TOLERANCE:.0e}")
    return worst
