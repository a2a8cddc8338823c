"""Bound graphs, run for real on ONNX Runtime's CPU provider: bindings, sizes of batches, rows past them, outputs."""

from typing import Any

import numpy as np
import pytest

from edge.backends.base import get_graph
from edge.backends.onnxruntime import OrtBackend
from edge.backends.ort_gpu.graph import BoundGraph
from edge.backends.ort_gpu.session import open_strict
from edge.backends.proof import differences
from edge.bundle.load import Bundle
from edge.bundle.manifest import GraphEntry, GraphName
from edge.errors import EngineError
from tests.edge.backends.ort_gpu.made_memory import CPU, HostMemory

NAMES: tuple[GraphName, ...] = ("image_encoder", "audio_encoder", "fusion")
Bound = tuple[BoundGraph, GraphEntry, HostMemory]


@pytest.fixture(scope="module")
def plain(shipped_bundle: Bundle) -> OrtBackend:
    return OrtBackend(shipped_bundle, threads=1)


@pytest.fixture(scope="module")
def bound(shipped_bundle: Bundle) -> dict[GraphName, Bound]:
    made: dict[GraphName, Bound] = {}
    for name, entry in shipped_bundle.manifest.graphs.by_name().items():
        memory = HostMemory()
        session = open_strict(shipped_bundle.path(entry.file), entry, CPU)
        made[name] = BoundGraph(session, entry, CPU.device, memory, captures=False), entry, memory
    return made


def rows_of(arrays: dict[str, Any], entry: GraphEntry, rows: int) -> dict[str, Any]:
    """So many rows made of the golden inputs, in turn."""
    return {
        tensor.name: np.resize(arrays[tensor.name], (rows, *arrays[tensor.name].shape[1:])) for tensor in entry.inputs
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_size_is_bound_once_and_run_when_the_graph_is_opened(shipped_bundle: Bundle, name: GraphName) -> None:
    entry, memory = shipped_bundle.manifest.graphs.by_name()[name], HostMemory()
    BoundGraph(open_strict(shipped_bundle.path(entry.file), entry, CPU), entry, "cpu", memory, captures=False)
    ran = [rows for what, rows in memory.stream.done if what == "to device"]
    assert ran == [rows for rows in (1, 2, 4, 8, 16, 32) for _ in entry.inputs]
    assert [len(buffer.host) for buffer in memory.buffers] == [32] * (len(entry.inputs) + len(entry.outputs))


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 31, 32])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_the_plain_backend(plain, bound, vectors, name: GraphName, rows: int) -> None:
    graph, entry, _ = bound[name]
    inputs = rows_of(vectors[name], entry, rows)
    expected, found = get_graph(plain, name)(inputs), graph(inputs)
    assert list(found) == list(expected)
    for output, array in expected.items():
        assert (found[output].dtype, found[output].shape) == (array.dtype, array.shape)
        # a padded batch may be computed by other kernels: floats are added up in another order
        np.testing.assert_allclose(found[output], array, rtol=0, atol=entry.tolerance / 10)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_that_fills_its_size_gives_the_plain_outputs(plain, bound, vectors, name: GraphName) -> None:
    graph, entry, _ = bound[name]
    inputs = rows_of(vectors[name], entry, 4)
    for output, array in get_graph(plain, name)(inputs).items():
        # the plain session leaves out a fusion of nodes, which rounds otherwise
        np.testing.assert_allclose(graph(inputs)[output], array, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_golden_outputs_come_out(bound, vectors, name: GraphName) -> None:
    graph, entry, _ = bound[name]
    assert max(differences(graph, entry, vectors[name]).values()) <= entry.tolerance


@pytest.mark.parametrize(("rows", "size"), [(1, 1), (3, 4), (4, 4), (17, 32)])
def test_a_batch_is_run_in_the_next_size_and_waited_for_once(bound, vectors, rows: int, size: int) -> None:
    graph, entry, memory = bound["image_encoder"]
    with memory.watched() as done:
        found = graph(rows_of(vectors["image_encoder"], entry, rows))
    assert done == [("to device", size), ("to host", size), ("waited", 0)]
    assert len(found["embedding"]) == rows


def test_rows_past_the_batch_do_not_change_it(bound, vectors) -> None:
    """They are those of an earlier, larger batch."""
    graph, entry, memory = bound["fusion"]
    inputs = rows_of(vectors["fusion"], entry, 3)
    first = {name: array.copy() for name, array in graph(inputs).items()}
    for buffer in memory.buffers:
        buffer.host[3:] = 0
        buffer.there[3:] = 0
    for name, array in graph(inputs).items():
        np.testing.assert_array_equal(array, first[name])


def test_outputs_are_views_of_the_same_memory(bound, vectors) -> None:
    graph, entry, _ = bound["image_encoder"]
    inputs = rows_of(vectors["image_encoder"], entry, 2)
    assert np.shares_memory(graph(inputs)["embedding"], graph(inputs)["embedding"])


def test_the_time_on_the_device_is_that_of_the_last_call(bound, vectors) -> None:
    graph, entry, _ = bound["fusion"]
    graph(rows_of(vectors["fusion"], entry, 1))
    assert graph.device_ms == 1.5


@pytest.mark.parametrize("rows", [0, 33])
def test_a_batch_of_a_size_that_was_not_promised_is_refused(bound, vectors, rows: int) -> None:
    graph, entry, _ = bound["audio_encoder"]
    with pytest.raises(EngineError, match=f"a batch of {rows} rows, where the graph takes 1 to 32"):
        graph(rows_of(vectors["audio_encoder"], entry, rows))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda frames: frames.astype(np.float32), "is float32"),
        (lambda frames: frames[:, :32], r"is uint8 \[2, 32, 64, 3\]"),
        (lambda frames: None, r"is missing|takes 1 to 32"),
    ],
)
def test_an_input_of_another_form_is_named(bound, vectors, change: Any, says: str) -> None:
    graph, entry, _ = bound["image_encoder"]
    frames = change(rows_of(vectors["image_encoder"], entry, 2)["frames"])
    with pytest.raises(EngineError, match=says):
        graph({} if frames is None else {"frames": frames})


def test_a_run_that_fails_is_an_error_of_the_engine_with_its_remedy(shipped_bundle: Bundle, vectors) -> None:
    entry = shipped_bundle.manifest.graphs.image_encoder
    session = open_strict(shipped_bundle.path(entry.file), entry, CPU)
    graph = BoundGraph(session, entry, "cpu", HostMemory(), captures=False)
    graph._batches[0].binding.clear_binding_inputs()
    with pytest.raises(
        EngineError, match=r"image_encoder.onnx failed in ONNX Runtime .* on 1 rows: .*--backend onnxrun"
    ):
        graph(rows_of(vectors["image_encoder"], entry, 1))
