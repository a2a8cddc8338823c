"""Torch as a backend: what the golden vectors say, eager and compiled, and what it refuses."""

import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge.backends.base import get_graph
from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import differences, prove
from edge.bundle import golden
from edge.bundle.load import Bundle, load
from edge.bundle.manifest import GraphName
from edge.errors import UsageError
from export.torch_backend import TorchBackend, tensor_names
from tests.export.conftest import Exported
from train.checkpoint import Checkpoint
from train.foalnet import graph_modules

GRAPHS: list[GraphName] = ["image_encoder", "audio_encoder", "fusion"]
COMPILER = os.environ.get("CXX", "g++")
with_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")


@pytest.fixture(scope="module")
def bundle(exported: Exported) -> Bundle:
    return load(exported.folder)


@pytest.fixture(scope="module")
def vectors(bundle: Bundle) -> dict[GraphName, dict[str, Any]]:
    return golden.load(bundle)


@pytest.fixture
def compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is compiled yet, and compiling leaves no processes.

    It is for a CPU without vector instructions: torch compiles a program to try each kind of them.
    Torch's own cache stays out of it: what it holds from a process with other instructions fails in this one.
    """
    import torch._dynamo
    import torch._inductor.config  # here, as it takes seconds

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch._dynamo.reset()
    with torch._inductor.config.patch({"compile_threads": 1, "cpp.vec_isa_ok": False}):
        yield
    torch._dynamo.reset()


def compare(bundle: Bundle, backend: TorchBackend, name: GraphName, arrays: dict[str, Any]) -> None:
    """With the golden outputs, and with ONNX Runtime."""
    entry = bundle.manifest.graphs.by_name()[name]
    assert max(differences(get_graph(backend, name), entry, arrays).values()) <= entry.tolerance
    inputs = {tensor.name: arrays[tensor.name] for tensor in entry.inputs}
    others = get_graph(OrtBackend(bundle, threads=1), name)(inputs)
    for output, found in get_graph(backend, name)(inputs).items():
        np.testing.assert_allclose(found.astype(float), others[output].astype(float), atol=entry.tolerance)


@pytest.mark.parametrize("name", GRAPHS)
def test_eager_computes_what_onnx_runtime_computes(bundle, loaded, vectors, name: GraphName) -> None:
    compare(bundle, TorchBackend(loaded, "cpu", compiled=False, threads=1), name, vectors[name])


@pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"torch.compile needs a C++ compiler, {COMPILER}")
def test_compiled_computes_what_onnx_runtime_computes(bundle, loaded, vectors, compiling: None) -> None:
    backend = TorchBackend(loaded, "cpu", compiled=True, threads=1)
    compare(bundle, backend, "fusion", {name: array[:1] for name, array in vectors["fusion"].items()})
    assert backend.fusion.device_ms is None


@with_gpu
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_gpu_computes_the_same_and_tells_its_time(
    bundle, loaded, vectors, name: GraphName, compiled: bool, compiling: None
) -> None:
    backend = TorchBackend(loaded, "cuda", compiled, threads=1)
    assert get_graph(backend, name).device_ms is None
    compare(bundle, backend, name, vectors[name])
    assert get_graph(backend, name).device_ms > 0
    assert {parameter.device.type for parameter in loaded.model.parameters()} == {"cpu"}


def test_batches_are_padded_to_sizes_that_are_compiled_once(
    loaded, vectors, compiling: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine code is left out: it takes long."""
    compiled: list[int] = []

    def keep(traced: Any, inputs: list[Any]) -> Any:
        compiled.append(next(len(each) for each in inputs if each.dtype == torch.uint8))
        return traced.forward

    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=keep))
    monkeypatch.setattr(shutil, "which", lambda name: name)
    backend = TorchBackend(loaded, "cpu", compiled=True, threads=1)
    frames = np.repeat(vectors["image_encoder"]["frames"][:1], 10, axis=0)
    for _ in range(2):
        for rows in range(1, 11):
            assert len(backend.image_encoder({"frames": frames[:rows]})["embedding"]) == rows
    assert compiled == [1, 2, 4, 8, 16]


def test_its_names_are_those_of_the_manifest(bundle: Bundle, loaded: Checkpoint) -> None:
    for name, entry in bundle.manifest.graphs.by_name().items():
        inputs, outputs = tensor_names(name, graph_modules(loaded.model)[name])
        assert [tensor.name for tensor in entry.inputs] == list(inputs)
        assert [tensor.name for tensor in entry.outputs] == list(outputs)


def test_it_says_what_it_is(loaded: Checkpoint) -> None:
    before = torch.get_num_threads()
    try:
        backend = TorchBackend(loaded, "cpu", compiled=False, threads=2)
        assert (backend.name, backend.about) == ("torch-eager cpu", f"torch {torch.__version__}, 2 threads")
        assert TorchBackend(loaded, "cpu", compiled=False, threads=0).about == backend.about
    finally:
        torch.set_num_threads(before)


def test_inputs_may_be_read_only_views_and_outputs_are_the_callers_own(loaded, vectors) -> None:
    graph = TorchBackend(loaded, "cpu", compiled=False, threads=1).image_encoder
    frames = vectors["image_encoder"]["frames"]
    mirrored = frames[:, :, ::-1]
    mirrored.flags.writeable = False
    first = graph({"frames": mirrored})["embedding"]
    kept = first.copy()
    assert np.abs(graph({"frames": frames})["embedding"] - first).max() > 0
    np.testing.assert_array_equal(first, kept)
    assert graph.device_ms is None


def test_dropout_is_off_even_where_the_checkpoint_was_being_trained(loaded, bundle, vectors) -> None:
    loaded.model.train()
    backend = TorchBackend(loaded, "cpu", compiled=False, threads=1)
    assert all(proof.is_within_tolerance for proof in prove(bundle, backend))


@pytest.mark.parametrize("device", ["tpu", "cuda:7", ""])
def test_a_device_that_is_none_is_named(loaded: Checkpoint, device: str) -> None:
    with pytest.raises(UsageError, match=rf"^device {device}: torch runs on cpu or cuda here; give one of these$"):
        TorchBackend(loaded, device, compiled=False, threads=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_missing_is_named(loaded: Checkpoint) -> None:
    with pytest.raises(UsageError, match=r"^device cuda: torch .* finds no GPU; give cpu, or install torch for CUDA$"):
        TorchBackend(loaded, "cuda", compiled=False, threads=1)


def test_a_compiler_that_is_missing_is_named(loaded: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    TorchBackend(loaded, "cpu", compiled=False, threads=1)
    with pytest.raises(UsageError) as refused:
        TorchBackend(loaded, "cpu", compiled=True, threads=1)
    expected = "torch.compile needs a C++ compiler and finds no no-such-compiler; apt install g++, or name one in CXX"
    assert str(refused.value) == expected
