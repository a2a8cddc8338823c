"""Golden vectors: what is read, and how far a graph is from them. Damaged files are in `test_hostile_golden.py`."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from edge import golden
from edge.backends.ort import OrtBackend
from edge.bundle import SHIPPED, Batch, Bundle, GraphEntry, GraphName, load
from edge.errors import EngineError
from edge.recognizer import Recognizer

Arrays = dict[str, Any]
NAMES: tuple[GraphName, ...] = ("image_encoder", "audio_encoder", "fusion")


@pytest.fixture(scope="module")
def shipped_bundle() -> Bundle:
    return load(SHIPPED)


@pytest.fixture(scope="module")
def vectors(shipped_bundle: Bundle) -> dict[GraphName, Arrays]:
    return golden.load(shipped_bundle)


@pytest.fixture(scope="module")
def heard(shipped: Recognizer) -> GraphEntry:
    """The audio encoder: one float output and one of booleans."""
    return shipped.manifest.graphs.audio_encoder


def answers(vectors: Mapping[GraphName, Arrays], change: Callable[[Arrays], None]) -> golden.Graph:
    """An audio encoder that gives the golden outputs of the rows it is asked for, changed."""
    known = vectors["audio_encoder"]

    def graph(inputs: Mapping[str, Any]) -> Arrays:
        rows = [list(known["length"]).index(length) for length in inputs["length"]]
        outputs = {name: known[name][rows] for name in ("tokens", "mask")}
        change(outputs)
        return outputs

    return graph


def test_every_array_is_read_as_numpy_reads_it(vectors: dict[GraphName, Arrays]) -> None:
    with np.load(SHIPPED / "golden.npz") as expected:
        found = {f"{graph}/{name}": array for graph, arrays in vectors.items() for name, array in arrays.items()}
        assert set(found) == set(expected)
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name])
            assert array.dtype == expected[name].dtype


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_graphs_are_within_their_tolerance(shipped, vectors, name: GraphName) -> None:
    entry = shipped.manifest.graphs.by_name()[name]
    found = golden.difference(getattr(shipped.backend, name), entry, vectors[name])
    assert list(found) == [tensor.name for tensor in entry.outputs]
    assert max(found.values()) <= entry.tolerance


def test_the_largest_difference_of_each_output_is_found(vectors, heard: GraphEntry) -> None:
    def change(outputs: Arrays) -> None:
        outputs["tokens"][-1, 3, 5] += 0.25
        outputs["mask"][0, 0] ^= True

    found = golden.difference(answers(vectors, change), heard, vectors["audio_encoder"])
    assert found == {"tokens": pytest.approx(0.25, abs=1e-6), "mask": 1.0}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_infinitely_far(vectors, heard: GraphEntry, value: float) -> None:
    def change(outputs: Arrays) -> None:
        outputs["tokens"][0, 0, 0] = value

    found = golden.difference(answers(vectors, change), heard, vectors["audio_encoder"])
    assert found == {"tokens": math.inf, "mask": 0.0}


@pytest.mark.parametrize(("largest", "batches"), [(1, [1, 1, 1]), (2, [2, 1]), (8, [3])])
def test_a_batch_larger_than_the_graph_takes_is_split(
    vectors, heard: GraphEntry, largest: int, batches: list[int]
) -> None:
    seen, memory = [], np.empty((largest, 75, 160), np.float32)

    def change(outputs: Arrays) -> None:
        rows = len(outputs["tokens"])
        seen.append(rows)
        memory[:rows] = outputs["tokens"]
        outputs["tokens"] = memory[:rows]  # a view, overwritten by the next call

    entry = replace(heard, batch=Batch(1, largest))
    found = golden.difference(answers(vectors, change), entry, vectors["audio_encoder"])
    assert (found, seen) == ({"tokens": 0.0, "mask": 0.0}, batches)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda tokens: tokens.astype(np.float16), "is float16 [3, 75, 160]"),
        (lambda tokens: tokens[:, :74], "is float32 [3, 74, 160]"),
        (lambda tokens: None, "is missing"),
    ],
)
def test_an_output_of_another_type_or_shape_is_named(vectors, heard: GraphEntry, change: Any, says: str) -> None:
    graph = answers(vectors, lambda outputs: outputs.update(tokens=change(outputs["tokens"])))
    with pytest.raises(EngineError) as refused:
        golden.difference(graph, heard, vectors["audio_encoder"])
    assert str(refused.value) == (f"the output tokens {says}, float32 [3, 75, 160] is expected; build the engine again")


class Off(OrtBackend):
    """ONNX Runtime, but one number of one graph is off."""

    def __init__(self, bundle: Bundle, name: GraphName, output: str, by: float) -> None:
        super().__init__(bundle, threads=1)
        graph = golden.graph_of(self, name)

        def changed(inputs: Mapping[str, Any]) -> Arrays:
            outputs = graph(inputs)
            outputs[output].flat[-1] += by
            return outputs

        setattr(self, name, changed)


@pytest.mark.parametrize("share", [0, 0.5, -0.5])
def test_a_backend_within_the_tolerance_is_proven(shipped_bundle: Bundle, share: float) -> None:
    entry = shipped_bundle.manifest.graphs.fusion
    by = share * entry.tolerance
    backend = Off(shipped_bundle, "fusion", "logits", by)
    golden.prove(shipped_bundle, backend)
    found = golden.difference(backend.fusion, entry, golden.load(shipped_bundle)["fusion"])
    assert found["logits"] == pytest.approx(abs(by), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "output", "by", "says"),
    [
        ("image_encoder", "embedding", 0.25, "0.25"),
        ("audio_encoder", "tokens", -8.0, "8"),
        ("fusion", "logits", 0.5, "0.5"),
        ("fusion", "video_embedding", -0.125, "0.12"),
        ("fusion", "logits", np.nan, "inf"),
    ],
)
def test_a_graph_that_is_off_is_named_with_its_difference_and_tolerance(
    shipped_bundle: Bundle, name: GraphName, output: str, by: float, says: str
) -> None:
    tolerance = shipped_bundle.manifest.graphs.by_name()[name].tolerance
    with pytest.raises(EngineError) as refused:
        golden.prove(shipped_bundle, Off(shipped_bundle, name, output, by))
    assert str(refused.value) == (
        f"{name} on onnxruntime-cpu differs from its golden outputs by {says}, more than its tolerance "
        f"{tolerance:.2g}; foal-edge doctor tells more, --backend onnxruntime goes without it"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_is_found_by_its_name(shipped: Recognizer, name: GraphName) -> None:
    assert golden.graph_of(shipped.backend, name) is getattr(shipped.backend, name)
