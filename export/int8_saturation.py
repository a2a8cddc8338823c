"""Emulation of int8 without VNNI on any processor: sums of two products saturate at 16 bits.

x86-64 with AVX2 or AVX-512 and without VNNI multiplies uint8 activations by int8 weights, and adds each product to its
neighbour in 16 bits that saturate. Pairs are consecutive terms of the sum of a matrix product; in a convolution
channels vary fastest, then columns, then rows. Only weights beyond 64 make such a sum too large.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import onnx_ir
from numpy.typing import NDArray
from onnx_ir import DataType, Graph, Node, Value
from onnx_ir.tape import Tape

from .to_int8 import COMPUTE_OPERATORS

LOWEST, HIGHEST = -(1 << 15), (1 << 15) - 1
LARGEST_ACTIVATION = 255


class QuantisedInput(NamedTuple):
    """Inputs of a DequantizeLinear."""

    integers: Value
    scale: Value
    zero_point: Value


class QuantisedProduct(NamedTuple):
    """Matrix product or convolution of uint8 activations and int8 weights."""

    node: Node
    activations: QuantisedInput
    weight_scale: Value
    """Scale of the weights."""
    shape: tuple[int, ...]
    """Shape of the weights as the node takes them."""
    weights: NDArray[np.int8]
    """`[groups, summed, outputs / groups]`."""


def emulate_int8(model: onnx_ir.Model) -> list[str]:
    """Add saturation to a graph in place; return the names of the products that can saturate."""
    found = [product for product in quantised_products(model.graph) if can_saturate(product.weights)]
    for product in found:
        subtract_losses(model.graph, product)
    model.graph.sort()
    return [product.node.name or "" for product in found]


def can_saturate(weights: NDArray[np.int8]) -> bool:
    """Return whether activations can make a sum of two products exceed 16 bits; weights `[..., summed, outputs]`."""
    first, second = (side.astype(np.int64) for side in split_pairs(weights))
    highest = np.maximum(first, 0) + np.maximum(second, 0)
    lowest = np.minimum(first, 0) + np.minimum(second, 0)
    passes = (LARGEST_ACTIVATION * highest > HIGHEST) | (LARGEST_ACTIVATION * lowest < LOWEST)
    return bool(passes.any())


def split_pairs(weights: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return the first and the second weights of the pairs, `[..., pairs, outputs]`, without an unpaired last one."""
    paired = weights.shape[-2] // 2 * 2
    return weights[..., 0:paired:2, :], weights[..., 1:paired:2, :]


def quantised_products(graph: Graph) -> Iterator[QuantisedProduct]:
    """Yield the quantised products of a graph, except depthwise convolutions, whose kernel is exact."""
    for node in graph:
        if node.op_type not in COMPUTE_OPERATORS:
            continue
        activations, factor = quantised_input(node.inputs[0]), quantised_input(node.inputs[1])
        if activations is None or factor is None or factor.integers.const_value is None:
            continue
        if (activations.zero_point.dtype, factor.zero_point.dtype) == (DataType.UINT8, DataType.INT8):
            integers = factor.integers.const_value.numpy()
            weights = weights_in_sum_order(node, integers)
            if not (node.op_type == "Conv" and is_depthwise(integers, len(weights))):
                yield QuantisedProduct(node, activations, factor.scale, integers.shape, weights)


def quantised_input(value: Value | None) -> QuantisedInput | None:
    """Return the quantised form of a value, or None if it was not quantised."""
    maker = value.producer() if value is not None else None
    if maker is None or maker.op_type != "DequantizeLinear":
        return None
    return QuantisedInput(*maker.inputs)  # type: ignore[arg-type]


def is_depthwise(weights: NDArray[np.int8], groups: int) -> bool:
    """Return whether a convolution with weights `[outputs, channels / groups, ...]` is depthwise."""
    return groups > 1 and weights.shape[:2] == (groups, 1)


def weights_in_sum_order(node: Node, weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return a node's weights as `[groups, summed, outputs / groups]`, in the order of summation."""
    if node.op_type == "Conv":
        groups = node.attributes.get_int("group", 1)
        rows = np.moveaxis(weights, 1, -1).reshape(groups, len(weights) // groups, -1)
        return rows.transpose(0, 2, 1)
    transposed = node.op_type == "Gemm" and node.attributes.get_int("transB", False)
    return (weights.T if transposed else weights)[None]


def subtract_losses(graph: Graph, product: QuantisedProduct) -> None:
    """Subtract from a product what its sums of two lose to saturation."""
    node, (integers, scale, zero_point), tape = product.node, product.activations, Tape(graph)
    made = node.outputs[0]
    takers = list(made.uses())
    activations, nothing = (tape.op("Cast", [value], {"to": DataType.FLOAT}) for value in (integers, zero_point))
    centred = tape.op("Sub", [activations, nothing])
    # The product itself is computed in floats, as on any other processor.
    node.replace_input_with(0, tape.op("Mul", [centred, scale]))
    parts = im2col(tape, product, centred, nothing) if node.op_type == "Conv" else [activations]
    losses = [saturation_loss(tape, part, weights) for part, weights in zip(parts, product.weights, strict=True)]
    lost = tape.op("Concat", losses, {"axis": -1}) if len(losses) > 1 else losses[0]
    lost = tape.op("Mul", [lost, tape.op("Mul", [scale, product.weight_scale])])
    if node.op_type == "Conv":
        rank = len(product.shape)
        lost = tape.op("Transpose", [lost], {"perm": [0, rank - 1, *range(1, rank - 1)]})
    left = tape.op("Sub", [made, lost])
    left.type, left.shape = made.type, made.shape
    for taker, index in takers:
        taker.replace_input_with(index, left)
    for index, value in enumerate(graph.outputs):
        if value is made:
            name, made.name = made.name, f"{made.name}_exact"
            left.name, graph.outputs[index] = name, left


def saturation_loss(tape: Tape, activations: Value, weights: NDArray[np.int8]) -> Value:
    """Return by how much the sums of two exceed 16 bits: `[..., summed]`, `[summed, outputs]` -> `[..., outputs]`."""
    sums = None
    for side, factor in enumerate(split_pairs(weights)):
        rows = append_constant(tape, np.arange(side, 2 * len(factor), 2))
        taken = tape.op("Gather", [activations, rows], {"axis": -1})
        column = tape.op("Unsqueeze", [taken, append_constant(tape, np.array([-1]))])
        term = tape.op("Mul", [column, append_constant(tape, factor.astype(np.float32))])
        sums = tape.op("Add", [sums, term]) if sums else term
    assert sums is not None
    ends = [append_constant(tape, np.array(end, np.float32)) for end in (LOWEST, HIGHEST)]
    over = tape.op("Sub", [sums, tape.op("Clip", [sums, *ends])])
    return tape.op("ReduceSum", [over, append_constant(tape, np.array([-2]))], {"keepdims": 0})


def im2col(tape: Tape, product: QuantisedProduct, centred: Value, zero_point: Value) -> list[Value]:
    """Return the inputs that each position of a convolution sums over, `[batch, ..., summed]` for each group.

    A convolution with one-hot weights selects them; the padding is filled with the zero point.
    """
    groups, summed, _ = product.weights.shape
    _, channels, *kernel = product.shape
    ones = np.eye(summed, dtype=np.float32).reshape(summed, *kernel, channels)
    picks = np.tile(np.moveaxis(ones, -1, 1), (groups, *[1] * (len(kernel) + 1)))
    picked = tape.op("Conv", [centred, append_constant(tape, picks)], dict(product.node.attributes))
    last = tape.op("Transpose", [picked], {"perm": [0, *range(2, len(kernel) + 2), 1]})
    whole = tape.op("Add", [last, zero_point])
    return [
        tape.op("Gather", [whole, append_constant(tape, np.arange(summed) + group * summed)], {"axis": -1})
        for group in range(groups)
    ]


def append_constant(tape: Tape, array: NDArray[np.generic]) -> Value:
    """Append a constant array to the graph and return its value."""
    return tape.op("Constant", [], {"value": onnx_ir.tensor(array)})
