"""The processes that train together, started by `torchrun` or `accelerate launch`; a single one without either.

Dimensions: b rows of this process, B = b * count rows of all.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from accelerate import PartialState
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from edge.errors import UsageError

TIMEOUT = timedelta(hours=6)
"""For the slowest process: some have longer clips to embed."""


@dataclass(frozen=True)
class Processes:
    """All of them, and this one's place."""

    count: int
    index: int
    device: torch.device
    """Where this process computes."""

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes files and prints."""
        return self.index == 0

    def share(self, rows: Tensor) -> Tensor:
        """This process's rows of `[B, ...]`; UsageError where B is no multiple of the processes."""
        if len(rows) % self.count:
            raise UsageError(f"a batch of {len(rows)} cannot be shared by {self.count} processes; choose a multiple")
        return rows.chunk(self.count)[self.index]

    def gather(self, rows: Tensor, gradient: bool = False) -> Tensor:
        """`[b, ...]` of each process -> `[B, ...]`; with `gradient`, each gets back the sum of what all make of it."""
        if self.count == 1:
            return rows
        return GatherWithGradient.apply(rows, self.index) if gradient else gather_constant(rows)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of `[...]` over the processes, detached."""
        return self.gather(value.detach()[None]).mean(dim=0)

    def wrap(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are averaged over the processes when it is called and its result is derived."""
        module.to(self.device)
        return module if self.count == 1 else DistributedDataParallel(module, find_unused_parameters=True)

    def wait(self) -> None:
        """Until all have come this far."""
        if self.count > 1:
            distributed.barrier()


SINGLE_PROCESS = Processes(1, 0, torch.device("cpu"))


def join() -> Processes:
    """Join the processes that the launcher started; alone, on a GPU where there is one."""
    # Without `cpu`, accelerate starts nothing for processes that have no GPU: each would think itself alone.
    state = PartialState(cpu=not torch.cuda.is_available(), timeout=TIMEOUT)
    return Processes(state.num_processes, state.process_index, state.device)


def gather_constant(rows: Tensor) -> Tensor:
    """`[b, ...]` of each process -> `[B, ...]`, detached."""
    parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, rows.detach().contiguous())
    return torch.cat(parts)


class GatherWithGradient(torch.autograd.Function):
    """`gather_constant` whose backward pass sums what every process derived by these rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: int) -> Tensor:
        """`[b, ...]` -> `[B, ...]`."""
        ctx.index = index
        return gather_constant(rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """`[B, ...]` -> `[b, ...]`."""
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total.chunk(distributed.get_world_size())[ctx.index], None
