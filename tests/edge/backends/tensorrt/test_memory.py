"""Memory and streams on a made GPU: who holds them, what is copied, and which rows are refused."""

import gc

import numpy as np
import pytest

from edge.backends.tensorrt import cuda
from edge.backends.tensorrt.memory import Buffer, Stream
from edge.bundle.manifest import Tensor
from edge.errors import EngineError
from tests.edge.backends.tensorrt.made_cuda import Cuda, Status

TOKENS = Tensor("tokens", "float32", ["batch", 3, 2])


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
