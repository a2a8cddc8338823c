"""Ranges of the magnitudes of every float tensor of a graph on real inputs.

ONNX Runtime computes the maxima inside the graph, so that no tensor is kept: WavLM's stem alone would fill gigabytes.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx_ir

from edge.backends.base import Array
from edge.backends.onnxruntime import exact_options, open_session, ort


class MagnitudeRange(NamedTuple):
    """Range of the magnitudes of one tensor, over all inputs that the graph was run on."""

    largest: float
    """Largest finite magnitude; 0 if there is none."""
    smallest: float
    """Smallest of the inputs' largest magnitudes, not counting zeros; 0 if all are zeros."""


def tensor_ranges(path: Path, inputs: Iterable[Mapping[str, Array]]) -> dict[str, MagnitudeRange]:
    """Return the range of every float tensor of the graph at `path`, weights included, by name."""
    found = weight_ranges(onnx_ir.load(path).graph)
    probed = path.with_name(f"{path.stem}.probed.onnx")
    try:
        names = write_probed(path, probed)
        options = exact_options()
        # A tensor's maximum is computed as soon as the tensor exists, which is then freed.
        options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
        session = open_session(probed, options)
        for given in inputs:
            magnitudes = session.run([probe_name(name) for name in names], dict(given))
            for name, magnitude in zip(names, magnitudes, strict=True):
                found[name] = extend(found.get(name, MagnitudeRange(0.0, 0.0)), float(magnitude))
    finally:
        probed.unlink(missing_ok=True)
    return found


def extend(known: MagnitudeRange, magnitude: float) -> MagnitudeRange:
    """Return the range that also covers one more input's largest magnitude."""
    smallest = min(known.smallest, magnitude) if known.smallest and magnitude else known.smallest or magnitude
    return MagnitudeRange(max(known.largest, magnitude), smallest)


def weight_ranges(graph: onnx_ir.Graph) -> dict[str, MagnitudeRange]:
    """Return the ranges of the graph's float weights, by name."""
    found = {}
    for name, value in graph.initializers.items():
        if value.dtype == onnx_ir.DataType.FLOAT and value.const_value is not None:
            magnitudes = np.abs(value.const_value.numpy())
            largest = float(magnitudes.max(initial=0.0, where=np.isfinite(magnitudes)))
            found[name] = MagnitudeRange(largest, largest)
    return found


def write_probed(path: Path, probed: Path) -> list[str]:
    """Write the graph with the largest magnitude of each float tensor as its outputs; return the tensors' names."""
    model = onnx_ir.load(path)
    graph = model.graph
    made = [*graph.inputs, *(value for node in graph for value in node.outputs)]
    values = [value for value in made if value.dtype == onnx_ir.DataType.FLOAT]
    zero = add_constant(graph, "probe/zero", 0.0)
    infinity = add_constant(graph, "probe/infinity", np.inf)
    graph.outputs.clear()
    for value in values:
        magnitude = append_node(graph, "Abs", [value])
        # The comparison is false for a not-a-number, too.
        finite = append_node(graph, "Less", [magnitude, infinity], onnx_ir.DataType.BOOL)
        largest = append_node(graph, "ReduceMax", [append_node(graph, "Where", [finite, magnitude, zero])])
        largest.producer().attributes.add(onnx_ir.AttrInt64("keepdims", 0))  # type: ignore[union-attr]
        largest.name, largest.shape = probe_name(name_of(value)), onnx_ir.Shape([])
        graph.outputs.append(largest)
    onnx_ir.save(model, probed)
    return [name_of(value) for value in values]


def add_constant(graph: onnx_ir.Graph, name: str, number: float) -> onnx_ir.Value:
    """Add a float scalar to the graph and return its value."""
    value = onnx_ir.Value(name=name, const_value=onnx_ir.tensor(np.float32(number), name=name))
    graph.register_initializer(value)
    return value


def append_node(
    graph: onnx_ir.Graph,
    operator: str,
    inputs: list[onnx_ir.Value],
    dtype: onnx_ir.DataType = onnx_ir.DataType.FLOAT,
) -> onnx_ir.Value:
    """Append a node to the graph and return its output."""
    node = onnx_ir.node(operator, inputs)
    graph.append(node)
    node.outputs[0].dtype = dtype
    return node.outputs[0]


def probe_name(name: str) -> str:
    """Return the name of the output that holds a tensor's largest magnitude."""
    return f"probe of {name}"


def name_of(value: onnx_ir.Value) -> str:
    """Return a value's name; every value of a loaded graph has one."""
    assert value.name is not None, "a loaded graph"
    return value.name
