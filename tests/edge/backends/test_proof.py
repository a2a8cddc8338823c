"""The proof of a backend: distance of its graphs from their golden outputs, their times, and how failures are named."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from rich.console import Console

from edge.backends.base import Graph, get_graph
from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import (
    TIMED_RUNS,
    Finding,
    Proof,
    describe_failures,
    differences,
    examine,
    median_ms,
    prove,
)
from edge.bundle import golden
from edge.bundle.load import Bundle
from edge.bundle.manifest import Batch, GraphEntry, GraphName
from edge.cli.doctor import findings_table
from edge.errors import EngineError
from edge.live.recognizer import Recognizer

Arrays = dict[str, Any]
NAMES: tuple[GraphName, ...] = ("image_encoder", "audio_encoder", "fusion")


@pytest.fixture(scope="module")
def heard(shipped: Recognizer) -> GraphEntry:
    """The audio encoder, which has two outputs."""
    return shipped.manifest.graphs.audio_encoder


def exact(entry: GraphEntry) -> dict[str, float]:
    """No difference in any output."""
    return dict.fromkeys((tensor.name for tensor in entry.outputs), 0.0)


def answers(vectors: Mapping[GraphName, Arrays], change: Callable[[Arrays], None]) -> Graph:
    """An audio encoder that gives the golden outputs of the rows it is asked for, changed."""
    known = vectors["audio_encoder"]

    def graph(inputs: Mapping[str, Any]) -> Arrays:
        rows = [list(known["end"]).index(end) for end in inputs["end"]]
        outputs = {name: array[rows] for name, array in known.items() if name not in inputs}
        change(outputs)
        return outputs

    return graph


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_graphs_are_within_their_tolerance(shipped, vectors, name: GraphName) -> None:
    entry = shipped.manifest.graphs.by_name()[name]
    found = differences(getattr(shipped.backend, name), entry, vectors[name])
    assert list(found) == [tensor.name for tensor in entry.outputs]
    assert max(found.values()) <= entry.tolerance


def test_the_largest_difference_of_each_output_is_found(vectors, heard: GraphEntry) -> None:
    def change(outputs: Arrays) -> None:
        outputs["tokens"][-1, 3, 5] += 0.25
        outputs["voice"][0, 0] += 0.5

    found = differences(answers(vectors, change), heard, vectors["audio_encoder"])
    assert found == exact(heard) | {"tokens": pytest.approx(0.25, abs=1e-6), "voice": pytest.approx(0.5, abs=1e-6)}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_infinitely_far(vectors, heard: GraphEntry, value: float) -> None:
    def change(outputs: Arrays) -> None:
        outputs["tokens"][0, 0, 0] = value

    found = differences(answers(vectors, change), heard, vectors["audio_encoder"])
    assert found == exact(heard) | {"tokens": math.inf}


@pytest.mark.parametrize(("largest", "batches"), [(1, [1, 1, 1]), (2, [2, 1]), (8, [3])])
def test_a_batch_larger_than_the_graph_takes_is_split(
    vectors, heard: GraphEntry, largest: int, batches: list[int]
) -> None:
    seen, memory = [], np.empty((largest, *vectors["audio_encoder"]["tokens"].shape[1:]), np.float32)

    def change(outputs: Arrays) -> None:
        rows = len(outputs["tokens"])
        seen.append(rows)
        memory[:rows] = outputs["tokens"]
        outputs["tokens"] = memory[:rows]  # a view, overwritten by the next call

    entry = replace(heard, batch=Batch(1, largest))
    found = differences(answers(vectors, change), entry, vectors["audio_encoder"])
    assert (found, seen) == (exact(heard), batches)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda tokens: tokens.astype(np.float16), "is float16 [3, {tokens}, {width}]"),
        (lambda tokens: tokens[:, :5], "is float32 [3, 5, {width}]"),
        (lambda tokens: None, "is missing"),
    ],
)
def test_an_output_of_another_type_or_shape_is_named(vectors, heard: GraphEntry, change: Any, says: str) -> None:
    graph = answers(vectors, lambda outputs: outputs.update(tokens=change(outputs["tokens"])))
    with pytest.raises(ValueError, match="the output tokens") as refused:
        differences(graph, heard, vectors["audio_encoder"])
    template = f"the output tokens {says}, float32 [3, {{tokens}}, {{width}}] is expected"
    _, tokens, width = heard.outputs[0].shape
    assert str(refused.value) == template.format(tokens=tokens, width=width)


class Changed(OrtBackend):
    """ONNX Runtime, but what one graph gives is changed."""

    def __init__(self, bundle: Bundle, name: GraphName, change: Callable[[Arrays], None]) -> None:
        super().__init__(bundle, threads=1)
        graph = get_graph(self, name)

        def changed(inputs: Mapping[str, Any]) -> Arrays:
            outputs = graph(inputs)
            change(outputs)
            return outputs

        setattr(self, name, changed)


def off(output: str, by: float) -> Callable[[Arrays], None]:
    """One number of an output is off."""

    def change(outputs: Arrays) -> None:
        outputs[output].flat[-1] += by

    return change


def fail(error: Exception) -> Callable[[Arrays], None]:
    def change(_: Arrays) -> None:
        raise error

    return change


@pytest.mark.parametrize("share", [0, 0.5, -0.5])
def test_a_backend_within_the_tolerance_is_proven(shipped_bundle: Bundle, share: float) -> None:
    by = share * shipped_bundle.manifest.graphs.fusion.tolerance
    backend = Changed(shipped_bundle, "fusion", off("logits", by))
    proofs = prove(shipped_bundle, backend)
    assert [proof.graph for proof in proofs] == list(NAMES)
    assert all(proof.is_within_tolerance for proof in proofs)
    assert proofs[2].difference == pytest.approx(abs(by), abs=1e-5)
    assert describe_failures(shipped_bundle, backend, proofs) is None


@pytest.mark.parametrize(
    ("name", "output", "by", "says"),
    [
        ("image_encoder", "embedding", 0.25, "0.25"),
        ("audio_encoder", "tokens", -8.0, "8"),
        ("fusion", "logits", 2.1, "2.1"),
        ("fusion", "video_embedding", -0.13, "0.13"),
        ("fusion", "logits", np.nan, "inf"),
    ],
)
def test_a_graph_that_is_off_is_named_with_its_difference_and_tolerance(
    shipped_bundle: Bundle, name: GraphName, output: str, by: float, says: str
) -> None:
    backend = Changed(shipped_bundle, name, off(output, by))
    proofs = prove(shipped_bundle, backend)
    assert [proof.graph for proof in proofs if not proof.is_within_tolerance] == [name]
    assert describe_failures(shipped_bundle, backend, proofs) == (
        f"foal-nano on onnxruntime-cpu: {name} differs by {says} from its golden outputs, more than its tolerance 0.001"
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda outputs: outputs.update(logits=outputs["logits"][:, :3]), "the output logits is float32 [3, 3], flo"),
        (lambda outputs: outputs.pop("logits"), "the output logits is missing, float32 [3, 4] is expected"),
        (fail(RuntimeError("a node of another kind")), "a node of another kind"),
    ],
    ids=["another shape", "no output", "an engine's own error"],
)
def test_a_graph_that_cannot_be_compared_is_no_proof(shipped_bundle: Bundle, change: Any, says: str) -> None:
    backend = Changed(shipped_bundle, "fusion", change)
    proofs = prove(shipped_bundle, backend)
    assert [proof.is_within_tolerance for proof in proofs] == [True, True, False]
    problem = describe_failures(shipped_bundle, backend, proofs)
    assert problem is not None
    assert problem.startswith("foal-nano on onnxruntime-cpu: fusion cannot be compared with its golden outputs: ")
    assert says in problem


@pytest.mark.parametrize("error", [EngineError("the GPU has gone"), MemoryError("none left")])
def test_what_is_no_fault_of_a_graph_ends_the_proof(shipped_bundle: Bundle, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        prove(shipped_bundle, Changed(shipped_bundle, "fusion", fail(error)))


def test_all_graphs_that_are_off_are_named(shipped_bundle: Bundle, shipped: Recognizer) -> None:
    proofs = [Proof("image_encoder", 3.0, 1.0), Proof("audio_encoder", 1.0, 1.0), Proof("fusion", math.nan, 1.0)]
    problem = describe_failures(shipped_bundle, shipped.backend, proofs)
    assert problem is not None
    assert ("image_encoder" in problem, "audio_encoder" in problem, "fusion" in problem) == (True, False, True)


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_is_found_by_its_name(shipped: Recognizer, name: GraphName) -> None:
    assert get_graph(shipped.backend, name) is getattr(shipped.backend, name)


@dataclass
class Shifted:
    """A backend one of whose graphs adds to its floats."""

    backend: Any
    graph: str
    shift: float
    name: str = "shifted"
    about: str = "this test"

    def __getattr__(self, name: str) -> Any:
        graph = getattr(self.backend, name)
        if name != self.graph:
            return graph
        return lambda inputs: {
            output: array + np.float32(self.shift) if array.dtype == np.float32 else array
            for output, array in graph(inputs).items()
        }


def test_onnx_runtime_is_sound_on_the_shipped_bundle(shipped_bundle, shipped) -> None:
    findings = list(examine(shipped_bundle, shipped.backend, prove(shipped_bundle, shipped.backend)))
    assert [finding.proof.graph for finding in findings] == list(NAMES)
    for finding in findings:
        assert finding.proof.is_within_tolerance
        assert finding.precision == "fp32"
        assert finding.median_ms > 0


@pytest.mark.parametrize("graph", NAMES)
@pytest.mark.parametrize(("shift", "audio"), [(1e-4, True), (0.01, False), (math.nan, False)])
def test_a_graph_that_is_too_far_off_is_found_and_no_other(shipped_bundle, shipped, graph, shift, audio) -> None:
    proofs = prove(shipped_bundle, Shifted(shipped.backend, graph, shift))
    assert {proof.graph: proof.is_within_tolerance for proof in proofs} == {
        name: audio or name != graph for name in NAMES
    }


def test_the_difference_is_the_largest_of_all_outputs(shipped_bundle, shipped) -> None:
    found = {proof.graph: proof for proof in prove(shipped_bundle, Shifted(shipped.backend, "fusion", 0.5))}
    assert found["fusion"].difference == pytest.approx(0.5, abs=1e-3)


def test_a_graph_that_cannot_be_run_has_no_time(shipped_bundle, shipped) -> None:
    proofs = [Proof("audio_encoder", 0.0, 1.0), Proof("fusion", math.inf, 1.0, "cannot be compared")]
    runs, fails = examine(shipped_bundle, shipped.backend, proofs)
    assert runs.median_ms > 0
    assert math.isnan(fails.median_ms)


def test_a_batch_of_one_is_timed_after_a_first_run() -> None:
    calls: list[int] = []
    median_ms(lambda inputs: calls.append(len(inputs["x"])) or {}, {"x": np.zeros((1, 2))})  # type: ignore[func-returns-value]
    assert calls == [1] * (TIMED_RUNS + 1)


def test_the_table_names_what_is_too_far() -> None:
    proofs = [Proof("fusion", difference, 0.01) for difference in (0.001, 0.02, math.inf)]
    findings = [Finding(proof, "fp16", 1.25) for proof in proofs]
    console = Console(width=120)
    with console.capture() as shown:
        console.print(findings_table(findings))
    rows = [line for line in shown.get().splitlines() if "fusion" in line]
    assert ["too far" in row for row in rows] == [False, True, True]
    assert all("1.25" in row and "1.0e-02" in row for row in rows)


def test_the_golden_inputs_hold_more_rows_than_one(shipped_bundle) -> None:
    assert {len(array) for arrays in golden.load(shipped_bundle).values() for array in arrays.values()} == {3}
