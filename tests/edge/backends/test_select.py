"""Which backend is chosen, and that none is put in another's place without a word."""

import logging
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.backends import nvidia, select
from edge.backends.base import Backend
from edge.backends.onnxruntime import VERSION, OrtBackend
from edge.backends.ort_gpu import cuda as ort_cuda
from edge.backends.ort_gpu.backend import BoundBackend
from edge.backends.proof import Proof, prove
from edge.backends.select import open_backend
from edge.backends.tensorrt import backend as tensorrt
from edge.backends.tensorrt import cuda
from edge.backends.tensorrt.backend import TensorRTBackend
from edge.backends.tensorrt.builder import Target
from edge.backends.tensorrt.platform import Device, find_tensorrt
from edge.bundle.load import SHIPPED, Bundle, load
from edge.bundle.manifest import DAMAGED_REMEDY
from edge.errors import BundleError, EngineError
from tests.edge.backends.ort_gpu.made_memory import CPU, HostMemory
from tests.edge.backends.tensorrt import made_engines as made
from tests.edge.backends.tensorrt import made_tensorrt
from tests.edge.backends.tensorrt.made_cuda import Status

BUILDER = made.engine_builder([])
OFF = [Proof("image_encoder", 0.0, 1.0), Proof("fusion", 3.0, 1.0)]
"""What is said of a backend that computes something else."""


@pytest.fixture
def copied(tmp_path: Path) -> Bundle:
    return load(Path(shutil.copytree(SHIPPED, tmp_path / "copied")))


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that shows an NVIDIA GPU."""
    monkeypatch.setattr(nvidia, "absence", lambda: None)


@pytest.fixture(autouse=True)
def proven(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The backends that ran the golden vectors; what they made of them is good."""
    backends: list[object] = []

    def prove(_: Bundle, backend: Backend) -> list[Proof]:
        backends.append(backend)
        return [Proof("fusion", 0.0, 1.0)]

    monkeypatch.setattr(select, "prove", prove)
    return backends


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise EngineError("no NVIDIA GPU can be used (made)", "take another")

    made_tensorrt.installed(monkeypatch)
    monkeypatch.setattr(tensorrt, "find_gpu", refuse)
    monkeypatch.setattr(ort_cuda, "find_device", refuse)


def test_auto_without_a_gpu_is_onnx_runtime_and_says_why(no_gpu, copied, caplog) -> None:
    backend, reason, *_ = open_backend(copied, "auto", 1, BUILDER)
    assert isinstance(backend, OrtBackend)
    assert reason == "no NVIDIA GPU can be used (made)"
    assert not caplog.records


def test_on_a_machine_that_shows_none_no_library_of_nvidias_is_asked(monkeypatch, copied, caplog) -> None:
    gpu = made_tensorrt.installed(monkeypatch)
    monkeypatch.setattr(nvidia, "absence", lambda: "this machine shows no NVIDIA GPU")
    backend, reason, *_ = open_backend(copied, "auto", 1, BUILDER)
    assert isinstance(backend, OrtBackend)
    assert reason == "this machine shows no NVIDIA GPU"
    assert not gpu.calls
    assert not caplog.records


def test_auto_without_tensorrt_is_cuda_where_a_gpu_and_its_package_are(monkeypatch, copied, proven, caplog) -> None:
    """ONNX Runtime's own CPU provider computes in the GPU's place."""

    def on_cpu(bundle: Bundle, name: str, about: str, _provider_for: object) -> BoundBackend:
        return BoundBackend(bundle, name, about, lambda *_: CPU, HostMemory())

    made_tensorrt.installed(monkeypatch, version="8.6.2")
    monkeypatch.setattr(ort_cuda, "find_device", lambda: Device("Made GPU 3000 16 SM", "9.0", "580"))
    monkeypatch.setattr(ort_cuda, "open_on_gpu", on_cpu)
    backend, reason, *_ = open_backend(copied, "auto", 1, BUILDER)
    assert backend.name == f"cuda-ort-{VERSION} sm90"
    assert reason == f"ONNX Runtime {VERSION} for CUDA and Made GPU 3000 16 SM are here"
    assert proven == [backend]
    assert not caplog.records


def test_auto_goes_on_to_the_cpu_where_cuda_fails_and_warns(monkeypatch, copied, caplog) -> None:
    def fail(*_: object) -> BoundBackend:
        raise EngineError("fusion.onnx failed", "is the GPU's memory full?")

    made_tensorrt.installed(monkeypatch, version="8.6.2")
    monkeypatch.setattr(ort_cuda, "find_device", lambda: Device("Made GPU 3000 16 SM", "9.0", "580"))
    monkeypatch.setattr(ort_cuda, "open_on_gpu", fail)
    backend, reason, *_ = open_backend(copied, "auto", 1, BUILDER)
    assert isinstance(backend, OrtBackend)
    assert reason.endswith("; ONNX Runtime on CUDA cannot be used")
    (warning,) = caplog.messages
    assert (
        "are here, but ONNX Runtime on CUDA cannot be used: fusion.onnx failed; is the GPU's memory full?. Go"
        in warning
    )


def test_auto_without_a_tensorrt_is_onnx_runtime_and_says_why(monkeypatch, copied, caplog) -> None:
    made_tensorrt.installed(monkeypatch, version="8.6.2")
    backend, reason, *_ = open_backend(copied, "auto", 1, BUILDER)
    assert isinstance(backend, OrtBackend)
    assert reason.startswith("no TensorRT to use (tensorrt is 8.6.2, 10.3 or later is needed")
    assert not caplog.records


@pytest.mark.parametrize("must_prove", [True, False])
def test_tensorrt_that_was_asked_for_never_becomes_another(no_gpu, copied, must_prove: bool) -> None:
    with pytest.raises(EngineError, match="no NVIDIA GPU can be used"):
        open_backend(copied, "tensorrt", 1, BUILDER, must_prove=must_prove)


def test_onnx_runtime_that_was_asked_for_looks_for_no_gpu(monkeypatch, copied, proven) -> None:
    gpu = made_tensorrt.installed(monkeypatch)
    backend, reason, *_ = open_backend(copied, "onnxruntime", 1, BUILDER)
    assert isinstance(backend, OrtBackend)
    assert reason == "as asked for"
    assert not gpu.calls
    assert proven == [backend]


@pytest.mark.parametrize("rtx", [False, True])
def test_auto_with_a_gpu_is_tensorrt_proven(monkeypatch, copied, proven, rtx: bool) -> None:
    made_tensorrt.installed(monkeypatch, rtx=rtx)
    backend, reason, *_ = open_backend(copied, "auto", 1, BUILDER)
    assert isinstance(backend, TensorRTBackend)
    assert reason == f"{'tensorrt-rtx' if rtx else 'tensorrt'} and Made GPU 3000 16 SM are here"
    assert proven == [backend]
    assert len([*copied.folder.glob("engines/*/*.kernels")]) == (3 if rtx else 0)


@pytest.mark.parametrize("wanted", ["onnxruntime", "tensorrt"])
def test_what_need_not_prove_itself_is_opened_with_what_it_makes_of_the_vectors(
    monkeypatch, copied, wanted: str
) -> None:
    made_tensorrt.installed(monkeypatch)
    monkeypatch.setattr(select, "prove", lambda *_: OFF)
    opened = open_backend(copied, wanted, 1, BUILDER, must_prove=False)
    assert isinstance(opened.backend, OrtBackend if wanted == "onnxruntime" else TensorRTBackend)
    assert (opened.reason, opened.proofs) == ("as asked for", OFF)
    with pytest.raises(type(opened.error)) as refused:
        open_backend(copied, wanted, 1, BUILDER)
    assert str(refused.value) == str(opened.error)


def test_a_cpu_that_computes_something_else_is_refused_as_the_bundles_fault(monkeypatch, copied) -> None:
    monkeypatch.setattr(select, "prove", lambda *_: OFF)
    with pytest.raises(BundleError) as refused:
        open_backend(copied, "onnxruntime", 1, BUILDER)
    said = str(refused.value)
    assert said.startswith("foal-nano on onnxruntime-cpu: fusion differs by 3 from its golden outputs, more than")
    assert f"the graphs in {copied.folder} are not those that were exported, or" in said
    assert "1 thread" in said
    assert DAMAGED_REMEDY in said
    assert "--backend" not in said


def test_neither_engine_nor_cpu_is_taken_where_both_compute_something_else(monkeypatch, copied, caplog) -> None:
    made_tensorrt.installed(monkeypatch)
    monkeypatch.setattr(select, "prove", lambda *_: OFF)
    with pytest.raises(BundleError, match="foal-nano on onnxruntime-cpu: fusion differs by 3"):
        open_backend(copied, "auto", 1, BUILDER)
    assert "foal-nano on tensorrt-" in caplog.text


def test_a_bundle_without_golden_probabilities_is_opened_and_that_is_said(copied, caplog) -> None:
    older = replace(copied, manifest=replace(copied.manifest, golden_probabilities=None))
    assert open_backend(copied, "onnxruntime", 1, BUILDER)
    assert caplog.messages == []
    assert open_backend(older, "onnxruntime", 1, BUILDER)
    (said,) = caplog.messages
    assert said.startswith(f"{copied.folder} has no golden probabilities: the order of its labels and its temperature")


@pytest.mark.parametrize("cause", ["memory", "proof", "load"])
def test_auto_warns_where_tensorrt_is_here_and_fails(monkeypatch, copied, caplog, cause: str) -> None:
    gpu = made_tensorrt.installed(monkeypatch)
    messages = {"memory": "out of memory", "proof": "fusion differs by 3", "load": "loads no engine for image_encoder"}

    def differ(_: Bundle, backend: Backend) -> list[Proof]:
        return OFF if isinstance(backend, TensorRTBackend) else []

    if cause == "memory":
        gpu.failing["cudaMalloc"] = Status.NO_MEMORY
    elif cause == "proof":
        monkeypatch.setattr(select, "prove", differ)
    else:
        monkeypatch.setattr(made_tensorrt.Runtime, "deserialize_cuda_engine", lambda *_: None)
    with caplog.at_level(logging.WARNING, select.__name__):
        backend, reason, *_ = open_backend(copied, "auto", 1, BUILDER)
    assert isinstance(backend, OrtBackend)
    assert reason.startswith("TensorRT cannot be used; ")
    (warning,) = caplog.messages
    assert warning.startswith("tensorrt and Made GPU 3000 16 SM are here, but TensorRT cannot be used: ")
    assert messages[cause] in warning
    assert warning.endswith("Going on without it")
    with pytest.raises(EngineError, match=messages[cause]):
        open_backend(copied, "tensorrt", 1, BUILDER)


def test_the_first_ctrl_c_ends_a_build_and_chooses_nothing(monkeypatch, copied) -> None:
    made_tensorrt.installed(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        open_backend(copied, "auto", 1, made.engine_builder([], patience=1))
    assert not [*copied.folder.glob("engines/*/*.engine")]


def test_engines_built_ahead_of_time_are_used_and_kernels_kept_for_this_device(monkeypatch, copied) -> None:
    made_tensorrt.installed(monkeypatch, rtx=True)
    for graph in copied.manifest.graphs.by_name():
        BUILDER.provide(copied, graph, [Target(find_tensorrt(), "8.6", None)])
    told: list[str] = []
    backend = open_backend(copied, "auto", 1, made.engine_builder(told)).backend
    assert isinstance(backend, TensorRTBackend)
    assert told == []
    assert len([*copied.folder.glob("engines/made-gpu-3000-*/*.kernels")]) == 3


def test_auto_goes_on_where_tensorrt_has_no_runtime_for_the_driver(monkeypatch, copied, caplog) -> None:
    """pybind11 raises TypeError where the constructor gives nothing, as of a TensorRT newer than the driver."""
    made_tensorrt.installed(monkeypatch)

    def nothing(*_: object) -> None:
        raise TypeError("pybind11::init(): factory function returned nullptr")

    monkeypatch.setattr(made_tensorrt.Runtime, "__init__", nothing)
    backend = open_backend(copied, "auto", 1, BUILDER).backend
    assert isinstance(backend, OrtBackend)
    assert "TensorRT cannot be used" in caplog.text


def test_the_machine_itself_gives_a_backend_that_runs(copied) -> None:
    """With whatever TensorRT and GPU there are, none included."""
    backend, reason, *_ = open_backend(copied, "auto", 1, BUILDER)
    assert all(proof.is_within_tolerance for proof in prove(copied, backend))
    try:
        cuda.call(cuda.runtime().cudaGetDeviceCount)
    except EngineError:
        assert isinstance(backend, OrtBackend)
        assert reason.startswith(("no TensorRT to use (", "no NVIDIA GPU can be used ("))
