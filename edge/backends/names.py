"""Names of the backends, as options and settings give them; importing them loads no backend."""

from typing import Literal

Wanted = Literal["auto", "onnxruntime", "tensorrt"]
"""`auto` takes TensorRT where it and an NVIDIA GPU are present, ONNX Runtime on the CPU elsewhere."""
