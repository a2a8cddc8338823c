"""Emulation of a GPU's fp16 on a CPU: the graph in fp32, each fp16 value rounded where it is computed.

ONNX Runtime on the CPU has few operators in fp16. It computes the others in fp32 and removes the casts between them,
so that without this emulation nothing is rounded and nothing overflows.
"""

import numpy as np
import onnx_ir
from onnx_ir import DataType

from .to_fp16 import append_cast


def emulate_fp16(model: onnx_ir.Model) -> None:
    """Convert the fp16 values of a graph to fp32 in place, each cast to fp16 and back."""
    graph = model.graph
    for value in graph.initializers.values():
        if value.dtype == DataType.FLOAT16:
            assert value.const_value is not None, "an initialiser"
            value.const_value, value.dtype = fp32_tensor(value.const_value), DataType.FLOAT
    for node in list(graph):
        for value in node.outputs:
            if value.dtype == DataType.FLOAT16:
                takers = list(value.uses())
                narrow = value
                if node.op_type not in ("Cast", "ConstantOfShape"):
                    value.dtype = DataType.FLOAT
                    narrow = append_cast(graph, value, DataType.FLOAT16, f"{value.name}_narrow")
                wide = append_cast(graph, narrow, DataType.FLOAT, f"{value.name}_wide")
                for taker, index in takers:
                    taker.replace_input_with(index, wide)
    graph.sort()


def fp32_tensor(tensor: onnx_ir.TensorProtocol) -> onnx_ir.LazyTensor:
    """Return the tensor in fp32, converted when it is written."""

    def made() -> onnx_ir.TensorProtocol:
        return onnx_ir.tensor(tensor.numpy().astype(np.float32), name=tensor.name)

    return onnx_ir.LazyTensor(made, DataType.FLOAT, tensor.shape, name=tensor.name)  # type: ignore[arg-type]
