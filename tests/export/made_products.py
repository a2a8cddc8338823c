"""Products of uint8 and int8 as the quantiser writes them, and numpy's own results, exact and saturated."""

from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

GIVEN_STEP, ZERO = np.float32(0.5), 100
"""Of the activations."""
MADE_STEP, MADE_ZERO = np.float32(500), 120
"""Of a convolution's output: it is one of integers where its output is quantised too."""
KINDS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "MatMul": ((2, 7, 37), (37, 5), {}),
    "Gemm": ((7, 36), (5, 36), {"transB": 1}),
    "Conv": ((2, 5, 9, 9), (6, 5, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
    "Conv of one channel": ((2, 1, 8, 8), (6, 1, 3, 3), {"pads": [1, 1, 1, 1]}),
    "Conv of one dimension": ((2, 6, 20), (4, 6, 5), {"pads": [2, 2]}),
    "Conv in groups": ((1, 6, 8, 8), (4, 3, 3, 3), {"group": 2}),
}
"""Shapes of activations and weights, and attributes."""


class Made(NamedTuple):
    model: onnx.ModelProto
    x: np.ndarray
    exact: np.ndarray
    saturated: np.ndarray


def make_product(kind: str) -> Made:
    """With activations and weights that are often large, so that many sums of two pass 16 bits."""
    shape, weights_shape, attributes = KINDS[kind]
    random = np.random.default_rng(0)
    integers = np.minimum(random.integers(0, 500, shape), 255)
    weights = np.clip(random.integers(-200, 400, weights_shape), -127, 127).astype(np.int8)
    axis = 1 if kind == "MatMul" else 0
    steps = random.uniform(0.5, 2, weights.shape[axis]).astype(np.float32)
    bias = random.integers(-1000, 1000, len(steps)).astype(np.int32) if kind == "Gemm" else None
    x = (integers - ZERO).astype(np.float32) * GIVEN_STEP
    model = write(kind.split()[0], x, weights, steps, axis, bias, attributes)
    return Made(model, x, *(expected(kind, integers, weights, steps, bias, clipped) for clipped in (False, True)))


def write(
    operator: str,
    x: np.ndarray,
    weights: np.ndarray,
    steps: np.ndarray,
    axis: int,
    bias: np.ndarray | None,
    attributes: dict[str, Any],
) -> onnx.ModelProto:
    zeros = np.zeros(len(steps), np.int8)
    arrays = {"xs": GIVEN_STEP, "xz": np.uint8(ZERO), "w": weights, "ws": steps, "wz": zeros}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=axis),
    ]
    given = ["xd", "wd"]
    if bias is not None:
        arrays |= {"b": bias, "bs": steps * GIVEN_STEP, "bz": zeros.astype(np.int32)}
        nodes.append(helper.make_node("DequantizeLinear", ["b", "bs", "bz"], ["bd"], axis=0))
        given.append("bd")
    made = "c" if operator == "Conv" else "y"
    nodes.append(helper.make_node(operator, given, [made], name="product", **attributes))
    if operator == "Conv":
        arrays |= {"ys": MADE_STEP, "yz": np.uint8(MADE_ZERO)}
        nodes.append(helper.make_node("QuantizeLinear", ["c", "ys", "yz"], ["yq"]))
        nodes.append(helper.make_node("DequantizeLinear", ["yq", "ys", "yz"], ["y"]))
    x_info = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *x.shape[1:]])
    y_info = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "made", [x_info], [y_info], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return shape_inference.infer_shapes(model)


def expected(
    kind: str,
    integers: np.ndarray,
    weights: np.ndarray,
    steps: np.ndarray,
    bias: np.ndarray | None,
    clipped: bool,
) -> np.ndarray:
    if not kind.startswith("Conv"):
        sums = pairwise(integers, weights.T if kind == "Gemm" else weights, clipped)
        return (sums + (0 if bias is None else bias)) * (steps * GIVEN_STEP)
    attributes = KINDS[kind][2]
    groups, channels = attributes.get("group", 1), weights.shape[1]
    outputs = len(weights) // groups
    parts = [
        convolve(
            integers[:, group * channels : (group + 1) * channels],
            weights[group * outputs : (group + 1) * outputs],
            attributes,
            clipped,
        )
        for group in range(groups)
    ]
    sums = np.concatenate(parts, axis=1)
    made = sums * (steps * GIVEN_STEP).reshape(-1, *[1] * (sums.ndim - 2))
    rounded = np.clip(np.round(made.astype(np.float32) / MADE_STEP) + MADE_ZERO, 0, 255)
    return (rounded - MADE_ZERO) * MADE_STEP


def convolve(integers: np.ndarray, weights: np.ndarray, attributes: dict[str, Any], clipped: bool) -> np.ndarray:
    kernel = weights.shape[2:]
    pad, stride = attributes.get("pads", [0])[0], attributes.get("strides", [1])[0]
    edged = np.pad(integers, [(0, 0), (0, 0), *[(pad, pad)] * len(kernel)], constant_values=ZERO)
    seen = np.lib.stride_tricks.sliding_window_view(edged, kernel, axis=tuple(range(2, 2 + len(kernel))))
    seen = seen[(slice(None), slice(None), *[slice(None, None, stride)] * len(kernel))]
    rank = len(kernel)
    places = np.moveaxis(seen, 1, -1)  # [batch, ..., kernel ..., channels]
    rows = places.reshape(*places.shape[: 1 + rank], -1)
    columns = np.moveaxis(weights, 1, -1).reshape(len(weights), -1).T
    return np.moveaxis(pairwise(rows, columns, clipped), -1, 1)


def pairwise(integers: np.ndarray, weights: np.ndarray, clipped: bool) -> np.ndarray:
    """Sums of `[..., n]` by `[n, outputs]`, two by two; each of them within 16 bits where `clipped`."""
    total = -ZERO * weights.astype(np.int64).sum(axis=0)
    for first in range(0, len(weights), 2):
        two = integers[..., first : first + 2] @ weights[first : first + 2].astype(np.int64)
        total = total + (np.clip(two, -(2**15), 2**15 - 1) if clipped else two)
    return total
