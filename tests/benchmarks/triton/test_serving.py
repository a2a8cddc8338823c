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

from benchmarks.triton.serving import VARIABLE, TritonServer
from edge.backends.base import get_graph
from edge.backends.patience import Patience
from edge.backends.select import open_backend
from edge.bundle import golden
from edge.bundle.load import SHIPPED, load
from edge.errors import EngineError, UnansweredError, UsageError
from edge.models.names import FOLDER
from export.model_repository import write
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


def test_without_an_environment_the_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    with pytest.raises(UsageError, match=f"{VARIABLE}=.*give the Python of an environment with nvidia-pytriton"):
        TritonServer(tmp_path, tmp_path)
