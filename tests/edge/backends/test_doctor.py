"""What a device makes of golden vectors: the shipped bundle on ONNX Runtime, and backends that are off."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from edge.backends.doctor import TIMED_RUNS, Finding, examine, median_ms
from edge.backends.proof import Proof, prove
from edge.bundle import golden
from edge.bundle.load import SHIPPED, Bundle, load
from edge.cli.tables import findings_table

GRAPHS = ["image_encoder", "audio_encoder", "fusion"]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load(SHIPPED)


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


def test_onnx_runtime_is_sound_on_the_shipped_bundle(bundle, shipped) -> None:
    findings = list(examine(bundle, shipped.backend, prove(bundle, shipped.backend)))
    assert [finding.proof.graph for finding in findings] == GRAPHS
    for finding in findings:
        assert finding.proof.is_within_tolerance
        assert finding.precision == "fp32"
        assert finding.median_ms > 0


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize(("shift", "audio"), [(1e-4, True), (0.01, False), (math.nan, False)])
def test_a_graph_that_is_too_far_off_is_found_and_no_other(bundle, shipped, graph, shift, audio) -> None:
    proofs = prove(bundle, Shifted(shipped.backend, graph, shift))
    assert {proof.graph: proof.is_within_tolerance for proof in proofs} == {
        name: audio or name != graph for name in GRAPHS
    }


def test_the_difference_is_the_largest_of_all_outputs(bundle, shipped) -> None:
    found = {proof.graph: proof for proof in prove(bundle, Shifted(shipped.backend, "fusion", 0.5))}
    assert found["fusion"].difference == pytest.approx(0.5, abs=1e-3)


def test_a_graph_that_cannot_be_run_has_no_time(bundle, shipped) -> None:
    proofs = [Proof("audio_encoder", 0.0, 1.0), Proof("fusion", math.inf, 1.0, "cannot be compared")]
    runs, fails = examine(bundle, shipped.backend, proofs)
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


def test_the_golden_inputs_hold_more_rows_than_one(bundle) -> None:
    assert {len(array) for arrays in golden.load(bundle).values() for array in arrays.values()} == {3}
