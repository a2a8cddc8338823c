"""Training survives being killed: a resumed run repeats what the killed one would have done."""

import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer.record_writer import RecordWriter
from torch import Tensor, nn

from edge.errors import UsageError
from train import optimise as optimising
from train.config import Schedule
from train.optimise import learning_rate, load_best, make_optimiser, optimise, seeded_generator
from train.processes import SINGLE_PROCESS, Processes
from train.stage import Stage, identity, save
from train.tensors import read_tensors, write_tensors

ROOT = Path(__file__).parents[2]
EPOCHS, STEPS = 3, 5
SCHEDULE = Schedule(epochs=EPOCHS, batch=4, draws=4 * STEPS + 3, learning_rate=1e-2)
SCORES = (0.4, 0.7, 0.7)
"""What the check says of each epoch: the best is the second, equalled by the third."""
X = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
Y = X.sum(dim=1, keepdim=True).sin()
KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from tests.train.test_optimise import SCHEDULE, Training, saving
torch.set_num_threads(1)
end = lambda: os.kill(os.getpid(), signal.SIGKILL)
Training(Path(sys.argv[1]), saving(SCHEDULE, 2), int(sys.argv[2]), end).run()
"""

Scalars = dict[str, dict[int, float]]
"""By tag and step, as TensorBoard shows them."""


def network() -> nn.Module:
    """With dropout and running statistics, so that every kind of state counts."""
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))


def interrupt() -> None:
    raise KeyboardInterrupt


class Second(Processes):
    """The second of two processes, without the first: what is gathered comes from it alone."""

    def __init__(self) -> None:
        super().__init__(2, 1, torch.device("cpu"))

    def gather(self, rows: Tensor, gradient: bool = False) -> Tensor:
        return torch.cat([rows, rows])

    def wait(self) -> None:
        pass


class Training:
    """One run of a stage that can end at a step, counted from the stage's beginning."""

    def __init__(
        self,
        path: Path,
        schedule: Schedule = SCHEDULE,
        ends_at: int | None = None,
        end: Callable[[], None] = interrupt,
        best: str | None = None,
        processes: Processes = SINGLE_PROCESS,
    ) -> None:
        self.model, self.processes, self.ends_at, self.end = network(), processes, ends_at, end
        self.stage = Stage("stage", schedule, 1234, repr(schedule), path, best)
        self.indices: list[list[int]] = []
        self.checks = 0

    @property
    def steps(self) -> int:
        return len(self.indices)

    def done(self) -> int:
        """Steps that the weights have seen, in this run and those before."""
        return int(self.model[1].num_batches_tracked)

    def loss(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        if self.done() == self.ends_at:
            self.end()
        self.indices.append(indices.tolist())
        assert self.model.training
        noise = torch.randn(len(indices), 6, generator=generator) / 10
        predicted = self.model(X[indices] + noise)
        assert predicted.dtype == optimising.PRECISIONS[self.stage.schedule.precision]
        squared = (predicted - Y[indices]).square().mean()
        return {"loss": squared + 0.1 * (predicted - Y[indices]).abs().mean(), "squared": squared}

    def check(self) -> dict[str, float]:
        self.checks += 1
        assert not self.model.training
        assert not torch.is_grad_enabled()
        return {"error": (self.model(X) - Y).square().mean().item(), "score": SCORES[self.done() // STEPS - 1]}

    def run(self) -> dict[str, Tensor]:
        optimise(self.stage, self.model, torch.ones(len(X)), self.loss, self.check, self.processes)
        assert not self.model.training
        return self.model.state_dict()


def saving(schedule: Schedule, steps: int | None) -> Schedule:
    return msgspec.structs.replace(schedule, save_steps=steps)


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in expected)


def scalars(path: Path) -> Scalars:
    """What TensorBoard shows of a stage; steps that a resumed run repeats count once."""
    read = EventAccumulator(str(path.parent / "tensorboard" / path.stem), size_guidance={"scalars": 0})
    read.Reload()
    shown: Scalars = {}
    for tag in read.Tags()["scalars"]:
        events = read.Scalars(tag)
        shown[tag] = {event.step: event.value for event in events}
        assert len(shown[tag]) == len(events), f"{tag} has a step twice"
    return shown


def wait_for_the_next_second() -> None:
    """TensorBoard reads its files in the order of their names, which begin with a whole second."""
    second = int(time.time())
    while int(time.time()) == second:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A run that nothing interrupted, of the schedule without saves within an epoch."""
    training = Training(tmp_path_factory.mktemp("whole") / "stage.safetensors")
    training.run()
    return training


@pytest.mark.parametrize("save_steps", [None, 1, 2])
@pytest.mark.parametrize("ends_at", range(EPOCHS * STEPS))
def test_interrupted_at_any_step_and_run_again_it_ends_where_the_uninterrupted_run_ends(
    tmp_path: Path, whole: Training, ends_at: int, save_steps: int | None
) -> None:
    path, schedule = tmp_path / "stage.safetensors", saving(SCHEDULE, save_steps)
    first = Training(path, schedule, ends_at)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    again = Training(path, schedule)
    found = again.run()
    repeated = ends_at % STEPS if save_steps is None else ends_at % STEPS % save_steps
    assert (first.steps, again.steps) == (ends_at, EPOCHS * STEPS - ends_at + repeated)
    assert first.indices[: ends_at - repeated] + again.indices == whole.indices
    assert same(found, whole.model.state_dict())
    assert same(read_tensors(path)[0], read_tensors(whole.stage.path)[0])


def test_interrupted_again_and_again_it_ends_where_the_uninterrupted_run_ends(tmp_path: Path, whole: Training) -> None:
    path, schedule = tmp_path / "stage.safetensors", saving(SCHEDULE, 2)
    for ends_at in (3, 3, 4, 9, 12, 14):
        with pytest.raises(KeyboardInterrupt):
            Training(path, schedule, ends_at).run()
    assert same(Training(path, schedule).run(), whole.model.state_dict())


def test_killed_for_real_within_an_epoch_it_ends_as_if_it_had_not_been(tmp_path: Path, whole: Training) -> None:
    path, ends_at, resumes_at = tmp_path / "stage.safetensors", STEPS + 3, STEPS + 2
    command = [sys.executable, "-W", "error", "-c", KILLED, str(path), str(ends_at)]
    killed = subprocess.run(command, cwd=ROOT, timeout=60, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    wait_for_the_next_second()
    again = Training(path, saving(SCHEDULE, 2))
    found = again.run()
    assert again.steps == EPOCHS * STEPS - resumes_at
    assert same(found, whole.model.state_dict())
    shown, expected = scalars(path), scalars(whole.stage.path)
    assert (
        set(shown)
        == set(expected)
        == {
            *("step/loss", "step/squared", "step/learning_rate"),
            *("epoch/loss", "epoch/squared", "epoch/error", "epoch/score"),
        }
    )
    for tag in ("step/loss", "step/squared", "step/learning_rate"):
        assert list(expected[tag]) == list(range(EPOCHS * STEPS))
        after = {step: value for step, value in shown[tag].items() if step >= resumes_at}
        assert after == {step: expected[tag][step] for step in range(resumes_at, EPOCHS * STEPS)}
        assert shown[tag].items() <= expected[tag].items()
    # The mean of an epoch that was interrupted is that of all its steps.
    second = [[list(log[tag].values())[-2:] for tag in log if tag.startswith("epoch/")] for log in (shown, expected)]
    assert second[0] == second[1]


def test_what_was_saved_within_an_epoch_is_in_tensorboards_file_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Training
) -> None:
    """Else a kill loses steps that no resumed run repeats."""
    path, write, seen = tmp_path / "stage.safetensors", RecordWriter.write, []

    def write_slowly(self: RecordWriter, data: bytes) -> None:
        time.sleep(0.02)
        write(self, data)

    def save_and_look(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        seen.append(list(scalars(path).get("step/loss", {})))

    monkeypatch.setattr(RecordWriter, "write", write_slowly)
    monkeypatch.setattr(optimising, "save", save_and_look)
    with pytest.raises(KeyboardInterrupt):
        Training(path, saving(SCHEDULE, 2), ends_at=STEPS).run()
    assert seen == [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]]


def test_the_figures_of_an_epoch_are_shown_although_it_was_interrupted_once_it_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Training
) -> None:
    path = tmp_path / "stage.safetensors"

    def save_and_end(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        interrupt()

    with monkeypatch.context() as patched:
        patched.setattr(optimising, "save", save_and_end)
        with pytest.raises(KeyboardInterrupt):
            Training(path).run()
    wait_for_the_next_second()
    Training(path).run()
    assert list(scalars(path)["epoch/score"].values()) == pytest.approx(SCORES)


def test_a_finished_stage_is_loaded_and_not_trained(tmp_path: Path, whole: Training) -> None:
    Training(tmp_path / "stage.safetensors").run()
    again = Training(tmp_path / "stage.safetensors")
    found = again.run()
    assert (again.steps, again.checks) == (0, 0)
    assert same(found, whole.model.state_dict())


def test_each_epoch_is_checked_once_and_written(tmp_path: Path, whole: Training) -> None:
    training = Training(tmp_path / "stage.safetensors", ends_at=2 * STEPS)
    with pytest.raises(KeyboardInterrupt):
        training.run()
    assert training.checks == 2
    about = read_tensors(training.stage.path)[1]
    assert msgspec.json.decode(about["place"]) == [{"epoch": 2, "step": 0, "sums": {}, "best": -1.0}]
    assert whole.checks == EPOCHS


@pytest.mark.parametrize("changed", [{"epochs": 5}, {"batch": 8}, {"learning_rate": 2e-2}, {"precision": "bf16"}])
def test_another_schedule_is_refused(tmp_path: Path, changed: dict) -> None:
    path = tmp_path / "stage.safetensors"
    with pytest.raises(KeyboardInterrupt):
        Training(path, ends_at=STEPS).run()
    other = Training(path, msgspec.structs.replace(SCHEDULE, **changed))
    with pytest.raises(UsageError, match=r"stage\.safetensors was trained with another configuration.*--run"):
        other.run()
    assert other.steps == 0


def test_the_weights_of_the_best_epoch_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "stage.safetensors"
    with pytest.raises(KeyboardInterrupt):
        Training(path, ends_at=2 * STEPS).run()
    second = {key.removeprefix("model."): t for key, t in read_tensors(path)[0].items() if key.startswith("model.")}
    best = Training(tmp_path / "best" / "stage.safetensors", best="score")
    found = best.run()
    assert best.checks == EPOCHS
    assert best.done() == 2 * STEPS
    assert same(found, second)
    finished = Training(best.stage.path, best="score")
    assert same(finished.run(), second)
    assert finished.steps == 0


@pytest.mark.parametrize("save_steps", [None, 2])
@pytest.mark.parametrize("epoch", range(EPOCHS))
def test_the_best_epoch_is_kept_when_a_kill_comes_between_its_weights_and_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int, save_steps: int | None
) -> None:
    expected = Training(tmp_path / "whole" / "stage.safetensors", best="score").run()
    path, schedule = tmp_path / "stage.safetensors", saving(SCHEDULE, save_steps)
    first = Training(path, schedule, best="score")

    def save_or_end(*arguments: object) -> None:
        if first.done() == (epoch + 1) * STEPS:
            interrupt()
        save(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(optimising, "save", save_or_end)
        with pytest.raises(KeyboardInterrupt):
            first.run()
    assert int(read_tensors(first.stage.best_path)[0]["1.num_batches_tracked"]) == min(epoch + 1, 2) * STEPS
    again = Training(path, schedule, best="score")
    assert same(again.run(), expected)
    assert again.steps == (EPOCHS - epoch) * STEPS - (4 if save_steps else 0)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_other_precisions_train_and_go_on_exactly(tmp_path: Path, precision: str) -> None:
    schedule = msgspec.structs.replace(SCHEDULE, precision=precision, save_steps=2, epochs=2)
    expected = Training(tmp_path / "whole.safetensors", schedule)
    expected.run()
    path = tmp_path / "stage.safetensors"
    with pytest.raises(KeyboardInterrupt):
        Training(path, schedule, ends_at=STEPS + 3).run()
    found = Training(path, schedule).run()
    assert {tensor.dtype for tensor in found.values()} == {torch.float32, torch.int64}
    assert not same(found, network().state_dict())
    assert same(found, expected.model.state_dict())
    scaler = {name: read_tensors(tmp_path / name)[1]["scaler"] for name in ("stage.safetensors", "whole.safetensors")}
    assert scaler["stage.safetensors"] == scaler["whole.safetensors"]
    state = msgspec.json.decode(scaler["stage.safetensors"])[0]
    # In fp16 a step of these overflows, so there is something in the scaler to go on with.
    assert state.get("scale", 1.0) < 2.0**16
    assert ("scale" in state) == (precision == "fp16")


def test_in_fp16_a_step_that_overflows_is_left_out_and_the_scale_halved(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    schedule = Schedule(epochs=1, batch=1, draws=1, learning_rate=0.1, precision="fp16")
    stage = Stage("s", schedule, 0, "", tmp_path / "s.safetensors")
    optimise(stage, model, torch.ones(1), lambda *_: {"loss": model(torch.full((1, 2), 6e4)).sum()}, dict)
    assert same(model.state_dict(), before)
    assert msgspec.json.decode(read_tensors(stage.path)[1]["scaler"])[0]["scale"] == 2.0**15


def test_training_lowers_the_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "SCORES", (0.5,) * 30)
    training = Training(tmp_path / "s.safetensors", msgspec.structs.replace(SCHEDULE, epochs=30))
    before = training.model.eval()(X).sub(Y).square().mean().item()
    training.run()
    assert training.model(X).sub(Y).square().mean().item() < 0.7 * before


def one_step(tmp_path: Path, model: nn.Module, loss: Callable[[], Tensor], **changed: object) -> None:
    """A single step, in its epoch's beginning and without a warm-up."""
    schedule = msgspec.structs.replace(
        Schedule(epochs=1, batch=1, draws=1, learning_rate=0.1, warmup_epochs=0.0), **changed
    )
    stage = Stage("s", schedule, 0, identity(schedule), tmp_path / "s.safetensors")
    optimise(stage, model, torch.ones(1), lambda *_: {"loss": loss()}, dict)


def test_only_matrices_decay(tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    nn.init.ones_(model.weight)
    nn.init.ones_(model.bias)
    one_step(tmp_path, model, lambda: 0.0 * (model.weight.sum() + model.bias.sum()), weight_decay=0.5)
    assert model.weight.flatten().tolist() == pytest.approx([0.95] * 4)
    assert model.bias.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("largest", "norm"), [(5.0, 5.0), (1.0, 1.0), (1000.0, 500.0), (None, 500.0)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_gradients_are_clipped_where_a_limit_is_given(
    tmp_path: Path, largest: float | None, norm: float, precision: str
) -> None:
    model = nn.Linear(3, 1, bias=False)
    steep = torch.tensor([[300.0, 0.0, 400.0]])
    one_step(tmp_path, model, lambda: model(steep).sum(), largest_gradient=largest, precision=precision)
    assert model.weight.grad is not None
    torch.testing.assert_close(model.weight.grad, torch.tensor([[0.6, 0.0, 0.8]]) * norm)


def test_in_fp16_gradients_are_clipped_unscaled(tmp_path: Path) -> None:
    model, steep = nn.Linear(2, 1, bias=False), torch.tensor([[3.0, 4.0]])
    one_step(tmp_path, model, lambda: 0.1 * model(steep).float().sum(), largest_gradient=0.1, precision="fp16")
    assert model.weight.grad is not None
    torch.testing.assert_close(model.weight.grad, torch.tensor([[0.06, 0.08]]), rtol=1e-3, atol=0)


def test_what_is_frozen_is_not_optimised(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    one_step(tmp_path, model, lambda: model(torch.ones(1, 2)).sum(), weight_decay=0.5)
    after = model.state_dict()
    assert [key for key in before if torch.equal(before[key], after[key])] == ["0.weight", "0.bias"]
    grouped = [p for group in make_optimiser(model, SCHEDULE).param_groups for p in group["params"]]
    assert [id(p) for p in grouped] == [id(p) for p in model[1].parameters()]


@pytest.mark.parametrize("save_steps", [None, 1])
def test_a_process_that_is_not_the_main_one_neither_writes_nor_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], save_steps: int | None
) -> None:
    path, schedule = tmp_path / "run" / "stage.safetensors", saving(SCHEDULE, save_steps)
    Training(path, schedule, processes=Second()).run()
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")
    Training(path, schedule).run()
    assert sorted(file.name for file in path.parent.iterdir()) == ["stage.safetensors", "tensorboard"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["stage 1/3", "stage 2/3", "stage 3/3"]


def test_draws_follow_the_weights_and_as_many_as_there_are_where_none_are_given(tmp_path: Path) -> None:
    training = Training(tmp_path / "s.safetensors", Schedule(epochs=1, batch=3, learning_rate=0.0))
    weights = torch.ones(len(X)) * (torch.arange(len(X)) % 2)
    optimise(training.stage, training.model, weights, training.loss, lambda: {})
    assert [len(indices) for indices in training.indices] == [3] * (len(X) // 3)
    assert {index % 2 for indices in training.indices for index in indices} == {1}


def test_fewer_examples_than_a_batch_are_refused(tmp_path: Path) -> None:
    training = Training(tmp_path / "s.safetensors", Schedule(epochs=1, batch=len(X) + 1, learning_rate=0.1))
    with pytest.raises(UsageError, match=r"33.*32|32.*33"):
        training.run()


def test_steps_and_processes_have_dropout_of_their_own(tmp_path: Path) -> None:
    drawn: dict[Processes, list[list[float]]] = {SINGLE_PROCESS: [], Second(): []}
    model = nn.Linear(1, 1)
    schedule = Schedule(epochs=2, batch=2, draws=6, learning_rate=0.0)
    for processes, seen in drawn.items():

        def loss(indices: Tensor, generator: torch.Generator, seen: list = seen) -> dict[str, Tensor]:
            seen.append([*torch.rand(2).tolist(), *torch.rand(2, generator=generator).tolist()])
            return {"loss": model(torch.ones(1, 1)).sum()}

        stage = Stage("s", schedule, 7, "", tmp_path / "s.safetensors")
        optimise(stage, model, torch.ones(3), loss, dict, processes)
        stage.path.unlink(missing_ok=True)
    own, common = ([[row[part] for row in rows] for rows in drawn.values()] for part in (slice(2), slice(2, 4)))
    assert common[0] == common[1] == [torch.rand(2, generator=seeded_generator(7, step)).tolist() for step in range(6)]
    assert len({tuple(draw) for rows in own for draw in rows}) == 12


@pytest.mark.parametrize(
    ("epoch", "share"),
    [
        (0.0, 0.01 / 1.01),
        (0.5, 0.51 / 1.01),
        (1.0, 1.0),
        (2.0, (1 + math.cos(math.pi / 4)) / 2),
        (3.0, 0.5),
        (5.0, 0.0),
        (6.0, 0.0),
    ],
)
def test_the_learning_rate_warms_up_and_falls_along_a_cosine(epoch: float, share: float) -> None:
    schedule = msgspec.structs.replace(SCHEDULE, epochs=5, warmup_epochs=1.0)
    assert learning_rate(schedule, epoch) == pytest.approx(1e-2 * share, abs=1e-12)


def test_each_step_has_the_learning_rate_of_its_place(whole: Training) -> None:
    expected = {step: learning_rate(SCHEDULE, step / STEPS) for step in range(EPOCHS * STEPS)}
    assert scalars(whole.stage.path)["step/learning_rate"] == pytest.approx(expected, rel=1e-6)


def test_a_constant_rate_neither_warms_up_nor_falls(tmp_path: Path) -> None:
    schedule = msgspec.structs.replace(SCHEDULE, rate="constant", epochs=2)
    assert {learning_rate(schedule, epoch) for epoch in (0.0, 0.3, 1.0, 1.9)} == {1e-2}
    training = Training(tmp_path / "s.safetensors", schedule)
    training.run()
    shown = scalars(training.stage.path)["step/learning_rate"]
    assert shown == pytest.approx(dict.fromkeys(range(2 * STEPS), 1e-2), rel=1e-6)


def test_the_logs_means_are_those_of_its_steps(whole: Training) -> None:
    shown = scalars(whole.stage.path)
    for name in ("loss", "squared"):
        steps = list(shown[f"step/{name}"].values())
        means = [sum(steps[epoch * STEPS : (epoch + 1) * STEPS]) / STEPS for epoch in range(EPOCHS)]
        assert list(shown[f"epoch/{name}"].values()) == pytest.approx(means, rel=1e-6)


@pytest.mark.parametrize("fault", ["missing", "of another training"])
def test_a_best_epoch_that_is_not_the_stages_own_is_refused(tmp_path: Path, fault: str) -> None:
    stage = Stage(
        "best", Schedule(epochs=1, batch=1, learning_rate=0.1), 0, "this", tmp_path / "best.safetensors", "ua"
    )
    if fault != "missing":
        write_tensors(stage.best_path, network().state_dict(), {"identity": "that"})
    with pytest.raises(
        UsageError, match=rf"best epoch of best\.safetensors, is {fault}; delete best\.safetensors, too"
    ):
        load_best(stage, network())
