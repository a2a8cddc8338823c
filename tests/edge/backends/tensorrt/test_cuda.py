"""CUDA's calls, memory, streams and timer, the latter on a made GPU.

What calls return, and that errors are raised in CUDA's own words; who holds memory, what is copied, which rows are
refused; what counts on a stopwatch, when it can be read, and who destroys its events.
"""

import gc
import sys
from typing import Any

import numpy as np
import pytest

from edge.backends.tensorrt import cuda
from edge.backends.tensorrt.cuda import Buffer, Stopwatch, Stream
from edge.backends.tensorrt.platform import find_gpu
from edge.bundle.manifest import Tensor
from edge.errors import EngineError
from tests.edge.backends.tensorrt.made_cuda import COPY_MS, Cuda, Status

TOKENS = Tensor("tokens", "float32", ["batch", 3, 2])


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
        find_gpu()
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
        find_gpu()
    message = str(refused.value)
    assert message.startswith("cuda-python 12.6 or later is not installed (")
    assert message.endswith(cuda.REMEDY)
    assert "take --backend onnxruntime" in message


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    made = Cuda()
    monkeypatch.setattr(cuda, "runtime", lambda: made)
    return made


def test_rows_go_to_the_device_and_back(gpu: Cuda) -> None:
    buffer, stream = Buffer(TOKENS, 4), Stream()
    rows = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    buffer.fill("tokens", rows, 2)
    buffer.to_device(2, stream)
    stream.synchronize()
    buffer.host.fill(-1)
    buffer.to_host(2, stream)
    stream.synchronize()
    np.testing.assert_array_equal(buffer.host[:2], rows)
    assert (buffer.host[2:] == -1).all()


def test_memory_is_zero_at_first_and_freed_with_its_last_holder(gpu: Cuda) -> None:
    buffer = Buffer(TOKENS, 4)
    assert (buffer.host.shape, buffer.host.dtype, buffer.host.any()) == ((4, 3, 2), np.float32, False)
    view = buffer.host[:1]
    del buffer
    gc.collect()
    assert (len(gpu.device.blocks), len(gpu.host.blocks)) == (0, 1)
    del view
    gc.collect()
    assert gpu.host.blocks == {}


def test_a_stream_is_destroyed_with_its_last_holder(gpu: Cuda) -> None:
    stream = Stream()
    held = [stream]
    del stream
    gc.collect()
    assert len(gpu.streams) == 1
    held.clear()
    gc.collect()
    assert gpu.streams == {}


@pytest.mark.parametrize("call", ["cudaMalloc", "cudaMallocHost"])
def test_memory_that_is_full_is_named_and_what_was_taken_is_freed(gpu: Cuda, call: str) -> None:
    gpu.failing[call] = Status.NO_MEMORY
    with pytest.raises(EngineError, match=rf"^{call}: out of memory \(CUDA error 2\)$"):
        Buffer(TOKENS, 4)
    gc.collect()
    assert (gpu.device.blocks, gpu.host.blocks) == ({}, {})


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (None, "missing"),
        (np.zeros((1, 3, 2), np.float32), "float32 [1, 3, 2]"),
        (np.zeros((3, 3, 2), np.float32), "float32 [3, 3, 2]"),
        (np.zeros((2, 3, 1), np.float32), "float32 [2, 3, 1]"),
        (np.zeros((2, 6), np.float32), "float32 [2, 6]"),
        (np.zeros((2, 3, 2)), "float64 [2, 3, 2]"),
        (np.zeros((2, 3, 2), ">f4"), ">f4 [2, 3, 2]"),
    ],
)
def test_rows_that_are_none_of_the_tensors_are_named(gpu: Cuda, rows: np.ndarray | None, found: str) -> None:
    buffer = Buffer(TOKENS, 4)
    with pytest.raises(EngineError) as refused:
        buffer.fill("tokens", rows, 2)
    assert str(refused.value) == f"the input tokens is {found}, float32 [2, 3, 2] is expected"
    assert not buffer.host.any()


def test_the_work_between_start_and_stop_counts(gpu: Cuda) -> None:
    stopwatch, stream, buffer = Stopwatch(), Stream(), Buffer(Tensor("tokens", "float32", ["batch", 2]), 1)
    for copies in (3, 1):
        buffer.to_device(1, stream)
        stopwatch.start(stream)
        for _ in range(copies):
            buffer.to_device(1, stream)
        stopwatch.stop(stream)
        buffer.to_host(1, stream)
        stream.synchronize()
        assert stopwatch.elapsed_ms == copies * COPY_MS


def test_there_is_no_time_before_it_is_stopped(gpu: Cuda) -> None:
    stopwatch, stream = Stopwatch(), Stream()
    assert stopwatch.elapsed_ms is None
    for _ in range(2):
        stopwatch.start(stream)
        assert stopwatch.elapsed_ms is None
        stopwatch.stop(stream)
        with pytest.raises(EngineError, match=r"^cudaEventElapsedTime: device not ready \(CUDA error 600\)$"):
            _ = stopwatch.elapsed_ms
        stream.synchronize()
        assert stopwatch.elapsed_ms == 0


def test_what_is_captured_has_no_time(gpu: Cuda) -> None:
    stopwatch, stream = Stopwatch(), Stream()
    gpu.cudaStreamBeginCapture(stream.handle, gpu.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal)
    stopwatch.start(stream)
    stopwatch.stop(stream)
    gpu.cudaStreamEndCapture(stream.handle)
    with pytest.raises(EngineError, match="invalid resource handle"):
        _ = stopwatch.elapsed_ms


def test_its_events_are_destroyed_with_it(gpu: Cuda) -> None:
    stopwatch = Stopwatch()
    assert len(gpu.events) == 2
    del stopwatch
    gc.collect()
    assert gpu.events == []


def test_an_event_that_cannot_be_had_is_named(gpu: Cuda) -> None:
    gpu.failing["cudaEventCreate"] = Status.NO_MEMORY
    with pytest.raises(EngineError, match=r"^cudaEventCreate: out of memory \(CUDA error 2\)$"):
        Stopwatch()
    gc.collect()
    assert gpu.events == []
