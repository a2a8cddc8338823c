"""Training of one stage: AdamW over epochs, saved to disk regularly, so that a killed run loses little.

Every random draw depends on the seed and the step alone, so a resumed run gives what the killed one would have given.
"""

import math
from collections.abc import Callable

import msgspec
import torch
from torch import Tensor, nn

from edge.errors import UsageError

from .config import Schedule
from .log import Log
from .processes import SINGLE_PROCESS, Processes
from .sampling import batches
from .stage import Stage, StageProgress, State, resume, save
from .tensors import read_tensors, write_tensors

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Loss = Callable[[Tensor, torch.Generator], dict[str, Tensor]]
"""Function from indices int64 `[b]` of this process and the step's generator, the same in all processes, to losses by
name: `loss` is minimised, the others are logged."""
Check = Callable[[], dict[str, float]]


def optimise(
    stage: Stage, model: nn.Module, weights: Tensor, loss: Loss, check: Check, processes: Processes = SINGLE_PROCESS
) -> None:
    """Train `model` in place, or load it from the stage's file if an earlier run finished it.

    Examples are drawn by `weights` `[N]`. `check` runs after each epoch; with `stage.best`, `model` ends with the
    weights of the epoch whose figure of that name is highest, else with the last epoch's.
    """
    schedule = stage.schedule
    scaler = torch.amp.GradScaler(processes.device.type, enabled=schedule.precision == "fp16")
    state = State(model, make_optimiser(model, schedule), scaler)
    place = resume(stage, state)
    refuse_large_batch(stage.name, schedule, len(weights))
    draws = schedule.draws or len(weights)
    steps = draws // schedule.batch
    with Log(stage, processes, place, steps) as log:
        while place.epoch < schedule.epochs:
            indices = batches(weights, draws, schedule.batch, seeded_generator(stage.seed, -1 - place.epoch))
            model.train()
            for step in log.steps(place.epoch, place.step):
                count = place.epoch * steps + step
                rate = learning_rate(schedule, count / steps)
                losses = make_step(state, stage, processes.share(indices[step]), loss, rate, count, processes)
                log.add(losses, count, rate)
                if schedule.save_steps and (step + 1) % schedule.save_steps == 0 and step + 1 < steps:
                    write(
                        stage, state, msgspec.structs.replace(place, step=step + 1, sums=dict(log.sums)), processes, log
                    )
            model.eval()
            with torch.no_grad():
                figures = {**log.means(), **check()}
            place = StageProgress(place.epoch + 1, best=keep_best(stage, model, figures, place.best, processes))
            log.epoch(figures, place.epoch - 1)
            write(stage, state, place, processes, log)
    model.eval()
    if stage.best:
        load_best(stage, model)


def refuse_large_batch(name: str, schedule: Schedule, examples: int) -> None:
    """Raise UsageError if an epoch over so many examples has no full batch; `name` says of what."""
    draws = schedule.draws or examples
    if draws < schedule.batch:
        raise UsageError(
            f"{name}: a batch of {schedule.batch} from {draws} examples to train on; lower `batch` of this stage "
            "in the recipe, or add examples"
        )


def make_step(
    state: State, stage: Stage, indices: Tensor, loss: Loss, rate: float, count: int, processes: Processes
) -> dict[str, Tensor]:
    """Do step number `count` with the learning rate `rate`; return the losses before the update."""
    schedule = stage.schedule
    # Torch's own generator (dropout) differs between processes, the one handed on does not.
    torch.manual_seed((stage.seed * 1_000_003 + count) * 1_009 + processes.index)
    with torch.autocast(processes.device.type, PRECISIONS[schedule.precision], schedule.precision != "fp32"):
        losses = loss(indices, seeded_generator(stage.seed, count))
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    state.optimiser.zero_grad()
    state.scaler.scale(losses["loss"]).backward()
    state.scaler.unscale_(state.optimiser)
    if schedule.largest_gradient is not None:
        nn.utils.clip_grad_norm_(state.model.parameters(), schedule.largest_gradient)
    state.scaler.step(state.optimiser)
    state.scaler.update()
    return losses


def make_optimiser(model: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """Build AdamW for the trainable parameters, without weight decay for vectors (biases, norms)."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=schedule.learning_rate)


def learning_rate(schedule: Schedule, epoch: float) -> float:
    """Return the learning rate at a fractional epoch: constant, or a linear warm-up and then a cosine to zero."""
    if schedule.rate == "constant":
        return schedule.learning_rate
    if epoch < schedule.warmup_epochs:
        return schedule.learning_rate * (epoch + 0.01) / (schedule.warmup_epochs + 0.01)
    done = (epoch - schedule.warmup_epochs) / max(schedule.epochs - schedule.warmup_epochs, 1e-9)
    return schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def seeded_generator(seed: int, count: int) -> torch.Generator:
    """Return the generator of step number `count`; numbers below 0 are for the order of an epoch."""
    return torch.Generator().manual_seed(seed * 1_000_003 + count)


def keep_best(stage: Stage, model: nn.Module, figures: dict[str, float], best: float, processes: Processes) -> float:
    """Return the best figure so far; this epoch's weights are written if its figure is the best."""
    if stage.best is None or figures[stage.best] <= best:
        return best
    if processes.is_main:
        write_tensors(stage.best_path, model.state_dict(), {"identity": stage.identity})
    return figures[stage.best]


def load_best(stage: Stage, model: nn.Module) -> None:
    """Load the best epoch's weights; UsageError if their file is missing or of another training."""
    found = read_tensors(stage.best_path) if stage.best_path.is_file() else None
    if found is None or found[1].get("identity") != stage.identity:
        raise UsageError(
            f"{stage.best_path}, the best epoch of {stage.path.name}, is {'missing' if found is None else 'of another'}"
            f"{'' if found is None else ' training'}; delete {stage.path.name}, too, to train again"
        )
    model.load_state_dict(found[0])


def write(stage: Stage, state: State, place: StageProgress, processes: Processes, log: Log) -> None:
    """Save from the main process; the other processes wait until it is done."""
    if processes.is_main:
        log.flush()
        save(stage, state, place)
    processes.wait()
