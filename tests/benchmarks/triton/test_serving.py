"""A real Triton server on this machine's CPU: the repository that the export writes, proven, restarted, and too slow.

`FOAL_TRITON` names the Python of an environment with nvidia-pytriton and onnxruntime; without it this is skipped.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tritonclient.grpc", reason="pip install 'foal-edge[triton]'")

from tritonclient.grpc import InferInput
from tritonclient.utils import np_to_triton_dtype

from benchmarks.triton.serving import VARIABLE, TritonServer
from edge.backends.base import get_graph
from edge.backends.patience import Patience
from edge.backends.select import open_backend
from edge.backends.triton.address import parse
from edge.backends.triton.connection import Connection
from edge.bundle import golden
from edge.bundle.load import SHIPPED, load
from edge.bundle.manifest import Manifest
from edge.errors import EngineError, UnansweredError, UsageError
from edge.models.names import FOLDER
from export.model_repository import write
from tests.benchmarks.triton.made_windows import make_bundle
from tests.edge.backends.tensorrt.made_engines import engine_builder

real = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no Python with nvidia-pytriton")
BUNDLE, OTHER = load(SHIPPED), load(FOLDER / "foal-nano-seven")


def ignore(*_: object) -> bytes:
    return b""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    folder = tmp_path_factory.mktemp("triton")
    write(BUNDLE, folder / "models", "onnx", 0.5, ignore, ignore)
    with TritonServer(folder / "models", folder) as started:
        yield started


def compute(backend: Any, rows: int) -> None:
    """Run every graph on so many rows and compare them with the golden ones."""
    vectors = golden.load(BUNDLE)
    for graph, entry in BUNDLE.manifest.graphs.by_name().items():
        arrays = vectors[graph]
        inputs = {tensor.name: np.resize(arrays[tensor.name], (rows, *tensor.shape[1:])) for tensor in entry.inputs}
        outputs = get_graph(backend, graph)(inputs)
        for tensor in entry.outputs:
            expected = np.resize(arrays[tensor.name], (rows, *tensor.shape[1:]))
            np.testing.assert_allclose(outputs[tensor.name], expected, atol=entry.tolerance)


@real
@pytest.mark.parametrize("way", ["", "?memory=shared"])
def test_a_real_server_computes_the_golden_vectors_in_any_batch(server: TritonServer, way: str) -> None:
    opened = open_backend(BUNDLE, server.address + way, 1, engine_builder([]))
    assert opened.backend.name.startswith("triton-2.")
    assert [proof.is_within_tolerance for proof in opened.proofs] == [True] * 3
    for rows in (1, 3, 32):
        compute(opened.backend, rows)


@real
def test_a_bundle_that_a_real_server_does_not_have_is_refused(server: TritonServer) -> None:
    with pytest.raises(
        EngineError, match=r"has no model foal-nano-seven\.image_encoder \(its models: foal-nano\.audio"
    ):
        open_backend(OTHER, server.address, 1, engine_builder([]))


@real
@pytest.mark.parametrize("way", ["", "?memory=shared"])
def test_a_real_server_that_is_too_slow_and_restarted_is_found_again(server: TritonServer, way: str) -> None:
    patience, tick = Patience(), threading.Event()
    backend = open_backend(BUNDLE, server.address + way, 1, engine_builder([]), patience=patience).backend

    def wait_for_it() -> None:
        for _ in range(600):
            try:
                compute(backend, 2)
            except UnansweredError:
                tick.wait(0.1)
            else:
                return
        raise AssertionError("it is not found again")

    with patience.live(4.0):
        server.set_delay(5.0)
        with pytest.raises(UnansweredError, match=r"has not answered within 2 s"):
            compute(backend, 2)
        server.set_delay(0)
        wait_for_it()
        server.stop()
        with pytest.raises(UnansweredError):
            compute(backend, 2)
        server.start()
        wait_for_it()


@real
def test_a_real_server_runs_the_ensemble_of_whole_windows(manifest: Manifest, tmp_path: Path) -> None:
    write(make_bundle(manifest, tmp_path), tmp_path / "models", "onnx", 0.5, ignore, ignore)
    draw = np.random.default_rng(7)
    given = {
        "waveform": draw.normal(size=(3, 2000)).astype(np.float32),
        "length": np.array([[600], [2000], [0]]),
        "video_tokens": draw.normal(size=(3, 10, 3)).astype(np.float32),
        "video_mask": draw.random((3, 10)) > 0.5,
    }
    with TritonServer(tmp_path / "models", tmp_path) as started:
        inputs = [InferInput(name, array.shape, np_to_triton_dtype(array.dtype)) for name, array in given.items()]
        for each, array in zip(inputs, given.values(), strict=True):
            each.set_data_from_numpy(array)
        result = Connection(parse(started.address)).ask("infer", "tiny.window", inputs, "1", deadline_s=30.0)
    heard = given["waveform"].reshape(3, 4, 2, 250).mean(axis=3) * (given["length"] > np.arange(4) * 500)[..., None]
    seen = given["video_tokens"].sum(axis=1)[:, :2] * given["video_mask"].sum(axis=1, keepdims=True)
    # sums of ten numbers in fp32
    np.testing.assert_allclose(result.as_numpy("logits"), heard.sum(axis=1) + seen, rtol=1e-4, atol=1e-4)


def test_without_an_environment_the_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    with pytest.raises(UsageError, match=f"{VARIABLE}=.*give the Python of an environment with nvidia-pytriton"):
        TritonServer(tmp_path, tmp_path)
