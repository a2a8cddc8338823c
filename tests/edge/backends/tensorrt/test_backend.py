"""TensorRT's backend on a made GPU: its outputs, its waits, what it allocates, captures, refuses and keeps."""

import gc
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from edge.backends.base import get_graph
from edge.backends.proof import differences, prove
from edge.backends.tensorrt import backend as backend_module
from edge.backends.tensorrt import cache
from edge.backends.tensorrt import graph as graph_module
from edge.backends.tensorrt.backend import KernelCache, TensorRTBackend
from edge.backends.tensorrt.builder import EngineBuilder
from edge.backends.tensorrt.graph import REMEDY
from edge.bundle import golden
from edge.bundle.load import SHIPPED, Bundle, load
from edge.bundle.manifest import Batch
from edge.errors import EngineError
from tests.edge.backends.tensorrt import made_engines as made
from tests.edge.backends.tensorrt import made_tensorrt
from tests.edge.backends.tensorrt.made_cuda import COPY_MS, Cuda, Status
from tests.edge.backends.tensorrt.made_tensorrt import RUN_MS, GraphStrategy, RuntimeConfig, Specialization, installed

GRAPHS = ("image_encoder", "audio_encoder", "fusion")
TWICE = (3, 1, 8, 2, 5, 8, 1, 7, 4, 6, 3, 5)
"""Sizes of batches in no order; each graph takes up to 8 rows here."""


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def engine_builder(told: list[str]) -> EngineBuilder:
    return made.engine_builder(told)


@pytest.fixture
def copied(tmp_path: Path) -> Bundle:
    """The shipped bundle, whose graphs take batches of 1 and 2."""
    return limited(load(Path(shutil.copytree(SHIPPED, tmp_path / "copied"))), Batch(1, 2))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    return installed(monkeypatch)


def limited(bundle: Bundle, batch: Batch) -> Bundle:
    graphs = bundle.manifest.graphs
    entries = {name: replace(entry, batch=batch) for name, entry in graphs.by_name().items()}
    return replace(bundle, manifest=replace(bundle.manifest, graphs=replace(graphs, **entries)))


def made_inputs(bundle: Bundle, graph: str, rows: int, seed: int) -> dict[str, Any]:
    """The golden inputs, drawn and scaled anew."""
    rng = np.random.default_rng(seed)
    arrays = golden.load(bundle)[graph]
    entry = bundle.manifest.graphs.by_name()[graph]
    drawn = rng.integers(len(arrays[entry.inputs[0].name]), size=rows)
    inputs = {tensor.name: arrays[tensor.name][drawn] for tensor in entry.inputs}
    shares = rng.uniform(0.5, 1, rows).astype(np.float32)
    for name, values in inputs.items():
        if values.dtype == np.float32:
            inputs[name] = values * shares.reshape(-1, *[1] * (values.ndim - 1))
    return inputs


def stuffed(bundle: Bundle, content: bytes) -> None:
    """Engines for the made GPU that are whole, as far as the cache can tell, but have this content."""
    for file in (bundle.folder / cache.FOLDER).glob("*/*.engine"):
        header = msgspec.json.decode(file.read_bytes().split(b"\n", 1)[0], type=cache.Header)
        cache.write(file, header.key, memoryview(content))


def complain(what: Any, *_: object) -> None:
    """In place of what a made class does."""
    getattr(what, "_engine", what)._logger.log(made_tensorrt.ILogger.Severity.ERROR, "made trouble")


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("rtx", [False, True])
def test_outputs_are_those_of_onnx_runtime_for_batches_in_any_order(
    monkeypatch, copied, engine_builder, shipped, graph: str, rtx: bool
) -> None:
    installed(monkeypatch, rtx=rtx)
    bundle = limited(copied, Batch(3, 8))
    backend = TensorRTBackend(bundle, engine_builder)
    assert backend.name == ("tensorrt-rtx-10.3.0 sm86" if rtx else "tensorrt-10.3.0 sm86")
    entry = bundle.manifest.graphs.by_name()[graph]
    for call, rows in enumerate(TWICE):
        inputs = made_inputs(bundle, graph, rows, call)
        outputs, expected = getattr(backend, graph)(inputs), getattr(shipped.backend, graph)(inputs)
        assert list(outputs) == [tensor.name for tensor in entry.outputs]
        for name, found in outputs.items():
            assert (found.dtype, found.shape) == (expected[name].dtype, expected[name].shape)
            np.testing.assert_allclose(found.astype(float), expected[name].astype(float), atol=1e-5, err_msg=name)


def test_the_golden_vectors_prove_it(gpu, copied, engine_builder) -> None:
    backend, vectors = TensorRTBackend(copied, engine_builder), golden.load(copied)
    assert all(proof.is_within_tolerance for proof in prove(copied, backend))
    for name, entry in copied.manifest.graphs.by_name().items():
        found = differences(get_graph(backend, name), entry, vectors[name])
        assert max(found.values()) <= entry.tolerance


@pytest.mark.parametrize("rtx", [False, True])
def test_a_call_waits_once_and_allocates_and_captures_nothing(monkeypatch, copied, engine_builder, rtx: bool) -> None:
    gpu = installed(monkeypatch, rtx=rtx)
    backend = TensorRTBackend(copied, engine_builder)
    for rows in (1, 2, 2, 1):
        for graph in GRAPHS:
            inputs = made_inputs(copied, graph, rows, rows)
            gpu.calls.clear()
            getattr(backend, graph)(inputs)
            assert gpu.calls["cudaStreamSynchronize"] == 1
            assert gpu.calls["cudaGraphLaunch"] == (not rtx)
            assert not {"cudaMalloc", "cudaMallocHost", "cudaStreamBeginCapture"} & {*gpu.calls}


@pytest.mark.parametrize("rtx", [False, True])
@pytest.mark.parametrize("graph", GRAPHS)
def test_the_devices_time_runs_from_the_first_copy_to_the_last(monkeypatch, copied, engine_builder, graph, rtx) -> None:
    gpu = installed(monkeypatch, rtx=rtx)
    run, entry = getattr(TensorRTBackend(copied, engine_builder), graph), copied.manifest.graphs.by_name()[graph]
    assert run.device_ms is None
    gpu.calls.clear()
    for rows in (1, 2):
        run(made_inputs(copied, graph, rows, rows))
        gpu.now_ms += 1000  # the device rests
    assert (gpu.calls["cudaEventRecord"], gpu.calls["cudaEventElapsedTime"]) == (4, 0)
    assert run.device_ms == COPY_MS * len(entry.inputs + entry.outputs) + RUN_MS
    assert not {"cudaEventCreate", "cudaEventSynchronize"} & {*gpu.calls}


def test_a_call_that_fails_has_no_time_on_the_device(monkeypatch, copied, engine_builder) -> None:
    installed(monkeypatch, rtx=True)
    fusion = TensorRTBackend(copied, engine_builder).fusion
    fusion(made_inputs(copied, "fusion", 1, 0))
    assert fusion.device_ms
    monkeypatch.setattr(made_tensorrt.Context, "execute_async_v3", complain)
    with pytest.raises(EngineError):
        fusion(made_inputs(copied, "fusion", 1, 0))
    assert fusion.device_ms is None


@pytest.mark.parametrize("rtx", [False, True])
def test_each_size_is_captured_once_and_by_tensorrt_alone(monkeypatch, copied, engine_builder, rtx: bool) -> None:
    gpu = installed(monkeypatch, rtx=rtx)
    _backend = TensorRTBackend(copied, engine_builder)
    expected = 0 if rtx else 2 * len(GRAPHS)
    captures = ("cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate")
    assert [gpu.calls[name] for name in captures] == [expected] * 3


@pytest.mark.parametrize(
    "step", ["cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate", "the engine"]
)
def test_what_cannot_be_captured_runs_without_and_says_so(
    gpu, copied, engine_builder, shipped, caplog, step: str
) -> None:
    gpu.capturable = step != "the engine"
    if gpu.capturable:
        gpu.failing[step] = Status.CAPTURE_INVALIDATED
    with caplog.at_level(logging.INFO, graph_module.__name__):
        backend = TensorRTBackend(copied, engine_builder)
    said = [line.partition(" run without a CUDA graph: ")[0] for line in caplog.messages]
    assert said == ["batches of 1", "batches of 2"] * len(GRAPHS)
    assert gpu.last is Status.SUCCESS
    inputs = made_inputs(copied, "audio_encoder", 2, 7)
    gpu.calls.clear()
    outputs = backend.audio_encoder(inputs)
    assert not gpu.calls["cudaGraphLaunch"]
    np.testing.assert_allclose(outputs["tokens"], shipped.backend.audio_encoder(inputs)["tokens"], atol=1e-5)
    del backend
    gc.collect()
    assert gpu.graphs == []


@pytest.mark.parametrize("rows", [0, 3, 40])
def test_a_batch_that_the_engine_does_not_take_is_named(gpu, copied, engine_builder, rows: int) -> None:
    backend = TensorRTBackend(copied, engine_builder)
    with pytest.raises(EngineError, match=rf"^a batch of {rows} rows, where the engine takes 1 to 2$"):
        backend.image_encoder({"frames": np.zeros((rows, 64, 64, 3), np.uint8)})
    embedding = backend.image_encoder({"frames": np.zeros((1, 64, 64, 3), np.uint8)})["embedding"]
    assert embedding.shape == (1, copied.manifest.graphs.image_encoder.outputs[0].shape[1])


@pytest.mark.parametrize("rtx", [False, True])
def test_all_is_freed_with_the_backend(monkeypatch, copied, engine_builder, rtx: bool) -> None:
    gpu = installed(monkeypatch, rtx=rtx)
    backend = TensorRTBackend(copied, engine_builder)
    backend.image_encoder({"frames": np.zeros((1, 64, 64, 3), np.uint8)})
    assert (bool(gpu.device.blocks), bool(gpu.host.blocks), len(gpu.streams)) == (True, True, 1)
    del backend
    gc.collect()
    assert (gpu.device.blocks, gpu.host.blocks, gpu.graphs, gpu.streams, gpu.events) == ({}, {}, [], {}, [])


def test_a_graph_that_is_held_keeps_its_stream(gpu, copied, engine_builder) -> None:
    inputs = made_inputs(copied, "fusion", 2, 3)
    fusion = TensorRTBackend(copied, engine_builder).fusion
    gc.collect()
    assert fusion(inputs)["logits"].any()
    del fusion
    gc.collect()
    assert not gpu.streams


def test_outputs_that_are_held_outlive_the_backend(gpu, copied, engine_builder) -> None:
    backend = TensorRTBackend(copied, engine_builder)
    embedding = backend.image_encoder(made_inputs(copied, "image_encoder", 2, 3))["embedding"]
    before = embedding.copy()
    del backend
    gc.collect()
    assert gpu.device.blocks == {}
    assert len(gpu.host.blocks) == 1
    np.testing.assert_array_equal(embedding, before)
    del embedding
    gc.collect()
    assert gpu.host.blocks == {}


@pytest.mark.parametrize("length", [0, 1, 14_000])
def test_rows_that_are_not_asked_for_change_nothing(gpu, copied, engine_builder, shipped, length: int) -> None:
    bundle = limited(copied, Batch(1, 4))
    backend = TensorRTBackend(bundle, engine_builder)
    shapes = {name: tensor.shape for name, tensor in made_inputs(bundle, "audio_encoder", 4, 0).items()}
    rubbish = {name: np.full(shapes[name], np.nan, np.float32) for name in ("waveform", "before")}
    backend.audio_encoder(rubbish | {"end": np.full(4, -1), "known": np.full(4, -1)})
    inputs = {name: np.full((3, *shapes[name][1:]), 0.1, np.float32) for name in rubbish}
    inputs |= {"end": np.full(3, length), "known": np.full(3, 17)}
    found, expected = backend.audio_encoder(inputs), shipped.backend.audio_encoder(inputs)
    np.testing.assert_allclose(found["voice"], expected["voice"], atol=1e-5)
    np.testing.assert_allclose(found["tokens"], expected["tokens"], atol=1e-5)


@pytest.mark.parametrize(("given", "other"), [("waveform", "end"), ("end", "waveform")])
def test_inputs_other_than_the_manifests_are_named(gpu, copied, engine_builder, given: str, other: str) -> None:
    backend = TensorRTBackend(copied, engine_builder)
    whole = made_inputs(copied, "audio_encoder", 2, 0)
    for lacking, found in (({}, "missing"), ({other: whole[other][:1]}, whole[other].dtype)):
        with pytest.raises(EngineError, match=f"the input {other} is {found}"):
            backend.audio_encoder({given: whole[given], **lacking})
    assert backend.audio_encoder(whole)["voice"].any()


def test_tensorrt_10_3_is_given_its_scratch_memory_by_its_older_name(gpu, copied, engine_builder, monkeypatch) -> None:
    context = made_tensorrt.Context
    monkeypatch.delattr(context, "set_device_memory")
    older = property(None, lambda self, address: setattr(self, "_scratch", address))
    monkeypatch.setattr(context, "device_memory", older, raising=False)
    backend = TensorRTBackend(copied, engine_builder)
    assert backend.image_encoder(made_inputs(copied, "image_encoder", 1, 0))["embedding"].any()


def test_an_engine_that_does_not_load_is_built_once_more(gpu, copied, engine_builder, told) -> None:
    TensorRTBackend(copied, engine_builder)
    stuffed(copied, b"of another kind")
    told.clear()
    backend = TensorRTBackend(copied, engine_builder)
    assert made.built(told) == list(GRAPHS)
    assert sum(line.endswith(": TensorRT does not load the one that is kept") for line in told) == len(GRAPHS)
    embedding = backend.image_encoder({"frames": np.zeros((1, 64, 64, 3), np.uint8)})["embedding"]
    assert embedding.shape == (1, copied.manifest.graphs.image_encoder.outputs[0].shape[1])


def test_an_engine_that_never_loads_is_an_error(gpu, copied, engine_builder, told, monkeypatch) -> None:
    monkeypatch.setattr(made_tensorrt.Runtime, "deserialize_cuda_engine", complain)
    with pytest.raises(EngineError) as refused:
        TensorRTBackend(copied, engine_builder)
    assert str(refused.value).startswith("tensorrt 10.3.0 loads no engine for image_encoder: made trouble; ")
    assert str(refused.value).endswith("; take --backend onnxruntime")
    assert made.built(told) == ["image_encoder"] * 2


@pytest.mark.parametrize(
    ("where", "method", "what", "remedy"),
    [
        ("Engine", "create_execution_context", "makes no execution context", "is the GPU's memory full?"),
        ("Context", "set_tensor_address", "refuses a batch of 1 rows", REMEDY),
        ("Context", "set_input_shape", "refuses a batch of 1 rows", REMEDY),
        ("Context", "execute_async_v3", "could not run the engine", REMEDY),
    ],
)
@pytest.mark.parametrize("rtx", [False, True])
def test_what_tensorrt_refuses_is_told_in_its_own_words_and_all_is_freed(
    monkeypatch, copied, engine_builder, rtx: bool, where: str, method: str, what: str, remedy: str
) -> None:
    gpu = installed(monkeypatch, rtx=rtx)
    monkeypatch.setattr(getattr(made_tensorrt, where), method, complain)
    with pytest.raises(EngineError) as refused:
        TensorRTBackend(copied, engine_builder)
    said = str(refused.value)
    assert said.startswith(f"{'tensorrt-rtx' if rtx else 'tensorrt'} 10.3.0 {what}: made trouble; ")
    assert said.endswith(f"; {remedy}")
    del refused
    gc.collect()
    assert (gpu.device.blocks, gpu.host.blocks, gpu.graphs, gpu.streams, gpu.events) == ({}, {}, [], {}, [])


def test_a_run_that_fails_later_is_told_in_tensorrts_own_words(monkeypatch, copied, engine_builder) -> None:
    installed(monkeypatch, rtx=True)
    backend = TensorRTBackend(copied, engine_builder)
    monkeypatch.setattr(made_tensorrt.Context, "execute_async_v3", complain)
    for _ in range(9):
        with pytest.raises(EngineError) as refused:
            backend.fusion(made_inputs(copied, "fusion", 1, 0))
        assert str(refused.value) == f"tensorrt-rtx 10.3.0 could not run the engine: made trouble; {REMEDY}"


@pytest.mark.parametrize("call", ["cudaMalloc", "cudaMallocHost"])
def test_memory_that_is_full_is_named_and_what_was_taken_is_freed(gpu, copied, engine_builder, call: str) -> None:
    gpu.failing[call] = Status.NO_MEMORY
    with pytest.raises(EngineError, match=rf"{call}: out of memory \(CUDA error 2\)"):
        TensorRTBackend(copied, engine_builder)
    gc.collect()
    assert (gpu.device.blocks, gpu.host.blocks, gpu.streams) == ({}, {}, {})


def test_an_engine_never_sees_memory_that_nobody_wrote(gpu, copied, engine_builder, monkeypatch) -> None:
    """A place or an index of rubbish may lead a kernel outside of its memory."""
    places: list[int] = []
    run = made_tensorrt.Context._run

    def looked_at(context: Any, addresses: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
        for name in {"end", "known"} & shapes.keys():
            places.extend(np.frombuffer(context._at(addresses[name], shapes[name], np.dtype(np.int64)), "i8"))
        run(context, addresses, shapes)

    monkeypatch.setattr(made_tensorrt.Context, "_run", looked_at)
    TensorRTBackend(copied, engine_builder)
    assert set(places) == {0}


class KernelTrt:
    CudaGraphStrategy = GraphStrategy
    DynamicShapesKernelSpecializationStrategy = Specialization


class KernelEngine:
    create_runtime_config = RuntimeConfig


@pytest.fixture
def kernels_file(tmp_path: Path) -> Path:
    return tmp_path / "fusion.kernels"


def test_tensorrt_rtx_captures_by_itself_and_makes_kernels_at_once(kernels_file: Path) -> None:
    settings = KernelCache(KernelTrt, KernelEngine(), kernels_file).settings
    assert settings.cuda_graph_strategy is GraphStrategy.WHOLE_GRAPH_CAPTURE
    assert settings.dynamic_shapes_kernel_specialization_strategy is Specialization.EAGER


def test_kernels_are_there_at_the_next_start(kernels_file: Path, caplog) -> None:
    first = KernelCache(KernelTrt, KernelEngine(), kernels_file)
    first.settings._cache._kernels |= {"1", "8"}
    assert not kernels_file.exists()
    first.save()
    assert json.loads(kernels_file.read_bytes()) == ["1", "8"]
    with caplog.at_level(logging.INFO, backend_module.__name__):
        assert KernelCache(KernelTrt, KernelEngine(), kernels_file).settings._cache._kernels == {"1", "8"}
    assert caplog.messages == []


@pytest.mark.parametrize("content", [b"foreign", b"\0" * 9])
def test_kernels_that_do_not_fit_are_made_again_and_that_is_said(kernels_file: Path, caplog, content: bytes) -> None:
    kernels_file.write_bytes(content)
    with caplog.at_level(logging.INFO, backend_module.__name__):
        kernels = KernelCache(KernelTrt, KernelEngine(), kernels_file)
    assert kernels.settings._cache._kernels == set()
    assert caplog.messages == [f"{kernels_file} does not fit this device or driver; its kernels are made again"]
    kernels.save()
    assert made_tensorrt.RuntimeCache().deserialize(kernels_file.read_bytes())
