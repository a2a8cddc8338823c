"""Backend of ONNX Runtime's CUDA provider: any NVIDIA GPU that its build knows, data-centre cards among them."""

from ...bundle.load import Bundle
from ...bundle.manifest import GraphEntry, GraphName
from ..onnxruntime import VERSION
from ..tensorrt.platform import Device
from .backend import BoundBackend, ProviderFor, check_precision, open_on_gpu
from .package import check_gpu, check_package, load_libraries
from .session import Provider

PROVIDER = "CUDAExecutionProvider"


def probe(bundle: Bundle) -> str:
    """Return which ONNX Runtime and GPU are here; EngineError says what is missing, or that the bundle is for CPUs."""
    check_precision(bundle)
    return f"ONNX Runtime {VERSION} for CUDA and {find_device().name} are here"


def open_backend(bundle: Bundle, _threads: int, _engine_builder: object) -> BoundBackend:
    """Load the bundle's graphs on the GPU; EngineError where one cannot be run there whole."""
    check_precision(bundle)
    device = find_device()
    name = f"cuda-ort-{VERSION} {device.architecture}"
    return open_on_gpu(bundle, name, f"{device.name}, driver {device.driver}", provider_for)


def find_device() -> Device:
    """Return the GPU, with what CUDA's provider needs loaded; EngineError says what is missing."""
    check_package(PROVIDER)
    device = check_gpu()
    load_libraries()
    return device


def provider_for(stream: int) -> ProviderFor:
    """Return a function that gives every graph CUDA's provider, working on the stream of this address."""
    options = {
        "device_id": "0",
        "user_compute_stream": str(stream),
        "use_tf32": "0",  # fp32 computes what PyTorch computed
        "arena_extend_strategy": "kSameAsRequested",
    }

    def make(_graph: GraphName, _entry: GraphEntry) -> Provider:
        return Provider(PROVIDER, "cuda", options, {"enable_cuda_graph": "1"})

    return make
