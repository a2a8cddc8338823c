"""TensorRT-RTX's settings, and its kernels between starts, on a made engine."""

import json
import logging
from pathlib import Path

import pytest

from edge.backends.tensorrt.kernels import Kernels
from tests.edge.backends.tensorrt import made_tensorrt
from tests.edge.backends.tensorrt.made_tensorrt import GraphStrategy, RuntimeConfig, Specialization


class Trt:
    CudaGraphStrategy = GraphStrategy
    DynamicShapesKernelSpecializationStrategy = Specialization


class Engine:
    create_runtime_config = RuntimeConfig


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fusion.kernels"


def test_tensorrt_rtx_captures_by_itself_and_makes_kernels_at_once(file: Path) -> None:
    settings = Kernels(Trt, Engine(), file).settings
    assert settings.cuda_graph_strategy is GraphStrategy.WHOLE_GRAPH_CAPTURE
    assert settings.dynamic_shapes_kernel_specialization_strategy is Specialization.EAGER


def test_kernels_are_there_at_the_next_start(file: Path, caplog) -> None:
    first = Kernels(Trt, Engine(), file)
    first.settings._cache._kernels |= {"1", "8"}
    assert not file.exists()
    first.keep()
    assert json.loads(file.read_bytes()) == ["1", "8"]
    with caplog.at_level(logging.INFO, "edge.backends.tensorrt.kernels"):
        assert Kernels(Trt, Engine(), file).settings._cache._kernels == {"1", "8"}
    assert caplog.messages == []


@pytest.mark.parametrize("content", [b"foreign", b"\0" * 9])
def test_kernels_that_do_not_fit_are_made_again_and_that_is_said(file: Path, caplog, content: bytes) -> None:
    file.write_bytes(content)
    with caplog.at_level(logging.INFO, "edge.backends.tensorrt.kernels"):
        kernels = Kernels(Trt, Engine(), file)
    assert kernels.settings._cache._kernels == set()
    assert caplog.messages == [f"{file} does not fit this device or driver; its kernels are made again"]
    kernels.keep()
    assert made_tensorrt.RuntimeCache().deserialize(file.read_bytes())
