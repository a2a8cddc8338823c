"""A made TensorRT on the made GPU: an engine is the graph itself, which ONNX Runtime runs on device addresses.

Both flavours: `tensorrt` with its timing cache, and one like TensorRT-RTX, with runtime settings and kernels. Each
class has the names of TensorRT's own, and no others but private ones.
"""

import ctypes
import enum
import functools
import json
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from edge.backends.tensorrt import cuda
from tests.edge.backends.tensorrt.made_cuda import ALIGNED, Cuda, IllegalAddress

MAGIC = b"made engine "
TIMINGS = b"made timings"
SCRATCH = 4096
RUN_MS = 2.0
"""What each run of an engine takes."""
DataType = enum.Enum("DataType", ["UINT8", "BOOL", "INT64", "FLOAT", "BF16"])
NUMPY = {DataType.UINT8: np.uint8, DataType.BOOL: np.bool_, DataType.INT64: np.int64, DataType.FLOAT: np.float32}
ORT = {
    "tensor(uint8)": DataType.UINT8,
    "tensor(bool)": DataType.BOOL,
    "tensor(int64)": DataType.INT64,
    "tensor(float)": DataType.FLOAT,
}
TensorIOMode = enum.Enum("TensorIOMode", ["NONE", "INPUT", "OUTPUT"])
Strategy = enum.Enum("ExecutionContextAllocationStrategy", ["STATIC", "ON_PROFILE_CHANGE", "USER_MANAGED"])
Specialization = enum.Enum("DynamicShapesKernelSpecializationStrategy", ["LAZY", "EAGER", "NONE"])
GraphStrategy = enum.Enum("CudaGraphStrategy", ["DISABLED", "WHOLE_GRAPH_CAPTURE"])
Capability = enum.IntEnum("ComputeCapability", {"SM86": 86})
Flag = enum.IntEnum("BuilderFlag", {"TF32": 7})
CreationFlag = enum.IntEnum("NetworkDefinitionCreationFlag", {"STRONGLY_TYPED": 1})


def nptype(trt_type: DataType) -> type:
    if trt_type not in NUMPY:
        raise TypeError("Could not resolve TensorRT datatype to an equivalent numpy datatype.")
    return NUMPY[trt_type]


@functools.cache
def session(model: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class ILogger:
    Severity = enum.Enum("Severity", ["INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE"])


class IProgressMonitor:
    pass


class RuntimeCache:
    def __init__(self) -> None:
        self._kernels: set[str] = set()

    def deserialize(self, blob: bytes) -> bool:
        try:
            self._kernels = set(json.loads(blob))
        except ValueError:
            return False
        return True

    def serialize(self) -> bytes:
        return json.dumps(sorted(self._kernels)).encode()


class RuntimeConfig:
    def __init__(self) -> None:
        self.cuda_graph_strategy = GraphStrategy.DISABLED
        self.dynamic_shapes_kernel_specialization_strategy = Specialization.LAZY
        self._allocation, self._cache = Strategy.STATIC, RuntimeCache()

    def create_runtime_cache(self) -> RuntimeCache:
        return RuntimeCache()

    def set_runtime_cache(self, made: RuntimeCache) -> bool:
        self._cache = made
        return True

    def set_execution_context_allocation_strategy(self, strategy: Strategy) -> None:
        self._allocation = strategy


class Engine:
    def __init__(self, gpu: Cuda, logger: ILogger, content: bytes) -> None:
        self._gpu, self._logger = gpu, logger
        profile, self._model = content.removeprefix(MAGIC).split(b"\n", 1)
        self._profile = json.loads(profile)
        self._session = session(self._model)
        sides = [(TensorIOMode.INPUT, self._session.get_inputs()), (TensorIOMode.OUTPUT, self._session.get_outputs())]
        self._tensors = {tensor.name: (mode, tensor) for mode, tensors in sides for tensor in tensors}
        self.num_io_tensors = len(self._tensors)
        self.device_memory_size_v2 = SCRATCH

    def get_tensor_name(self, index: int) -> str:
        return list(self._tensors)[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return self._tensors[name][0]

    def get_tensor_dtype(self, name: str) -> DataType:
        return ORT[self._tensors[name][1].type]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(size if isinstance(size, int) else -1 for size in self._tensors[name][1].shape)

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        return [tuple(shape) for shape in self._profile[name]]

    def create_runtime_config(self) -> RuntimeConfig:
        return RuntimeConfig()

    def create_execution_context(self, how: Strategy | RuntimeConfig) -> "Context":
        return Context(self._gpu, self, how)


class Context:
    def __init__(self, gpu: Cuda, engine: Engine, how: Strategy | RuntimeConfig) -> None:
        assert (how._allocation if isinstance(how, RuntimeConfig) else how) is Strategy.USER_MANAGED
        self._gpu, self._engine, self._how = gpu, engine, how
        self._addresses: dict[str, int] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._scratch = 0
        self._has_run = False

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._addresses[name] = memory
        return name in self._engine._tensors

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        least, _, most = self._engine.get_tensor_profile_shape(name, 0)
        self._shapes[name], self._has_run = shape, False
        return all(low <= size <= high for low, size, high in zip(least, shape, most, strict=True))

    def set_device_memory(self, memory: int, size: int) -> None:
        assert memory % ALIGNED == 0
        assert size >= SCRATCH
        self._scratch = memory

    def execute_async_v3(self, stream_handle: int) -> bool:
        stream, rows = self._gpu.streams[stream_handle], next(iter(self._shapes.values()))[0]
        if stream.recorded is not None and not (self._has_run and self._gpu.capturable):
            stream.spoilt = True  # as where a kernel is loaded, which the first run of a shape does
            return False
        if self._gpu.last:  # it looks, and takes what others left behind for its own
            self._engine._logger.log(ILogger.Severity.ERROR, f"Cuda Runtime ({self._gpu.cudaGetLastError()[0].name})")
            return False
        if isinstance(self._how, RuntimeConfig) and str(rows) not in self._how._cache._kernels:
            self._how._cache._kernels.add(str(rows))
            self._gpu.calls["kernels made"] += 1
        self._has_run = True
        stream.enqueue(functools.partial(self._run, dict(self._addresses), dict(self._shapes)))
        return True

    def _run(self, addresses: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
        if not self._gpu.device.holds(self._scratch, SCRATCH):
            raise IllegalAddress
        self._gpu.now_ms += RUN_MS
        inputs = {
            name: np.frombuffer(self._at(addresses[name], shape, dtype := self._dtype(name)), dtype).reshape(shape)
            for name, shape in shapes.items()
        }
        names = [name for name, (mode, _) in self._engine._tensors.items() if mode is TensorIOMode.OUTPUT]
        for name, output in zip(names, self._engine._session.run(names, inputs), strict=True):
            self._at(addresses[name], output.shape, output.dtype)[:] = output.tobytes()

    def _dtype(self, name: str) -> Any:
        return np.dtype(NUMPY[self._engine.get_tensor_dtype(name)])

    def _at(self, address: int, shape: tuple[int, ...], dtype: Any) -> Any:
        size = math.prod(shape) * dtype.itemsize
        if not self._gpu.device.holds(address, size):
            raise IllegalAddress
        return (ctypes.c_ubyte * size).from_address(address)


class Runtime:
    def __init__(self, gpu: Cuda, logger: ILogger) -> None:
        self._gpu, self._logger = gpu, logger

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> Engine | None:
        if serialized_engine.startswith(MAGIC):
            return Engine(self._gpu, self._logger, serialized_engine)
        self._logger.log(ILogger.Severity.ERROR, "Serialization assertion failed: made version tag")
        return None


class Network:
    _model = b""


class Profile:
    def __init__(self) -> None:
        self._shapes: dict[str, tuple[tuple[int, ...], ...]] = {}

    def set_shape(self, input: str, min: tuple[int, ...], opt: tuple[int, ...], max: tuple[int, ...]) -> None:
        self._shapes[input] = (min, opt, max)


class OnnxParser:
    num_errors = 0

    def __init__(self, network: Network, logger: ILogger) -> None:
        self._network = network

    def parse_from_file(self, model: str) -> bool:
        self._network._model = Path(model).read_bytes()
        return True


class TimingCache:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def serialize(self) -> bytes:
        return self._content


class BuilderConfig:
    def __init__(self) -> None:
        self.progress_monitor: Any = None
        self.num_compute_capabilities = 0
        self._profile, self._timings = Profile(), TimingCache(b"")
        self.flags = {Flag.TF32}

    def clear_flag(self, flag: Flag) -> None:
        self.flags.discard(flag)

    def set_compute_capability(self, capability: Capability, index: int) -> bool:
        return index < self.num_compute_capabilities

    def add_optimization_profile(self, profile: Profile) -> int:
        self._profile = profile
        return 0

    def create_timing_cache(self, serialized_timing_cache: bytes) -> TimingCache:
        return TimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
        self._timings = cache
        return True

    def get_timing_cache(self) -> TimingCache:
        return self._timings


class Builder:
    def __init__(self, gpu: Cuda, logger: ILogger) -> None:
        self._gpu = gpu

    def create_network(self, flags: int) -> Network:
        assert flags == 1 << CreationFlag.STRONGLY_TYPED
        return Network()

    def create_builder_config(self) -> BuilderConfig:
        return BuilderConfig()

    def create_optimization_profile(self) -> Profile:
        return Profile()

    def build_serialized_network(self, network: Network, config: BuilderConfig) -> bytes | None:
        config.progress_monitor.phase_start("Building engine", None, 1)
        goes_on = config.progress_monitor.step_complete("Building engine", 0)
        config.progress_monitor.phase_finish("Building engine")
        self._gpu.calls["timed afresh" if not config._timings.serialize() else "timed before"] += 1
        config._timings = TimingCache(TIMINGS)
        return MAGIC + json.dumps(config._profile._shapes).encode() + b"\n" + network._model if goes_on else None


def installed(monkeypatch: pytest.MonkeyPatch, *, rtx: bool = False, version: str = "10.3.0") -> Cuda:
    """The only TensorRT and the only GPU that the program sees from now on."""
    gpu = Cuda()
    module = ModuleType("tensorrt_rtx" if rtx else "tensorrt")
    module.__dict__.update(
        __version__=version,
        ILogger=ILogger,
        IProgressMonitor=IProgressMonitor,
        OnnxParser=OnnxParser,
        BuilderFlag=Flag,
        ComputeCapability=Capability,
        TensorIOMode=TensorIOMode,
        ExecutionContextAllocationStrategy=Strategy,
        CudaGraphStrategy=GraphStrategy,
        DynamicShapesKernelSpecializationStrategy=Specialization,
        NetworkDefinitionCreationFlag=CreationFlag,
        nptype=nptype,
        Runtime=functools.partial(Runtime, gpu),
        Builder=functools.partial(Builder, gpu),
    )
    for name in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, name, module if name == module.__name__ else None)
    monkeypatch.setattr(cuda, "runtime", lambda: gpu)
    return gpu
