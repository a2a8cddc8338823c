"""Which TensorRT is installed: `tensorrt` (on a Jetson, JetPack's own) or `tensorrt_rtx`; they share one API."""

import importlib
import re
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import EngineError

VariantName = Literal["tensorrt", "tensorrt-rtx"]
PACKAGES: dict[VariantName, str] = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
"""In the order of preference: the first times its kernels on the device it builds for."""
OLDEST = (10, 3)
"""Of `tensorrt`: JetPack 6.1 has it."""
REMEDY = (
    "on a Jetson make the virtual environment with --system-site-packages (docs/jetson.md), "
    "with a GeForce or RTX card pip install tensorrt-rtx cuda-python (docs/desktop-rtx.md), "
    "or take --backend onnxruntime"
)


@dataclass(frozen=True)
class TensorRTVariant:
    """One installed TensorRT."""

    name: VariantName
    version: str
    module: Any
    """The imported package; it has no types of its own."""

    @property
    def is_rtx(self) -> bool:
        """Whether kernels are made on the device when an engine is loaded, so that it can be built without one."""
        return self.name == "tensorrt-rtx"


def find(*wanted: VariantName) -> TensorRTVariant:
    """The first installed of those wanted, any without arguments; EngineError where there is none or it is too old."""
    names = wanted or tuple(PACKAGES)
    reasons = []
    for name in names:
        try:
            module = importlib.import_module(PACKAGES[name])
        except (ImportError, OSError) as error:
            reasons.append(f"{PACKAGES[name]}: {error}")
            continue
        version = str(getattr(module, "__version__", ""))
        if not version:
            reasons.append(f"{PACKAGES[name]} is another package here ({module})")
            continue
        if name == "tensorrt" and version_numbers(version) < OLDEST:
            reasons.append(f"{PACKAGES[name]} is {version}, 10.3 or later is needed")
            continue
        return TensorRTVariant(name, version, module)
    raise EngineError(f"no TensorRT to use ({'; '.join(reasons)})", REMEDY)


def version_numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
