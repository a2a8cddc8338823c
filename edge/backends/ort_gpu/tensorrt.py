"""Backend of ONNX Runtime's TensorRT provider, to compare it with the engines that this program builds by itself.

It needs TensorRT 10 beside ONNX Runtime, and builds engines at the first start, which it keeps beside the bundle.
"""

import os
from pathlib import Path

from ...bundle.load import Bundle
from ...bundle.manifest import GraphEntry, GraphName, Tensor
from ...errors import EngineError
from ..onnxruntime import VERSION
from ..tensorrt import cache
from ..tensorrt.platform import Device, TensorRTVariant, find_tensorrt
from .backend import BoundBackend, ProviderFor, check_precision, open_on_gpu
from .package import check_gpu, check_package, load_libraries
from .session import Provider

PROVIDER = "TensorrtExecutionProvider"
LIBRARIES = ("libnvinfer.so.10", "libnvonnxparser.so.10")
"""Libraries of the TensorRT that ONNX Runtime is built for; Python's package loads them from its wheels."""
TF32 = "NVIDIA_TF32_OVERRIDE"
"""Variable of NVIDIA's libraries, the one way to tell this provider that fp32 means fp32."""


def probe(bundle: Bundle) -> str:
    """Return which ONNX Runtime, TensorRT and GPU are here; EngineError says what is missing."""
    check_precision(bundle)
    variant, device = find_device()
    return f"ONNX Runtime {VERSION}, TensorRT {variant.version} and {device.name} are here"


def open_backend(bundle: Bundle, _threads: int, _engine_builder: object) -> BoundBackend:
    """Load the bundle's graphs on the GPU, whose engines are built at the first start.

    EngineError where one cannot be run there whole.
    """
    check_precision(bundle)
    os.environ.setdefault(TF32, "0")
    variant, device = find_device()
    about = f"{device.name}, TensorRT {variant.version}, driver {device.driver}"
    folder = cache.roots(bundle)[0] / folder_name(bundle, variant, device)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"engines cannot be kept in {folder} ({error}); make it writable") from error
    return open_on_gpu(
        bundle, f"ort-tensorrt-{VERSION} {device.architecture}", about, lambda stream: provider_for(stream, folder)
    )


def find_device() -> tuple[TensorRTVariant, Device]:
    """Return TensorRT and the GPU, with what the provider needs loaded; EngineError says what is missing."""
    check_package(PROVIDER)
    device = check_gpu()
    variant = find_tensorrt("tensorrt")
    load_libraries(*LIBRARIES)
    return variant, device


def folder_name(bundle: Bundle, variant: TensorRTVariant, device: Device) -> str:
    """Return the name of the folder of a bundle's engines: ONNX Runtime's files' names tell no weights or versions."""
    graphs = " ".join(file.sha256[:8] for entry in bundle.manifest.graphs.by_name().values() for file in entry.files)
    gpu = f"{device.name} {device.architecture} driver {device.driver}"
    return cache.slug(f"{gpu} ort {VERSION} tensorrt {variant.version} {graphs}")


def provider_for(stream: int, folder: Path) -> ProviderFor:
    """Return a function that gives a graph TensorRT's provider, working on a stream and keeping engines in a folder."""

    def make(graph: GraphName, entry: GraphEntry) -> Provider:
        batch = entry.batch
        profiles = {"min": 1, "opt": batch.usual, "max": batch.largest}
        return Provider(
            PROVIDER,
            "cuda",
            {
                "device_id": "0",
                "user_compute_stream": str(stream),
                "trt_fp16_enable": str(int(entry.precision == "fp16")),
                "trt_engine_cache_enable": "1",
                "trt_engine_cache_path": str(folder),
                "trt_engine_cache_prefix": graph,
                "trt_timing_cache_enable": "1",
                "trt_timing_cache_path": str(folder),
                **{
                    f"trt_profile_{which}_shapes": ",".join(profile_shape(tensor, rows) for tensor in entry.inputs)
                    for which, rows in profiles.items()
                },
            },
        )

    return make


def profile_shape(tensor: Tensor, rows: int) -> str:
    """Return the shape of a tensor for a number of rows as the provider's options have it: `frames:4x64x64x3`."""
    return f"{tensor.name}:{'x'.join(str(size) for size in (rows, *tensor.shape[1:]))}"
