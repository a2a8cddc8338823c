"""What a training shows: lines, a bar, and TensorBoard's files."""

import io
import time
from pathlib import Path

import pytest
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from train import log as logging
from train.config import Schedule
from train.log import Log, progress
from train.processes import SINGLE_PROCESS, Processes
from train.stage import Stage, StageProgress

STEPS = 4
STAGE = Stage("faces", Schedule(epochs=3, batch=1, learning_rate=0.1), 0, "", Path("faces.safetensors"))


class Second(Processes):
    """The second of two processes; the first one's losses are 10 higher."""

    def __init__(self) -> None:
        super().__init__(2, 1, torch.device("cpu"))

    def gather(self, rows: Tensor, gradient: bool = False) -> Tensor:
        return torch.cat([rows + 10, rows])


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return STAGE._replace(path=tmp_path / "run" / "faces.safetensors")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a person at a terminal gets to see."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=200, soft_wrap=True, color_system=None)
    monkeypatch.setattr(logging, "console", console)
    return shown


def scalars(stage: Stage) -> dict[str, list[tuple[int, float]]]:
    read = EventAccumulator(str(stage.path.parent / "tensorboard" / stage.path.stem), size_guidance={"scalars": 0})
    read.Reload()
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def losses(**values: float) -> dict[str, Tensor]:
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def wait_for_the_next_second() -> None:
    """TensorBoard reads its files in the order of their names, which begin with a whole second."""
    second = int(time.time())
    while int(time.time()) == second:
        time.sleep(0.01)


def test_losses_are_summed_averaged_and_shown_by_step(stage: Stage) -> None:
    with Log(stage, SINGLE_PROCESS, StageProgress(), STEPS) as log:
        for step in range(STEPS):
            log.add(losses(loss=step + 0.5, avel=2.0), step, learning_rate=0.25 * step)
        assert log.sums == {"loss": 8.0, "avel": 8.0}
        assert log.means() == {"loss": 2.0, "avel": 2.0}
        assert log.sums == {}
        log.add(losses(loss=7.0, avel=1.0), STEPS, learning_rate=0.0)
        assert log.sums == {"loss": 7.0, "avel": 1.0}
    assert scalars(stage) == {
        "step/loss": [(0, 0.5), (1, 1.5), (2, 2.5), (3, 3.5), (4, 7.0)],
        "step/avel": [(0, 2.0), (1, 2.0), (2, 2.0), (3, 2.0), (4, 1.0)],
        "step/learning_rate": [(0, 0.0), (1, 0.25), (2, 0.5), (3, 0.75), (4, 0.0)],
    }


def test_losses_need_not_be_of_one_precision_nor_free_of_gradients() -> None:
    log = Log(STAGE, Second(), StageProgress(), STEPS)
    weight = torch.tensor(3.0, requires_grad=True)
    log.add({"loss": weight * 1.0, "avel": torch.tensor(0.5).half(), "mem": torch.tensor(0.25).double()}, 0, 0.1)
    assert log.sums == {"loss": 8.0, "avel": 5.5, "mem": 5.25}
    assert weight.grad is None


def test_sums_of_an_interrupted_epoch_are_gone_on_with(stage: Stage) -> None:
    place = StageProgress(epoch=1, step=3, sums={"loss": 6.0})
    with Log(stage, SINGLE_PROCESS, place, STEPS) as log:
        assert list(log.steps(1, 3)) == [3]
        log.add(losses(loss=2.0), 7, 0.1)
        assert log.means() == {"loss": 2.0}
    assert place.sums == {"loss": 6.0}


@pytest.mark.parametrize("steps", [STEPS, 1])
def test_a_resumed_log_replaces_the_steps_that_are_repeated_and_keeps_the_others(stage: Stage, steps: int) -> None:
    place = StageProgress(epoch=2, step=steps // 2)
    first = 2 * steps + steps // 2
    with Log(stage, SINGLE_PROCESS, StageProgress(), steps) as log:
        for step in range(first + 1):
            log.add(losses(loss=step), step, 0.1)
            if step in (steps - 1, 2 * steps - 1):
                log.epoch({"ua": 0.5 * step}, step // steps)
    wait_for_the_next_second()
    with Log(stage, SINGLE_PROCESS, place, steps) as log:
        for step in range(first, 3 * steps):
            log.add(losses(loss=100 + step), step, 0.1)
        log.epoch({"ua": 9.0}, 2)
    shown = scalars(stage)
    kept, again = range(first), range(first, 3 * steps)
    assert shown["step/loss"] == [*((step, step) for step in kept), *((step, 100 + step) for step in again)]
    assert [value for _, value in shown["epoch/ua"]] == [0.5 * (steps - 1), 0.5 * (2 * steps - 1), 9.0]


def test_a_stage_begun_anew_replaces_what_is_there(stage: Stage) -> None:
    for value in (1.0, 2.0):
        with Log(stage, SINGLE_PROCESS, StageProgress(), STEPS) as log:
            log.add(losses(loss=value), 0, 0.1)
        if value == 1.0:
            wait_for_the_next_second()
    assert scalars(stage)["step/loss"] == [(0, 2.0)]


def test_an_epoch_is_a_line(stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 160.0, 220.0])
    monkeypatch.setattr(logging.time, "monotonic", lambda: next(now))
    with Log(stage, SINGLE_PROCESS, StageProgress(), STEPS) as log:
        log.epoch({"loss": 1.23456, "ua": 0.5}, 0)
        log.epoch({"loss": 1.0, "ua": 0.75}, 1)
    assert capsys.readouterr().out.splitlines() == [
        "faces 1/3  loss 1.2346  ua 0.5000  60 s, 2 min left",
        "faces 2/3  loss 1.0000  ua 0.7500  60 s, 1 min left",
    ]
    assert [value for _, value in scalars(stage)["epoch/ua"]] == [0.5, 0.75]


def test_a_resumed_stage_says_so_and_reckons_with_what_is_left(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([100.0, 130.0])
    monkeypatch.setattr(logging.time, "monotonic", lambda: next(now))
    with Log(stage, SINGLE_PROCESS, StageProgress(epoch=1, step=2), STEPS) as log:
        log.epoch({"ua": 0.5}, 1)
    assert capsys.readouterr().out.splitlines() == [
        f"faces: 1.5 of 3 epochs found in {stage.path}",
        "faces 2/3  ua 0.5000  60 s, 1 min left",
    ]


def test_another_process_writes_and_prints_nothing(stage: Stage, terminal: io.StringIO) -> None:
    with Log(stage, Second(), StageProgress(epoch=1), STEPS) as log:
        assert list(log.steps(1, 0)) == [0, 1, 2, 3]
        log.add(losses(loss=1.0), 4, 0.1)
        assert log.means() == {"loss": 6.0 / STEPS}
        log.epoch({"ua": 0.5}, 1)
    assert terminal.getvalue() == ""
    assert not stage.path.parent.exists()


def test_steps_run_under_a_bar_at_a_terminal(stage: Stage, terminal: io.StringIO) -> None:
    with Log(stage, SINGLE_PROCESS, StageProgress(), STEPS) as log:
        assert list(log.steps(2, 1)) == [1, 2, 3]
    assert "faces 3/3" in terminal.getvalue()
    assert "/4" in terminal.getvalue()


def test_steps_run_without_a_bar_elsewhere(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    with Log(stage, SINGLE_PROCESS, StageProgress(), STEPS) as log:
        assert list(log.steps(0, 0)) == [0, 1, 2, 3]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("shown", [True, False])
def test_progress_yields_the_same_items(terminal: io.StringIO, shown: bool) -> None:
    assert list(progress(["a", "b", "c"], "decoding audio", shown)) == ["a", "b", "c"]
    assert ("decoding audio" in terminal.getvalue()) == shown


def test_an_interrupted_stage_leaves_its_steps_readable(stage: Stage) -> None:
    def interrupted() -> None:
        with Log(stage, SINGLE_PROCESS, StageProgress(), STEPS) as log:
            log.add(losses(loss=1.0), 0, 0.1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert scalars(stage)["step/loss"] == [(0, 1.0)]
