"""Machine that computed a run's numbers: on the same machine they are the same, bit by bit.

A processor's instructions decide in what order floats are added up, and so do the libraries and the number of threads.
"""

import os
import platform
import re
import reprlib
from pathlib import Path

import cv2
import msgspec
import numpy as np

from ..backends.onnxruntime import VERSION, processor

TELLING = re.compile(r"sse4_\d|avx\w*|fma|f16c|amx\w*|asimd\w*|fphp|sve\w*|sme(?!p)\w*|i8mm|bf16")
"""Pattern of the instruction sets by which kernels are chosen, as Linux names them on x86-64 and on Arm."""


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Properties of a machine that a run's floats depend on."""

    processor: str
    """Name and architecture of the processor."""
    instructions: list[str]
    """Instruction sets by which kernels are chosen: virtual machines give many processors one name."""
    cores: int
    """Number of cores, and of threads where no number is asked for."""
    versions: dict[str, str]
    """Versions of the libraries that compute."""


def here(cpuinfo: Path = Path("/proc/cpuinfo")) -> Machine:
    """Return the properties of this machine."""
    try:
        told = cpuinfo.read_text(errors="replace")
    except OSError:
        told = ""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", told, re.MULTILINE)
    return Machine(
        processor=f"{processor()} ({platform.machine()})",
        instructions=sorted(filter(TELLING.fullmatch, found[1].split() if found else [])),
        cores=os.cpu_count() or 1,
        versions={"numpy": np.__version__, "onnxruntime": VERSION, "opencv": cv2.__version__},
    )


def otherwise(recorded: Machine | None, this: Machine, threads: int) -> str | None:
    """Explain why a recording's floats may differ from those computed here; None where they may not.

    `threads` is the number that was asked for, 0 for as many as there are cores.
    """
    if recorded is None:
        return "it does not say on which machine it was recorded"
    reasons = []
    if recorded.processor != this.processor:
        reasons.append(f"it was recorded on {recorded.processor}, this is {this.processor}")
    elif changed := set(recorded.instructions) ^ set(this.instructions):
        reasons.append(f"its processor had other instructions than this one ({reprlib.repr(sorted(changed))})")
    if threads == 0 and recorded.cores != this.cores:
        reasons.append(f"it was recorded on {recorded.cores} cores, here are {this.cores}")
    for name in sorted(recorded.versions.keys() | this.versions.keys()):
        theirs, ours = (versions.get(name, "none") for versions in (recorded.versions, this.versions))
        if theirs != ours:
            reasons.append(f"it was recorded with {name} {theirs}, here is {ours}")
    return "; ".join(reasons) or None
