"""Files of tensors: safetensors with a readable header, written atomically; nothing is unpickled."""

import hashlib
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from edge.errors import UsageError
from edge.system.files import check_file, is_there


def fingerprint(module: nn.Module) -> str:
    """Return the sha256 of a module's weights, in hex."""
    digest = hashlib.sha256()
    for key, tensor in module.state_dict().items():
        digest.update(key.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def write_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, str]) -> None:
    """Write safetensors beside the old file, then replace it: a killed process leaves the old or the new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file({key: tensor.cpu().contiguous() for key, tensor in tensors.items()}, partial, about)
    os.replace(partial, path)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the header of a safetensors file; UsageError if it is missing or damaged."""
    if not is_there(path) or path.is_dir():
        raise UsageError(f"no checkpoint at {path}; python -m train fit makes one")
    check_file(path, "give a checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise UsageError(
            f"{path} is not a safetensors file ({error}); delete it and train again, or give another file"
        ) from error
