"""From an fp32 graph to one with products in int8, for CPUs: quantised and dequantised around each (QDQ).

Weights are int8 of 7 bits, -64 to 64, a scale a channel; activations uint8. x86-64 without VNNI adds products of 8 bits
in pairs that end at 16, where 255 times 64 fits twice: the sums are exact on every processor. They are not with weights
of 8 bits, whatever the activations, for int8 ones become uint8 there. Ranges of activations are the extremes on real
inputs: percentiles and entropy brought no accuracy, and hold every tensor of a run in memory.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx_ir
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from edge.backends.base import Array

from .to_fp16 import EXACT_INPUTS, ancestors

COMPUTE_OPERATORS = {"Conv", "Gemm", "MatMul"}


class CalibrationReader(CalibrationDataReader):  # type: ignore[misc]
    """Inputs as ONNX Runtime's calibration asks for them."""

    def __init__(self, inputs: Iterable[Mapping[str, Array]]) -> None:
        self._inputs = iter(inputs)

    def get_next(self) -> Mapping[str, Array] | None:
        """The next inputs; None after the last."""
        return next(self._inputs, None)


def nodes_kept_fp32(graph: onnx_ir.Graph) -> set[onnx_ir.Node]:
    """The products that stay fp32: those that lead to a logarithm, and those of two activations.

    8 bits are too few for a power spectrum; and products of activations, as in attention, get no faster.
    """
    sensitive = ancestors(node for node in graph if node.op_type in EXACT_INPUTS)
    products = [node for node in graph if node.op_type in COMPUTE_OPERATORS]
    return {node for node in products if node in sensitive or not any(is_weight(value) for value in node.inputs)}


def is_weight(value: onnx_ir.Value | None) -> bool:
    """Whether a value is the same for all inputs."""
    return value is not None and value.is_initializer()


def quantise(path: Path, made: Path, inputs: Iterable[Mapping[str, Array]]) -> list[str]:
    """Write the graph at `path` in int8; the names of the products that are left in fp32, in the order of the graph."""
    graph = onnx_ir.load(path).graph
    chosen = nodes_kept_fp32(graph)
    kept = [node.name or "" for node in graph if node in chosen]
    with quiet_quantizer_logs():
        quantize_static(
            path,
            made,
            CalibrationReader(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=sorted(COMPUTE_OPERATORS),
            nodes_to_exclude=kept,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            # A matrix product needs no scale of its own output to be one of integers, as a convolution does.
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm", "MatMul"]},
        )
    return kept


@contextmanager
def quiet_quantizer_logs() -> Iterator[None]:
    """Hides ONNX Runtime's advice to preprocess models: these are optimised already."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)
