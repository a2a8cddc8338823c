"""Whether a loaded engine takes and gives what the manifest says."""

from typing import Any

import numpy as np

from ...bundle.manifest import GraphEntry, GraphName, Tensor
from ...errors import EngineError


def check_tensors(trt: Any, engine: Any, graph: GraphName, entry: GraphEntry) -> None:
    """EngineError unless the engine's tensors and largest batch are those of the manifest."""
    sides = {trt.TensorIOMode.INPUT: set[Any](), trt.TensorIOMode.OUTPUT: set[Any]()}
    for i in range(engine.num_io_tensors):
        name = engine.get_tensor_name(i)
        dtype = dtype_name(trt, engine.get_tensor_dtype(name))
        sides[engine.get_tensor_mode(name)].add((name, dtype, tuple(engine.get_tensor_shape(name))))
    for mode, tensors in ((trt.TensorIOMode.INPUT, entry.inputs), (trt.TensorIOMode.OUTPUT, entry.outputs)):
        expected = {(tensor.name, tensor.dtype, sizes(tensor)) for tensor in tensors}
        if sides[mode] != expected:
            raise EngineError(f"the engine of {graph} has {sides[mode]}, the manifest says {expected}")
    for tensor in entry.inputs:
        largest = next(iter(engine.get_tensor_profile_shape(tensor.name, 0)[-1]))
        if largest != entry.batch.largest:
            raise EngineError(f"the engine of {graph} takes {largest} rows, the manifest says {entry.batch.largest}")


def dtype_name(trt: Any, dtype: Any) -> str:
    """As the manifest has it; TensorRT's own word for a type that numpy does not know."""
    try:
        return str(np.dtype(trt.nptype(dtype)).name)
    except TypeError:
        return str(dtype)


def sizes(tensor: Tensor) -> tuple[int, ...]:
    """A tensor's shape as TensorRT has it: -1 for what varies."""
    return tuple(size if isinstance(size, int) else -1 for size in tensor.shape)
