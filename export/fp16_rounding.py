"""An fp16 graph as a GPU computes it, for a CPU: in fp32, every fp16 number rounded where it arises.

ONNX Runtime on the CPU has few operators in fp16. It computes the others in fp32 and leaves out the casts between them,
so that nothing is rounded and nothing overflows.
"""

import numpy as np
import onnx_ir
from onnx_ir import DataType

from .to_fp16 import append_cast


def emulate_fp16(model: onnx_ir.Model) -> None:
    """Bring the fp16 of a graph to fp32 in place, each value cast to fp16 and back."""
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
    """The same in fp32, made when it is written."""

    def made() -> onnx_ir.TensorProtocol:
        return onnx_ir.tensor(tensor.numpy().astype(np.float32), name=tensor.name)

    return onnx_ir.LazyTensor(made, DataType.FLOAT, tensor.shape, name=tensor.name)  # type: ignore[arg-type]
