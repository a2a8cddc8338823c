"""ONNX Runtime on the CPU: the embedded default."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..bundle import Bundle, GraphEntry, Tensor
from ..errors import BundleError
from .base import Array

# ONNX Runtime reports its use over the network unless told not to before it is imported; two versions, two names
os.environ["ORT_DISABLE_TELEMETRY"] = os.environ["ORT_TELEMETRY_DISABLED"] = "1"
import onnxruntime as ort

DTYPES = {"tensor(uint8)": "uint8", "tensor(bool)": "bool", "tensor(int64)": "int64", "tensor(float)": "float32"}


class OrtGraph:
    """One graph in its own session."""

    def __init__(self, bundle: Bundle, entry: GraphEntry, options: ort.SessionOptions) -> None:
        path = bundle.path(entry.file)
        self._session = open_session(path, options)
        check_tensors(str(path), "inputs", entry.inputs, self._session.get_inputs())
        check_tensors(str(path), "outputs", entry.outputs, self._session.get_outputs())
        self._outputs = [tensor.name for tensor in entry.outputs]

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Named inputs -> named outputs."""
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(inputs)), strict=True))


class OrtBackend:
    """The three graphs on the CPU, each using `threads` cores (0: all)."""

    name = "onnxruntime-cpu"

    def __init__(self, bundle: Bundle, threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graphs = bundle.manifest.graphs
        self.image_encoder = OrtGraph(bundle, graphs.image_encoder, options)
        self.audio_encoder = OrtGraph(bundle, graphs.audio_encoder, options)
        self.fusion = OrtGraph(bundle, graphs.fusion, options)


def open_session(path: Path, options: ort.SessionOptions | None = None) -> ort.InferenceSession:
    """A graph's session on the CPU; BundleError where ONNX Runtime refuses the file."""
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise BundleError(f"{path} does not load in ONNX Runtime {ort.__version__}: {error}") from error


def check_tensors(path: str, side: str, expected: list[Tensor], found: list[ort.NodeArg]) -> None:
    """BundleError unless the graph's own tensors are those of the manifest."""
    wanted = [(tensor.name, tensor.dtype, sizes(tensor.shape)) for tensor in expected]
    has = [(tensor.name, DTYPES.get(tensor.type, tensor.type), sizes(tensor.shape)) for tensor in found]
    if wanted != has:
        raise BundleError(f"{path} has {side} {has}, the manifest says {wanted}; export the checkpoint again")


def sizes(shape: Sequence[int | str | None]) -> list[int | str]:
    """A shape whose varying dimensions all read `*`, as their names may differ."""
    return [size if isinstance(size, int) else "*" for size in shape]
