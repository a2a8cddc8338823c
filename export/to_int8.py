"""Quantisation of an fp32 graph to int8 products for CPUs, in the QDQ format (QuantizeLinear, DequantizeLinear).

Weights are int8 of 7 bits, -64 to 64, with one scale a channel; activations are uint8. x86-64 without VNNI adds 8-bit
products in pairs of 16 bits, which hold 255 times 64 twice: the sums are exact on every processor. With weights of
8 bits they are not, even for int8 activations, which are converted to uint8 there. Ranges of activations are the
extremes on real inputs: percentiles and entropy gained no accuracy and keep every tensor of a run in memory.
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
"""Products, which are quantised."""
REMOVABLE_OPERATORS = {"Relu"}
"""Operators that fall away: the range of the product before them begins at zero, by which what is below is cut off."""


class CalibrationReader(CalibrationDataReader):  # type: ignore[misc]
    """Reader that hands inputs to ONNX Runtime's calibration."""

    def __init__(self, inputs: Iterable[Mapping[str, Array]]) -> None:
        self._inputs = iter(inputs)

    def get_next(self) -> Mapping[str, Array] | None:
        """Return the next inputs; None after the last."""
        return next(self._inputs, None)


def nodes_kept_fp32(graph: onnx_ir.Graph) -> set[onnx_ir.Node]:
    """Return the products that stay fp32: those that lead to a logarithm, and those of two activations.

    8 bits are too few for a power spectrum, and products of activations, as in attention, get no faster.
    """
    sensitive = ancestors(node for node in graph if node.op_type in EXACT_INPUTS)
    products = [node for node in graph if node.op_type in COMPUTE_OPERATORS]
    return {node for node in products if node in sensitive or not any(is_weight(value) for value in node.inputs)}


def is_weight(value: onnx_ir.Value | None) -> bool:
    """Return whether a value is a weight, the same for all inputs."""
    return value is not None and value.is_initializer()


def quantise(path: Path, made: Path, inputs: Iterable[Mapping[str, Array]]) -> list[str]:
    """Write the graph at `path` in int8; return the names of the products left in fp32, in the order of the graph."""
    graph = onnx_ir.load(path).graph
    chosen = nodes_kept_fp32(graph)
    kept = [node.name or "" for node in graph if node in chosen]
    with quiet_quantizer_logs():
        quantize_static(
            path,
            made,
            CalibrationReader(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=sorted(COMPUTE_OPERATORS | REMOVABLE_OPERATORS),
            nodes_to_exclude=kept,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            # Unlike a convolution, a matrix product of integers needs no scale of its output.
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm", "MatMul"]},
        )
    return kept


@contextmanager
def quiet_quantizer_logs() -> Iterator[None]:
    """Hide ONNX Runtime's advice to preprocess models: these are optimised already."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)
