"""Processes that train together, started by `torchrun` or `accelerate launch`; a single one without either.

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
"""Longest wait for the slowest process: some have longer clips to embed."""


@dataclass(frozen=True)
class Processes:
    """Group of all processes, and the index of this one."""

    count: int
    index: int
    device: torch.device
    """Device of this process."""

    @property
    def is_main(self) -> bool:
        """True for the process that writes files and prints."""
        return self.index == 0

    def share(self, rows: Tensor) -> Tensor:
        """Return this process's rows of `[B, ...]`; UsageError if B is not a multiple of the number of processes."""
        if len(rows) % self.count:
            raise UsageError(f"a batch of {len(rows)} cannot be shared by {self.count} processes; choose a multiple")
        return rows.chunk(self.count)[self.index]

    def gather(self, rows: Tensor, gradient: bool = False) -> Tensor:
        """Gather `[b, ...]` of each process to `[B, ...]`; with `gradient`, the backward pass sums all gradients."""
        if self.count == 1:
            return rows
        return GatherWithGradient.apply(rows, self.index) if gradient else gather_constant(rows)

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of `[...]` over the processes, detached."""
        return self.gather(value.detach()[None]).mean(dim=0)

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return the module on this device, with gradients averaged over the processes in the backward pass."""
        module.to(self.device)
        return module if self.count == 1 else DistributedDataParallel(module, find_unused_parameters=True)

    def wait(self) -> None:
        """Wait until all processes have reached this call."""
        if self.count > 1:
            distributed.barrier()


SINGLE_PROCESS = Processes(1, 0, torch.device("cpu"))


def join() -> Processes:
    """Join the processes that the launcher started, or a single one without a launcher; on GPUs if there are any."""
    # Without `cpu`, accelerate starts no group for processes that have no GPU: each would run alone.
    state = PartialState(cpu=not torch.cuda.is_available(), timeout=TIMEOUT)
    return Processes(state.num_processes, state.process_index, state.device)


def gather_constant(rows: Tensor) -> Tensor:
    """Gather `[b, ...]` of each process to `[B, ...]`, detached."""
    parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, rows.detach().contiguous())
    return torch.cat(parts)


class GatherWithGradient(torch.autograd.Function):
    """Autograd function of `gather_constant` whose backward pass sums the gradients of all processes."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: int) -> Tensor:
        """Map `[b, ...]` to `[B, ...]`."""
        ctx.index = index
        return gather_constant(rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Map gradients `[B, ...]` to `[b, ...]`."""
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total.chunk(distributed.get_world_size())[ctx.index], None
