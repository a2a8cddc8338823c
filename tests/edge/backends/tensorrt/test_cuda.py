"""CUDA's calls: what they give, and that what goes wrong is raised in CUDA's own words."""

import sys
from typing import Any

import pytest

from edge.backends.tensorrt import cuda, device
from edge.errors import EngineError


@pytest.fixture
def without_gpu() -> Any:
    """The real cuda-python, and what it says of this machine."""
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-python is not installed")
    status, count = runtime.cudaGetDeviceCount()
    if not int(status) and count:
        pytest.skip("there is a GPU here")
    return runtime, status


def test_without_a_gpu_cudas_own_words_and_number_are_given(without_gpu) -> None:
    runtime, status = without_gpu
    words = runtime.cudaGetErrorString(status)[1].decode()
    with pytest.raises(EngineError) as refused:
        cuda.call(runtime.cudaGetDeviceCount)
    assert str(refused.value) == f"cudaGetDeviceCount: {words} (CUDA error {int(status)})"


def test_without_a_gpu_no_device_is_found_and_the_remedy_given(without_gpu) -> None:
    runtime, status = without_gpu
    with pytest.raises(EngineError) as refused:
        device.find()
    message = str(refused.value)
    assert message.startswith("no NVIDIA GPU can be used (cudaGetDeviceCount: ")
    assert runtime.cudaGetErrorString(status)[1].decode() in message
    assert message.endswith(
        f"(CUDA error {int(status)})); nvidia-smi must print a table; or take --backend onnxruntime"
    )


def test_what_cuda_python_raises_by_itself_is_no_other_error() -> None:
    def cudaGetDeviceCount() -> tuple[int, ...]:
        raise RuntimeError("Failed to dlopen libcuda.so.1")

    with pytest.raises(EngineError, match=r"^cudaGetDeviceCount: Failed to dlopen libcuda\.so\.1$"):
        cuda.call(cudaGetDeviceCount)


@pytest.mark.parametrize(("given", "value"), [((0,), None), ((0, 5), 5), ((0, None), None), ((0, 0), 0)])
def test_a_call_gives_what_stands_beside_its_status(given: tuple, value: object) -> None:
    assert cuda.call(lambda: given) == value


def test_arguments_are_handed_on() -> None:
    assert cuda.call(lambda *arguments: (0, arguments), 1, "a") == (1, "a")


def test_without_cuda_python_the_remedy_is_given(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(EngineError) as refused:
        device.find()
    message = str(refused.value)
    assert message.startswith("cuda-python 12.6 or later is not installed (")
    assert message.endswith(cuda.REMEDY)
    assert "take --backend onnxruntime" in message
