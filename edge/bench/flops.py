"""FLOPs and least memory traffic of one run of a graph.

Floating-point operations are counted in convolutions and matrix products, a multiplication and an addition each;
everything else (activations, normalisations, softmax, pooling, Einsum, recurrent layers) is not counted. The shapes are
those of ONNX Runtime's own profile of a run, so that no model need be parsed here.
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
"""Operators, with the place of the weight `[out, in / groups, ...]` among their inputs."""
MATMULS = {"MatMul": 1, "FusedMatMul": 1, "Gemm": 1, "FusedGemm": 1, "MatMulInteger": 1, "QLinearMatMul": 3}
"""Operators, with the place of the right factor among their inputs; the left is the first."""


class Cost(NamedTuple):
    """Cost of one run; the ratio of both is its arithmetic intensity."""

    gflop: float
    """FLOPs in 10^9; those of a quantised graph count the same."""
    traffic_mb: float
    """Size of the graph's files, inputs and outputs, in 10^6 bytes."""


def graph_cost(bundle: Bundle, graph_name: GraphName, inputs: Mapping[str, Array]) -> Cost:
    """Run a graph once and count. `inputs`: named, `[batch, ...]`, as a backend takes them; more are ignored."""
    entry = bundle.manifest.graphs.by_name()[graph_name]
    given = {tensor.name: inputs[tensor.name] for tensor in entry.inputs}
    nodes, outputs = profile(bundle.path(entry.file), given)
    flop = sum(
        node_flop(node["op_name"], shapes(node["input_type_shape"]), shapes(node["output_type_shape"]))
        for node in nodes
    )
    weights = sum(bundle.path(file).stat().st_size for file in entry.files)
    traffic = weights + sum(array.nbytes for array in [*given.values(), *outputs])
    return Cost(flop / 1e9, traffic / 1e6)


def profile(path: Path, inputs: Mapping[str, Array]) -> tuple[list[dict[str, Any]], list[Array]]:
    """Run a graph and return its nodes, as ONNX Runtime's profile lists them, and the outputs.

    Weights are not prepacked, since a packed weight vanishes from its node's inputs. Optimisations are limited to the
    basic ones, which keep shapes plain and quantisation beside the operators that it is for.
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


def shapes(tensors: Sequence[Mapping[str, Shape]]) -> list[Shape]:
    """Return the shapes of tensors, each of which the profile gives as `{type: shape}`."""
    return [shape for tensor in tensors for shape in tensor.values()]


def node_flop(kind: str, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    """Return the FLOPs of one node; 0 for an operator that is not counted."""
    if kind in CONVOLUTIONS:
        return 2 * math.prod(outputs[0]) * math.prod(inputs[CONVOLUTIONS[kind]][1:])
    if kind in MATMULS:
        return 2 * math.prod(outputs[0]) * inner_size(inputs[0], inputs[MATMULS[kind]], outputs[0])
    return 0


def inner_size(left: Shape, right: Shape, product: Shape) -> int:
    """Return k of the product `[m, k]` by `[k, n]` that gives `[m, n]`, whichever factors are transposed."""
    if min(len(left), len(right)) == 1:
        return min(left, right, key=len)[0]
    outer = math.prod(product[-2:])
    return math.isqrt(math.prod(left[-2:]) * math.prod(right[-2:]) // outer) if outer else 0
