"""Conversion of an fp32 graph to a strongly typed fp16 graph; what fp16 cannot represent stays fp32.

Convolutions and matrix products are fp16. Every other operator follows its inputs and is fp32 if all of them are, so
that casts stand before and after products and nowhere else. Inputs and outputs keep their types.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import onnx_ir
from onnx_ir import DataType, Graph, Node, Value

from .tensor_ranges import MagnitudeRange

LARGEST_MAGNITUDE = float(np.finfo(np.float16).max) / 3
"""Largest magnitude that is converted to fp16, a third of its maximum: inputs may exceed those of the calibration."""
SMALLEST_MAGNITUDE = float(np.finfo(np.float16).smallest_normal)
"""Smallest magnitude that fp16 represents with all its bits."""
COMPUTE_OPERATORS = {"Conv", "ConvTranspose", "Einsum", "Gemm", "MatMul"}
"""Convolutions and matrix products, which gain most from fp16."""
NORMS = {
    "BatchNormalization",
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "LpNormalization",
    "ReduceL2",
    "RMSNormalization",
}
PRECISION_SENSITIVE = {
    "CumSum",
    "Exp",
    "LogSoftmax",
    "Pow",
    "Reciprocal",
    "ReduceMean",
    "ReduceSum",
    "Softmax",
    "Sqrt",
    *NORMS,
}
"""Operators that sum over many numbers or amplify small errors; they stay fp32."""
EXACT_INPUTS = {"Ceil", "Floor", "Log", "Mod", "Round"}
"""Operators whose inputs stay fp32 with all that they are computed from.

Power spectra have a larger range than fp16, counts of samples more digits.
"""
DATA_MOVEMENT = {
    "Cast",
    "Concat",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Pad",
    "Reshape",
    "ScatterND",
    "Shape",
    "Slice",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
}
"""Operators that move data and compute nothing; they are not listed among the operators kept in fp32."""


def nodes_kept_fp32(graph: Graph, found: Mapping[str, MagnitudeRange]) -> set[Node]:
    """Return the nodes that must stay fp32, by their operator and by the ranges of their tensors on real inputs."""
    nodes = [node for node in graph if uses_fp32(node)]
    kept = {node for node in nodes if node.op_type in PRECISION_SENSITIVE or is_out_of_range(node, found)}
    return kept | ancestors(node for node in nodes if node.op_type in EXACT_INPUTS or is_cast_to_integers(node))


def ancestors(nodes: Iterable[Node]) -> set[Node]:
    """Return the nodes and all nodes whose floats they are computed from."""
    found: set[Node] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            makers = (value.producer() for value in node.inputs if value is not None and is_fp32(value))
            waiting += [maker for maker in makers if maker is not None]
    return found


def is_out_of_range(node: Node, found: Mapping[str, MagnitudeRange]) -> bool:
    """Return whether fp16 overflows for an input or output of the node, or underflows for one that is computed."""
    for value in fp32_values(node):
        largest, smallest = found.get(value.name or "", MagnitudeRange(0.0, 0.0))
        if largest > LARGEST_MAGNITUDE or (0 < smallest < SMALLEST_MAGNITUDE and not value.is_initializer()):
            return True
    return False


def to_fp16(model: onnx_ir.Model, kept: set[Node]) -> list[str]:
    """Convert a graph to fp16 in place; return the names of the operators left in fp32, in the order of the graph.

    Args:
        model: the fp32 graph.
        kept: nodes that must stay fp32, from `nodes_kept_fp32`.
    """
    graph = model.graph
    fp32 = fp32_nodes(graph, kept)
    converted = [node for node in graph if uses_fp32(node)]
    split_weights(graph, fp32)
    for node in converted:
        if node not in fp32:
            convert_to_fp16(node)
    made = [*graph.inputs, *(value for node in converted for value in node.outputs)]
    for value in [value for value in made if value.dtype in (DataType.FLOAT, DataType.FLOAT16)]:
        cast_for_other_precision(graph, value, fp32)
    restore_output_types(graph)
    graph.sort()
    return [node.name or "" for node in graph if node in fp32 and node.op_type not in DATA_MOVEMENT]


def fp32_nodes(graph: Graph, kept: set[Node]) -> set[Node]:
    """Return the nodes whose inputs and outputs are fp32 after the conversion."""
    is_fp32_value = {value: True for value in graph.inputs if is_fp32(value)}
    fp32: set[Node] = set()
    flexible: list[Node] = []
    for node in graph:
        if not uses_fp32(node):
            continue
        known = [is_fp32_value[value] for value in node.inputs if value in is_fp32_value]
        if node in kept or is_cast_from_pixels(node):
            chosen = True
        elif node.op_type in COMPUTE_OPERATORS:
            chosen = False
        elif not known:
            flexible.append(node)
            continue
        else:
            # A divisor that fp32 keeps from being zero might be zero in fp16.
            chosen = all(known) or (node.op_type == "Div" and is_fp32_value.get(node.inputs[1], False))  # type: ignore[arg-type]
        if chosen:
            fp32.add(node)
        is_fp32_value.update((value, chosen) for value in node.outputs if is_fp32(value))
    for node in reversed(flexible):
        # A node computed from masks, counts and weights alone takes the precision of its consumers.
        if node.outputs and any(taker in fp32 for value in node.outputs for taker in value.consumers()):
            fp32.add(node)
    return fp32


def split_weights(graph: Graph, fp32: set[Node]) -> None:
    """Give each node its weights in its own precision."""
    for value in [value for value in graph.initializers.values() if is_fp32(value)]:
        to_half = [(node, index) for node, index in value.uses() if node not in fp32]
        if not to_half:
            continue
        assert value.const_value is not None, "an initialiser"
        name = f"{value.name}_fp16"
        tensor = fp16_tensor(value.const_value, name)
        half = Value(name=name, type=onnx_ir.TensorType(DataType.FLOAT16), shape=value.shape, const_value=tensor)
        graph.register_initializer(half)
        for node, index in to_half:
            node.replace_input_with(index, half)
        if not value.uses():
            del graph.initializers[value.name]  # type: ignore[arg-type]


def fp16_tensor(tensor: onnx_ir.TensorProtocol, name: str) -> onnx_ir.LazyTensor:
    """Return the tensor in fp16, converted when it is written, so that large weights are never in memory twice."""

    def made() -> onnx_ir.TensorProtocol:
        return onnx_ir.tensor(tensor.numpy().astype(np.float16), name=name)

    return onnx_ir.LazyTensor(made, DataType.FLOAT16, tensor.shape, name=name)  # type: ignore[arg-type]


def convert_to_fp16(node: Node) -> None:
    """Change the fp32 outputs of a node to fp16."""
    for value in filter(is_fp32, node.outputs):
        value.dtype = DataType.FLOAT16
        if node.op_type == "Cast":
            node.attributes["to"] = onnx_ir.AttrInt64("to", DataType.FLOAT16)
        elif node.op_type == "ConstantOfShape":
            filled = node.attributes["value"].as_tensor().numpy().astype(np.float16)
            node.attributes["value"] = onnx_ir.AttrTensor("value", onnx_ir.tensor(filled))


def cast_for_other_precision(graph: Graph, value: Value, fp32: set[Node]) -> None:
    """Cast a value once for all its consumers of the other precision."""
    to = DataType.FLOAT16 if value.dtype == DataType.FLOAT else DataType.FLOAT
    others = [(node, index) for node, index in value.uses() if (node in fp32) != (value.dtype == DataType.FLOAT)]
    if others:
        made = append_cast(graph, value, to, f"{value.name}_{'fp16' if to == DataType.FLOAT16 else 'fp32'}")
        for node, index in others:
            node.replace_input_with(index, made)


def restore_output_types(graph: Graph) -> None:
    """Cast the graph's fp16 outputs to fp32, under their original names."""
    for index, value in enumerate(graph.outputs):
        if value.dtype == DataType.FLOAT16:
            name = value.name or ""
            value.name = f"{name}_fp16"
            graph.outputs[index] = append_cast(graph, value, DataType.FLOAT, name)


def append_cast(graph: Graph, value: Value, to: DataType, name: str) -> Value:
    """Append a Cast of a value to another precision and return its output."""
    node = onnx_ir.node("Cast", [value], {"to": to}, name=f"cast_{name}")
    made = node.outputs[0]
    made.name, made.dtype, made.shape = name, to, value.shape
    graph.append(node)
    return made


def is_fp32(value: Value) -> bool:
    """Return whether a value is fp32."""
    return value.dtype == DataType.FLOAT


def fp32_values(node: Node) -> Iterator[Value]:
    """Return the fp32 inputs and outputs of a node."""
    return (value for value in (*node.inputs, *node.outputs) if value is not None and is_fp32(value))


def uses_fp32(node: Node) -> bool:
    """Return whether a node has an fp32 input or output."""
    return any(True for _ in fp32_values(node))


def is_cast_from_pixels(node: Node) -> bool:
    """Return whether a node casts uint8 pixels to floats."""
    return node.op_type == "Cast" and node.inputs[0] is not None and node.inputs[0].dtype == DataType.UINT8


def is_cast_to_integers(node: Node) -> bool:
    """Return whether a node casts numbers to integers."""
    return node.op_type == "Cast" and node.outputs[0].dtype in (DataType.INT32, DataType.INT64)
