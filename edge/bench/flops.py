"""How much there is to do in one run of a graph: floating-point operations, and the bytes that it must at least move.

Operations are counted in convolutions and matrix products, a multiplication and an addition each; everything else
(activations, normalisations, softmax, pooling, Einsum, recurrent layers) is not counted. The shapes are those of
ONNX Runtime's own profile of a run, so that no model need be parsed here.
"""

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..backends.base import Array
from ..backends.onnxruntime import exact_options, open_session, ort  # type: ignore[attr-defined]  # which keeps its use to itself
from ..bundle.load import Bundle
from ..bundle.manifest import GraphName

Shape = Sequence[int]

CONVOLUTIONS = {"Conv": 1, "FusedConv": 1, "ConvInteger": 1, "QLinearConv": 3}
"""Operators by the place of the weight `[out, in / groups, ...]` among their inputs."""
PRODUCTS = {"MatMul": 1, "FusedMatMul": 1, "Gemm": 1, "FusedGemm": 1, "MatMulInteger": 1, "QLinearMatMul": 3}
"""Operators by the place of the right factor among their inputs; the left is the first."""


class Work(NamedTuple):
    """Of one run."""

    gflop: float
    """Floating-point operations, in 10^9; those of a quantised graph count the same."""
    moved_mb: float
    """The graph's files, its inputs and its outputs, in 10^6 bytes."""


def operations(bundle: Bundle, graph_name: GraphName, inputs: Mapping[str, Array]) -> Work:
    """Run a graph once and count. `inputs`: named, `[batch, ...]`, as a backend takes them; more are ignored."""
    entry = bundle.manifest.graphs.by_name()[graph_name]
    given = {tensor.name: inputs[tensor.name] for tensor in entry.inputs}
    nodes, outputs = profile(bundle.path(entry.file), given)
    flop = sum(
        operations_of(node["op_name"], shapes(node["input_type_shape"]), shapes(node["output_type_shape"]))
        for node in nodes
    )
    weights = sum(bundle.path(file).stat().st_size for file in entry.files)
    moved = weights + sum(array.nbytes for array in [*given.values(), *outputs])
    return Work(flop / 1e9, moved / 1e6)


def profile(path: Path, inputs: Mapping[str, Array]) -> tuple[list[dict[str, Any]], list[Array]]:
    """The nodes of one run as ONNX Runtime tells them, and the outputs.

    Weights are not packed, for those that are vanish from a node's inputs; of the optimisations there are the basic
    ones, which leave shapes plain and quantisation beside the operators that it is for.
    """
    options = exact_options()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "run")
        session = open_session(path, options)
        outputs = [np.asarray(output) for output in session.run(None, dict(inputs))]
        events = json.loads(Path(session.end_profiling()).read_bytes())
    return [event["args"] for event in events if "op_name" in event.get("args", {})], outputs


def shapes(told: Sequence[Mapping[str, Shape]]) -> list[Shape]:
    """Of tensors that the profile gives each as `{type: shape}`."""
    return [shape for tensor in told for shape in tensor.values()]


def operations_of(kind: str, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    """Floating-point operations of one node; 0 of an operator that is not counted."""
    if kind in CONVOLUTIONS:
        return 2 * math.prod(outputs[0]) * math.prod(inputs[CONVOLUTIONS[kind]][1:])
    if kind in PRODUCTS:
        return 2 * math.prod(outputs[0]) * inner(inputs[0], inputs[PRODUCTS[kind]], outputs[0])
    return 0


def inner(left: Shape, right: Shape, product: Shape) -> int:
    """The dimension that a product sums over, whichever factors are transposed: `[m, k]` and `[k, n]` give `[m, n]`."""
    if min(len(left), len(right)) == 1:
        return min(left, right, key=len)[0]
    outer = math.prod(product[-2:])
    return math.isqrt(math.prod(left[-2:]) * math.prod(right[-2:]) // outer) if outer else 0
