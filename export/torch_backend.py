"""PyTorch as a backend, eager and compiled: the baseline for every engine.

Everything is float32, as in training: TF32 is off on a GPU. `ONEDNN_MAX_CPU_ISA`, which `python -m train` sets for
bfloat16, does not matter here.
"""

import copy
import os
import shutil
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from edge.backends.base import Array
from edge.bundle.manifest import GraphName
from edge.errors import UsageError
from train.checkpoint import Checkpoint
from train.foalnet import graph_modules
from train.fusion import Fused, Tokens

from .graphs import audio_tensors

DEVICES = ("cpu", "cuda")
MODES = {"cpu": "default", "cuda": "reduce-overhead"}
"""Mode of torch.compile by device; `reduce-overhead` captures CUDA graphs."""
MOST_SIZES = 1024
"""Largest number of batch sizes that a graph is compiled for; torch's default of 8 would run the others uncompiled."""


class TorchGraph:
    """One part of a Foal-Net; if `compiled`, for batches of 1, 2, 4, ... rows, each compiled on first use."""

    def __init__(self, name: GraphName, module: nn.Module, device: str, compiled: bool) -> None:
        self._inputs, self._outputs = tensor_names(name, module)
        self._device, self._compiled = device, compiled
        self._module = torch.compile(module, dynamic=False, mode=MODES[device]) if compiled else module
        self._sizes: set[int] = set()
        self._events = [torch.cuda.Event(enable_timing=True) for _ in range(2)] if device == "cuda" else []
        self._has_run = False

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the named outputs for the named inputs; the outputs belong to the caller."""
        self._has_run = False
        with torch.inference_mode():
            self._record(0)
            given = [tensor_of(inputs[name]).to(self._device) for name in self._inputs]
            rows = len(given[0])
            made = self._run([padded(tensor) for tensor in given] if self._compiled else given)
            outputs = [tensor[:rows].cpu().numpy() for tensor in ((made,) if isinstance(made, Tensor) else made)]
            self._record(1)
        self._has_run = True
        return dict(zip(self._outputs, outputs, strict=True))

    @property
    def device_ms(self) -> float | None:
        """GPU time of the last call, from the first copy to the last, waits for the host included; None on a CPU."""
        if not (self._events and self._has_run):
            return None
        self._events[1].synchronize()
        return float(self._events[0].elapsed_time(self._events[1]))

    def _run(self, tensors: list[Tensor]) -> Tensor | tuple[Tensor, ...]:
        rows = len(tensors[0])
        if not self._compiled or rows in self._sizes:
            return self._module(*tensors)  # type: ignore[no-any-return]
        import torch._dynamo  # takes a second

        with torch._dynamo.config.patch(recompile_limit=MOST_SIZES):
            made = self._module(*tensors)
        self._sizes.add(rows)
        return made  # type: ignore[no-any-return]

    def _record(self, which: int) -> None:
        if self._events:
            self._events[which].record()


class TorchBackend:
    """Backend of a checkpoint's three graphs in torch.

    It runs on `device`, `cpu` or `cuda`, with `threads` cores (0: torch's own setting), a number that applies to the
    whole process. A GPU works on a copy of the model.
    """

    def __init__(self, checkpoint: Checkpoint, device: str, compiled: bool, threads: int) -> None:
        check(device, compiled)
        if threads > 0:
            torch.set_num_threads(threads)
        self.name = f"torch-{'compiled' if compiled else 'eager'} {device}"
        self.about = f"torch {torch.__version__}, {torch.get_num_threads()} threads"
        """Description of the software and the device, for people."""
        model = checkpoint.model
        if device == "cuda":
            self.about = f"torch {torch.__version__}, {torch.cuda.get_device_name()}"
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
            model = copy.deepcopy(model).to(device)
        model.eval().float()
        modules = graph_modules(model)
        self.image_encoder = TorchGraph("image_encoder", modules["image_encoder"], device, compiled)
        self.audio_encoder = TorchGraph("audio_encoder", modules["audio_encoder"], device, compiled)
        self.fusion = TorchGraph("fusion", modules["fusion"], device, compiled)


def tensor_names(name: GraphName, module: nn.Module) -> tuple[Sequence[str], Sequence[str]]:
    """Return the inputs and outputs of a graph, by their names in the manifest."""
    if name == "image_encoder":
        return ["frames"], ["embedding"]
    if name == "audio_encoder":
        return audio_tensors(module)
    return Tokens._fields, Fused._fields


def check(device: str, compiled: bool) -> None:
    """Raise UsageError unless torch can run on the device and, if `compiled`, compile."""
    if device not in DEVICES:
        raise UsageError(f"device {device}: torch runs on {' or '.join(DEVICES)} here; give one of these")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"device cuda: torch {torch.__version__} finds no GPU; give cpu, or install torch for CUDA")
    compiler = os.environ.get("CXX", "g++")
    if compiled and shutil.which(compiler) is None:
        raise UsageError(
            f"torch.compile needs a C++ compiler and finds no {compiler}; apt install g++, or name one in CXX"
        )


def padded(tensor: Tensor) -> Tensor:
    """Return the tensor with its last row repeated up to the next power of two."""
    rows = len(tensor)
    more = (1 << (rows - 1).bit_length()) - rows
    return torch.cat([tensor, tensor[-1:].expand(more, *tensor.shape[1:])]) if more else tensor


def tensor_of(array: Array) -> Tensor:
    """Return a tensor of the array's own memory, or of a copy if torch cannot work on that."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))
