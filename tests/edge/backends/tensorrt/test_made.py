"""The made GPU and TensorRT have no names that the real ones lack."""

import pytest

from tests.edge.backends.tensorrt import made_tensorrt
from tests.edge.backends.tensorrt.made_cuda import Cuda

OWN = {"calls", "capturable", "device", "events", "failing", "graphs", "host", "last", "now_ms", "streams"}
REAL_NAMES = {
    "Engine": "ICudaEngine",
    "Context": "IExecutionContext",
    "RuntimeConfig": "IRuntimeConfig",
    "RuntimeCache": "IRuntimeCache",
    "Runtime": "Runtime",
    "Builder": "Builder",
    "BuilderConfig": "IBuilderConfig",
    "Profile": "IOptimizationProfile",
    "Network": "INetworkDefinition",
    "OnnxParser": "OnnxParser",
    "TimingCache": "ITimingCache",
    "ILogger": "ILogger",
    "IProgressMonitor": "IProgressMonitor",
}
REAL_ENUMS = {
    "TensorIOMode": "TensorIOMode",
    "Strategy": "ExecutionContextAllocationStrategy",
    "Specialization": "DynamicShapesKernelSpecializationStrategy",
    "GraphStrategy": "CudaGraphStrategy",
    "CreationFlag": "NetworkDefinitionCreationFlag",
    "DataType": "DataType",
    "Capability": "ComputeCapability",
    "Flag": "BuilderFlag",
}


def public(names: object) -> set[str]:
    return {name for name in vars(names) if not name.startswith("_")}


@pytest.mark.parametrize(("made", "real"), REAL_NAMES.items())
def test_each_class_has_real_names_only(made: str, real: str) -> None:
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    assert public(getattr(made_tensorrt, made)) <= set(dir(getattr(trt, real)))


@pytest.mark.parametrize(("made", "real"), REAL_ENUMS.items())
def test_each_enumeration_has_real_members_only(made: str, real: str) -> None:
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    assert set(getattr(made_tensorrt, made).__members__) <= set(getattr(trt, real).__members__)


def test_types_that_numpy_lacks_are_refused_as_by_the_real_one() -> None:
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    for made in made_tensorrt.NUMPY:
        assert trt.nptype(getattr(trt.DataType, made.name)) is made_tensorrt.nptype(made)
    for nptype, type_ in ((trt.nptype, trt.DataType.BF16), (made_tensorrt.nptype, made_tensorrt.DataType.BF16)):
        with pytest.raises(TypeError, match="Could not resolve TensorRT datatype"):
            nptype(type_)


def test_cuda_has_real_names_only() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-python is not installed")
    assert public(Cuda) | public(Cuda()) - OWN <= set(dir(runtime))


def test_cudas_enumerations_have_real_members_only() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-python is not installed")
    for enumeration in (Cuda.cudaMemcpyKind, Cuda.cudaStreamCaptureMode):
        real = getattr(runtime, enumeration.__name__)
        assert {member.name: member.value for member in enumeration}.items() <= {
            member.name: member.value for member in real
        }.items()
