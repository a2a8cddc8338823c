"""Two processes compute what one does, losses, gradients, predictions and weights: on the CPU, through gloo.

Run by a launcher, this file is the program of each process: it writes what it found.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
import torch
from torch import Tensor, nn

from edge.errors import UsageError
from train import config
from train.clips.embed import FrameEmbeddings
from train.clips.examples import ClipBatch, Examples
from train.clips.learner import ClipLearner, predict
from train.config import Schedule
from train.fusion import Fusion, Tokens
from train.log import console
from train.objective import MODALITIES, Objective
from train.optimise import optimise
from train.processes import SINGLE_PROCESS, Processes, join
from train.stage import Stage
from train.tensors import read_tensors, write_tensors

ROOT = Path(__file__).parents[2]
WEIGHTS = config.Objective(avel=1.0, mem=0.5, audio_only=0.25, video_only=0.25)
PUBLISHED = msgspec.structs.replace(WEIGHTS, gather_gradient=False)
LABELS = torch.tensor([0, 0, 0, 0, 1, 2, 1, 0])
"""The first half is of one label: only the other process has negatives for it."""
COUNT, PIECES, PIECE, FRAMES, WIDTH = len(LABELS), 4, 6, 5, 8
CLIPS = 67
"""Evaluated 64 at a time by two processes, so 3 are left, which two cannot share alike."""
SCHEDULE = Schedule(epochs=2, batch=4, draws=21, learning_rate=1e-2, save_steps=2)
LEFT_AT = 8
"""The step at which a run is interrupted, in its second epoch."""

PARTS = ("classification", "avel", "mem")
TRAINED = ("audio_encoder.linear.weight", "fusion.audio_project.linear1.weight", "objective.fusion.log_scale")
"""Some that the auxiliary losses reach."""

Found = dict[str, Tensor]


class Pieces(nn.Module):
    """An audio encoder: a linear layer on each quarter of the sound."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(PIECE, WIDTH)

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.linear(waveform.view(len(waveform), PIECES, PIECE))
        return tokens, torch.arange(PIECES) * PIECE < length[:, None]


def learner(processes: Processes, weights: config.Objective, encoder: bool, dtype: torch.dtype) -> ClipLearner:
    """Without dropout, which differs between processes; `encoder` or else tokens are given as they are."""
    torch.manual_seed(3)
    fusion = Fusion(audio_width=WIDTH, video_width=WIDTH, classes=3, embedding_width=6, heads=2, layers=2)
    made = ClipLearner(Pieces() if encoder else None, Objective(fusion, weights, 0.1, processes))
    for module in made.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return made.to(dtype)


def batch(dtype: torch.dtype, rows: int = COUNT) -> ClipBatch:
    generator = torch.Generator().manual_seed(11)
    waveform = torch.randn(rows, PIECES * PIECE, generator=generator, dtype=torch.float64)
    video = torch.randn(rows, FRAMES, WIDTH, generator=generator, dtype=torch.float64)
    length = torch.randint(1, PIECES * PIECE + 1, (rows,), generator=generator)
    seen = torch.randint(1, FRAMES + 1, (rows,), generator=generator)
    return ClipBatch(waveform.to(dtype), length, video.to(dtype), torch.arange(FRAMES) < seen[:, None])


def tokens(dtype: torch.dtype) -> Tokens:
    """Of frozen encoders."""
    generator = torch.Generator().manual_seed(12)
    audio = torch.randn(COUNT, PIECES, WIDTH, generator=generator, dtype=torch.float64).to(dtype)
    heard = torch.randint(1, PIECES + 1, (COUNT,), generator=generator)
    return Tokens(audio, torch.arange(PIECES) < heard[:, None], *batch(dtype)[2:])


def derived(made: ClipLearner, processes: Processes) -> Found:
    """The losses of this process, and the gradients that it has after the backward pass."""
    dtype = next(made.parameters()).dtype
    module: nn.Module = made if made.audio_encoder else made.objective
    called = processes.wrap(module)
    given: ClipBatch | Tokens = batch(dtype) if made.audio_encoder else tokens(dtype)
    mine = type(given)(*map(processes.share, given))
    losses = called(mine, processes.share(LABELS), torch.Generator().manual_seed(21))
    losses["loss"].backward()
    gradients = {name: zero_for_none(parameter) for name, parameter in module.named_parameters()}
    return {f"loss {name}": value.detach() for name, value in losses.items()} | gradients


def zero_for_none(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()


CASES = {
    f"{kind}, {name}, {dtype}": (weights, kind == "encoder", dtype)
    for kind in ("fusion", "encoder")
    for name, weights in (("gradient", WEIGHTS), ("constant", PUBLISHED))
    for dtype in (torch.float32, torch.float64)
}


def examples() -> Examples:
    clips = batch(torch.float32, CLIPS)
    return Examples(
        utterances=(),
        labels=torch.arange(CLIPS) % 3,
        waveforms=[row[:length].numpy() for row, length in zip(clips.waveform, clips.length, strict=True)],
        embeddings=[
            FrameEmbeddings(row[mask].half(), torch.arange(int(mask.sum())) * 1_000_000_000)
            for row, mask in zip(clips.video_tokens, clips.video_mask, strict=True)
        ],
        rate_hz=PIECES * PIECE,
        samples=PIECES * PIECE,
        frame_rate_hz=float(FRAMES),
    )


def predicted(processes: Processes) -> Found:
    """Of all clips, in an order of their own, and of one alone."""
    made, rows = learner(processes, WEIGHTS, True, torch.float32).eval(), torch.arange(CLIPS).flip(0)
    found = predict(made, examples(), rows, MODALITIES, "fp32", processes)
    return {**found, "one": predict(made, examples(), rows[:1], ("both",), "fp32", processes)["both"]}


def trained(processes: Processes, folder: Path, left_at: int | None = None, best: str | None = None) -> Found:
    """The weights after `optimise`; or up to a step, as if all were killed there."""
    made = learner(processes, WEIGHTS, True, torch.float64)
    called, clips = processes.wrap(made), batch(torch.float64)
    steps = 0

    def loss(indices: Tensor, generator: torch.Generator) -> Found:
        nonlocal steps
        if steps == left_at:
            raise KeyboardInterrupt
        steps += 1
        return called(ClipBatch(*(part[indices] for part in clips)), LABELS[indices], generator)

    def check() -> dict[str, float]:
        own = ClipBatch(*map(processes.share, clips))
        likelihood = made.logits(own, "both").softmax(dim=1).gather(1, processes.share(LABELS)[:, None])
        return {"likelihood": processes.mean(likelihood.mean()).item()}

    # As long as every batch has two labels, whatever is drawn.
    weights = torch.where(LABELS == 0, 0.15, 1.0).double()
    stage = Stage("stage", SCHEDULE, 0, "", folder / "stage.safetensors", best)
    try:
        optimise(stage, made, weights, loss, check, processes)
    except KeyboardInterrupt:
        processes.wait()
    return made.state_dict()


def gathered(processes: Processes) -> Found:
    """Each kind of tensor that goes from process to process."""
    index, count = processes.index, processes.count
    rows = torch.full((2, 3), float(index), requires_grad=True)
    whole = processes.gather(rows, gradient=True)
    # What process i derives from row j of all.
    (whole * (torch.arange(2 * count)[:, None] + 10 * index)).sum().backward()
    constant = processes.gather(rows)
    assert rows.grad is not None
    refused = ""
    try:
        processes.share(torch.zeros(2 * count + 1))
    except UsageError as error:
        refused = str(error)
    return {
        "whole": whole.detach(),
        "gradient": rows.grad,
        "constant": constant.detach(),
        "bool": processes.gather(torch.tensor([index == 0, True])),
        "int": processes.gather(torch.tensor([index, 2**40 + index])),
        "half": processes.gather(torch.tensor([index + 0.5]).half()),
        "bfloat16": processes.gather(torch.tensor([index + 0.5]).bfloat16()),
        "strided": processes.gather(torch.arange(4).view(2, 2).T + 4 * index),
        "mean": processes.mean(torch.tensor([index, 3.0 * index + 1], requires_grad=True)),
        "mean of one": processes.mean(torch.tensor(index + 1.0)),
        "share": processes.share(torch.arange(3 * count)),
        "refused": torch.tensor(list(refused.encode()), dtype=torch.uint8),
        "place": torch.tensor([index, count, processes.is_main]),
    }


def work(processes: Processes, folder: Path) -> None:
    """Everything that two processes do."""
    for case, arguments in CASES.items():
        found = derived(learner(processes, *arguments), processes)
        write_tensors(folder / case / f"{processes.index}.safetensors", found, {})
    parts: dict[str, Callable[[], Found]] = {
        "gathered": lambda: gathered(processes),
        "predicted": lambda: predicted(processes),
        # A folder each: that of the second stays empty.
        "trained": lambda: trained(processes, folder / f"run {processes.index}"),
        "interrupted": lambda: trained(processes, folder / "one run", LEFT_AT, best="likelihood"),
        "resumed": lambda: trained(processes, folder / "one run", best="likelihood"),
    }
    for part, do in parts.items():
        with console.capture() as captured:
            found = do()
        write_tensors(folder / part / f"{processes.index}.safetensors", found, {"printed": captured.get()})


def launch(*command: object) -> None:
    """Run it to its end, two minutes at most."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        # The launcher ends its processes.
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes of `torchrun` left."""
    made = tmp_path_factory.mktemp("two")
    at = ["--master-addr", "127.0.0.1", "--master-port", free_port()]
    launch("torch.distributed.run", "--nproc-per-node", 2, *at, __file__, "work", made)
    return made


def both(folder: Path, part: str) -> list[tuple[Found, str]]:
    """What each of the two found, and printed."""
    read = [read_tensors(folder / part / f"{index}.safetensors") for index in range(2)]
    return [(tensors, about.get("printed", "")) for tensors, about in read]


class Played(Processes):
    """One of two processes, played by a thread: what is gathered is constant, its own rows too."""

    def __init__(self, index: int, board: dict[int, Tensor], barrier: threading.Barrier) -> None:
        super().__init__(2, index, torch.device("cpu"))
        self.board, self.barrier = board, barrier

    def gather(self, rows: Tensor, gradient: bool = False) -> Tensor:
        self.board[self.index] = rows
        self.barrier.wait(60)
        parts = [part.detach() for _, part in sorted(self.board.items())]
        self.barrier.wait(60)
        return torch.cat(parts)

    def wrap(self, module: nn.Module) -> nn.Module:
        return module


def played(weights: config.Objective, encoder: bool, dtype: torch.dtype) -> Found:
    """The mean of what two such processes find."""
    board: dict[int, Tensor] = {}
    barrier = threading.Barrier(2)
    processes = [Played(index, board, barrier) for index in range(2)]
    learners = [learner(each, weights, encoder, dtype) for each in processes]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(derived, learners, processes)
    return {name: (first[name] + second[name]) / 2 for name in first}


def losses_of(found: Found) -> Found:
    return {name: value for name, value in found.items() if name.startswith("loss ")}


def mean_of_losses(name: str, mine: Found, others: Found) -> Tensor:
    """A loss averaged over the two processes; a gradient as this process has it."""
    return (mine[name] + others[name]) / 2 if name.startswith("loss ") else mine[name]


def assert_same(found: Found, expected: Found, tolerance: float = 1e-6) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(
            found[name], tensor, rtol=tolerance, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("case", [case for case in CASES if "gradient" in case])
def test_losses_and_gradients_are_those_of_one_process_with_the_whole_batch(folder: Path, case: str) -> None:
    expected = derived(learner(SINGLE_PROCESS, *CASES[case]), SINGLE_PROCESS)
    (first, _), (second, _) = both(folder, case)
    assert {name for name in first if name.startswith("loss ")} == {f"loss {n}" for n in ("loss", *PARTS)}
    assert_same({name: mean_of_losses(name, first, second) for name in first}, expected)
    assert_same({name: mean_of_losses(name, second, first) for name in second}, expected)
    assert all(expected[name].abs().max() > 1e-4 for name in TRAINED if name in expected)


@pytest.mark.parametrize("case", [case for case in CASES if "constant" in case])
def test_without_gathered_gradients_the_losses_are_the_same_and_the_gradients_are_not(folder: Path, case: str) -> None:
    alone = derived(learner(SINGLE_PROCESS, *CASES[case]), SINGLE_PROCESS)
    (first, _), (second, _) = both(folder, case)
    found = {name: mean_of_losses(name, first, second) for name in first}
    assert_same(losses_of(found), losses_of(alone))
    name = "audio_encoder.linear.weight" if "encoder" in case else "fusion.audio_project.linear1.weight"
    assert (found[name] - alone[name]).abs().max() > 1e-3


@pytest.mark.parametrize("case", [case for case in CASES if "constant" in case])
def test_without_gathered_gradients_what_was_gathered_is_constant(folder: Path, case: str) -> None:
    (first, _), (second, _) = both(folder, case)
    assert_same({name: mean_of_losses(name, first, second) for name in first}, played(*CASES[case]))


def test_each_process_knows_its_place(folder: Path) -> None:
    assert [found["place"].tolist() for found, _ in both(folder, "gathered")] == [[0, 2, 1], [1, 2, 0]]


def test_rows_are_gathered_in_the_order_of_the_processes_whatever_they_hold(folder: Path) -> None:
    for found, _ in both(folder, "gathered"):
        assert found["whole"].tolist() == found["constant"].tolist() == [[0.0] * 3] * 2 + [[1.0] * 3] * 2
        assert found["bool"].tolist() == [True, True, False, True]
        assert found["bool"].dtype == torch.bool
        assert found["int"].tolist() == [0, 2**40, 1, 2**40 + 1]
        assert found["int"].dtype == torch.int64
        assert (found["half"].dtype, found["half"].tolist()) == (torch.float16, [0.5, 1.5])
        assert (found["bfloat16"].dtype, found["bfloat16"].tolist()) == (torch.bfloat16, [0.5, 1.5])
        assert found["strided"].tolist() == [[0, 2], [1, 3], [4, 6], [5, 7]]


def test_a_gathered_row_gets_back_what_all_derived_from_it(folder: Path) -> None:
    (first, _), (second, _) = both(folder, "gathered")
    assert first["gradient"].tolist() == [[0.0 + 10.0] * 3, [1.0 + 11.0] * 3]
    assert second["gradient"].tolist() == [[2.0 + 12.0] * 3, [3.0 + 13.0] * 3]


def test_a_mean_is_over_the_processes(folder: Path) -> None:
    for found, _ in both(folder, "gathered"):
        assert found["mean"].tolist() == [0.5, 2.5]
        assert (found["mean of one"].shape, found["mean of one"].item()) == ((), 1.5)


def test_a_share_is_the_processes_rows_and_a_batch_that_cannot_be_shared_is_refused(folder: Path) -> None:
    (first, _), (second, _) = both(folder, "gathered")
    assert (first["share"].tolist(), second["share"].tolist()) == ([0, 1, 2], [3, 4, 5])
    for found in (first, second):
        refused = bytes(found["refused"].tolist()).decode()
        assert refused == "a batch of 5 cannot be shared by 2 processes; choose a multiple"


def test_predictions_are_those_of_one_process_in_the_same_order(folder: Path) -> None:
    expected = predicted(SINGLE_PROCESS)
    assert {name: tuple(logits.shape) for name, logits in expected.items()} == {
        "audio": (CLIPS, 3),
        "video": (CLIPS, 3),
        "both": (CLIPS, 3),
        "one": (1, 3),
    }
    assert all(found.std(dim=0).min() > 1e-3 for name, found in expected.items() if name != "one")
    for found, _ in both(folder, "predicted"):
        assert_same(found, expected)


def test_two_processes_train_to_the_weights_of_one(folder: Path, tmp_path: Path) -> None:
    expected = trained(SINGLE_PROCESS, tmp_path)
    untrained = learner(SINGLE_PROCESS, WEIGHTS, True, torch.float64).state_dict()
    assert (expected["audio_encoder.linear.weight"] - untrained["audio_encoder.linear.weight"]).abs().max() > 1e-3
    for found, _ in both(folder, "trained"):
        assert_same(found, expected)


def test_only_the_first_process_writes_and_prints(folder: Path) -> None:
    (_, first), (_, second) = both(folder, "trained")
    assert [line.split("  ")[0] for line in first.splitlines()] == ["stage 1/2", "stage 2/2"]
    assert second == ""
    assert sorted(file.name for file in (folder / "run 0").iterdir()) == ["stage.safetensors", "tensorboard"]
    assert not (folder / "run 1").exists()


def test_two_processes_go_on_where_they_were_killed(folder: Path, tmp_path: Path) -> None:
    expected = trained(SINGLE_PROCESS, tmp_path, best="likelihood")
    interrupted, resumed = both(folder, "interrupted"), both(folder, "resumed")
    for found, _ in resumed:
        assert_same(found, expected)
    assert "found in" in resumed[0][1]
    assert resumed[1][1] == ""
    assert not torch.equal(interrupted[0][0]["objective.fusion.log_scale"], resumed[0][0]["objective.fusion.log_scale"])
    assert sorted(file.name for file in (folder / "one run").iterdir()) == [
        "stage.best.safetensors",
        "stage.safetensors",
        "tensorboard",
    ]
    assert len(list((folder / "one run" / "tensorboard" / "stage").iterdir())) == 2


def test_accelerate_launches_them_too(tmp_path: Path) -> None:
    # `--cpu` would start a single process; what `--multi_gpu` starts runs without a GPU, too.
    options = ["--multi_gpu", "--num_processes", 2, "--num_machines", 1, "--mixed_precision", "no"]
    options += ["--dynamo_backend", "no", "--main_process_port", free_port()]
    launch("accelerate.commands.launch", *options, __file__, "gathered", tmp_path)
    (first, _), (second, _) = both(tmp_path, "gathered")
    assert (first["place"].tolist(), second["place"].tolist()) == ([0, 2, 1], [1, 2, 0])
    assert first["int"].tolist() == second["int"].tolist() == [0, 2**40, 1, 2**40 + 1]


def test_alone_nothing_is_gathered_shared_or_waited_for() -> None:
    rows, module = torch.arange(6.0).view(3, 2), nn.Linear(2, 2)
    assert SINGLE_PROCESS.is_main
    assert SINGLE_PROCESS.gather(rows) is rows
    assert SINGLE_PROCESS.gather(rows, gradient=True) is rows
    assert torch.equal(SINGLE_PROCESS.share(rows), rows)
    assert SINGLE_PROCESS.mean(torch.tensor(2.5)).item() == 2.5
    assert SINGLE_PROCESS.wrap(module) is module
    SINGLE_PROCESS.wait()


if __name__ == "__main__":
    torch.set_num_threads(1)
    parts, into = sys.argv[1], Path(sys.argv[2])
    together = join()
    assert (together.count, together.device.type) == (2, "cpu"), together
    if parts == "work":
        work(together, into)
    else:
        write_tensors(into / "gathered" / f"{together.index}.safetensors", gathered(together), {})
    torch.distributed.destroy_process_group()
