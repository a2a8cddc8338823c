"""Costs by rows, and what decoding leaves of the cores."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.capacity import commands
from benchmarks.capacity.cost import CostModel
from edge.errors import UsageError


def test_decoders_go_first_and_the_loop_has_one_core_at_most(cost: CostModel) -> None:
    assert cost.free_cores(50) == pytest.approx(1.5)
    assert cost.slowdown(50) == 1.0
    assert cost.slowdown(150) == pytest.approx(2.0)  # half a core is left
    with pytest.raises(UsageError, match=r"decoding 196 streams takes 1.96 of 2 cores"):
        cost.slowdown(196)


def test_frames_are_framed_on_the_free_cores(cost: CostModel) -> None:
    assert cost.framing_ms(1, 0) == pytest.approx(1.0)
    assert cost.framing_ms(4, 0) == pytest.approx(2.0)
    assert cost.framing_ms(4, 50) == pytest.approx(4 / 1.5)
    assert cost.framing_ms(4, 150) == pytest.approx(8.0)


def test_the_measured_model_is_one() -> None:
    measured = commands.costs.read(commands.MEASURED)
    assert measured.cores >= 1
    assert min(each.row_ms for each in (measured.image_encoder, measured.audio_encoder, measured.fusion)) > 0


def test_other_files_are_refused(tmp_path: Path, cost: CostModel) -> None:
    path = tmp_path / "cost.json"
    with pytest.raises(UsageError, match=r"cannot read .*cost.json: No such file"):
        commands.costs.read(path)
    path.write_text("{}")
    with pytest.raises(UsageError, match=r"cost.json is no cost model"):
        commands.costs.read(path)
    path.write_bytes(msgspec.json.encode(cost))
    assert commands.costs.read(path) == cost
    assert commands.costs.with_cores(cost, 8).free_cores(50) == pytest.approx(7.5)
