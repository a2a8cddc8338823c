"""Progress of a training: a bar for the current epoch, a line for each finished one, and TensorBoard's files."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TypeVar

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track
from torch import Tensor

from .processes import Processes
from .stage import Stage, StageProgress

console = Console(soft_wrap=True, markup=False, emoji=False)
"""Console whose texts are taken as they are: labels and paths may hold brackets and colons."""

Item = TypeVar("Item")


def progress(items: Sequence[Item], what: str, shown: bool = True) -> Iterable[Item]:
    """Return the items under a progress bar with the label `what`."""
    return track(items, what, console=console, disable=not shown)


class Log:
    """Log of one stage; only the main process writes and prints."""

    def __init__(self, stage: Stage, processes: Processes, place: StageProgress, steps: int) -> None:
        # Imported here: it takes a second, and no other part of the training needs it.
        from torch.utils.tensorboard import SummaryWriter

        self._stage, self._processes, self._steps = stage, processes, steps
        self.sums = {name: math.nan if value is None else value for name, value in place.sums.items()}
        self._began = time.monotonic()
        self._done = place.epoch + place.step / steps
        self._start = self._done
        folder = stage.path.parent / "tensorboard" / stage.path.stem
        first = place.epoch * steps + place.step
        self._writer = SummaryWriter(str(folder), purge_step=first) if processes.is_main else None
        if processes.is_main and self._done:
            console.print(f"{stage.name}: {self._done:.4g} of {stage.schedule.epochs} epochs found in {stage.path}")

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._writer:
            self._writer.close()

    def steps(self, epoch: int, first: int) -> Iterator[int]:
        """Yield an epoch's steps from `first` on, under a progress bar on a terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        hidden = not (console.is_terminal and self._processes.is_main)
        with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
            bar = progress.add_task(f"{self._stage.name} {epoch + 1}/{self._stage.schedule.epochs}", total=self._steps)
            for step in range(first, self._steps):
                progress.update(bar, completed=step)
                yield step

    def add(self, losses: dict[str, Tensor], step: int, learning_rate: float) -> None:
        """Add the losses of one step, numbered from the stage's beginning."""
        values = self._processes.mean(torch.stack([value.float() for value in losses.values()])).tolist()
        for name, value in zip(losses, values, strict=True):
            self.sums[name] = self.sums.get(name, 0.0) + value
            if self._writer:
                self._writer.add_scalar(f"step/{name}", value, step)
        if self._writer:
            self._writer.add_scalar("step/learning_rate", learning_rate, step)

    def flush(self) -> None:
        """Write to disk what was logged so far: a resumed run does not log the steps before its checkpoint again."""
        if self._writer:
            self._writer.flush()

    def means(self) -> dict[str, float]:
        """Return the epoch's mean losses and reset them for the next epoch."""
        means = {name: value / self._steps for name, value in self.sums.items()}
        self.sums = {}
        return means

    def epoch(self, figures: dict[str, float], epoch: int) -> None:
        """Log an epoch's figures, `epoch` counted from 0."""
        if not self._writer:
            return
        for name, value in figures.items():
            self._writer.add_scalar(f"epoch/{name}", value, (epoch + 1) * self._steps - 1)
        epochs = self._stage.schedule.epochs
        a_second = (epoch + 1 - self._start) / (time.monotonic() - self._began)
        shown = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        left = (epochs - epoch - 1) / a_second / 60
        console.print(f"{self._stage.name} {epoch + 1}/{epochs}  {shown}  {1 / a_second:.0f} s, {left:.0f} min left")
