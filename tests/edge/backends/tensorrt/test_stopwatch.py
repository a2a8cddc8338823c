"""A stopwatch on a made GPU: what counts, when it can be read, and who destroys its events."""

import gc

import pytest

from edge.backends.tensorrt import cuda
from edge.backends.tensorrt.memory import Buffer, Stream
from edge.backends.tensorrt.stopwatch import Stopwatch
from edge.bundle.manifest import Tensor
from edge.errors import EngineError
from tests.edge.backends.tensorrt.made_cuda import COPY_MS, Cuda, Status


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    made = Cuda()
    monkeypatch.setattr(cuda, "runtime", lambda: made)
    return made


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
