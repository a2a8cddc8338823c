"""Registry of backends: one entry each, in the order in which `auto` tries them.

A new backend is a module with the functions of `select.BackendModule` and an entry here. Nothing of a backend is
imported before it is tried.
"""

from dataclasses import dataclass

from ..bundle.manifest import DAMAGED_REMEDY
from ..errors import BundleError, EngineError, FoalError, UsageError

AUTO = "auto"
"""Choice of the best backend that can be used here."""


@dataclass(frozen=True)
class BackendEntry:
    """One backend, as far as it is known before its module is imported."""

    name: str
    """Name as `--backend` takes it; the name that a run publishes begins with it."""
    title: str
    """Name for people."""
    module: str
    """Module of the backend, relative to this package where it begins with a dot."""
    error: type[FoalError]
    """Error that refuses a backend whose outputs are not the golden ones."""
    remedy: str
    """Remedy shown with that error; `{folder}` stands for the bundle's folder, `{about}` for the processor or GPU."""
    is_automatic: bool = True
    """True if `auto` tries it."""
    needs_nvidia: bool = False
    """True if it runs on an NVIDIA GPU."""
    builds_engines: bool = False
    """True if it builds engines on the device, which are kept beside the bundle."""


BACKENDS = (
    BackendEntry(
        name="tensorrt",
        title="TensorRT",
        module=".tensorrt.backend",
        error=EngineError,
        remedy="foal-edge engines build BUNDLE --again rebuilds its engines, --backend onnxruntime goes without them",
        needs_nvidia=True,
        builds_engines=True,
    ),
    BackendEntry(
        name="ort-tensorrt",
        title="ONNX Runtime's TensorRT",
        module=".ort_gpu.tensorrt",
        error=EngineError,
        remedy="remove the folder engines of the bundle, or take --backend tensorrt, cuda or onnxruntime",
        is_automatic=False,
        needs_nvidia=True,
        builds_engines=True,
    ),
    BackendEntry(
        name="cuda",
        title="ONNX Runtime on CUDA",
        module=".ort_gpu.cuda",
        error=EngineError,
        remedy="update onnxruntime-gpu and the driver of {about}, or take --backend onnxruntime",
        needs_nvidia=True,
    ),
    BackendEntry(
        name="onnxruntime",
        title="ONNX Runtime",
        module=".onnxruntime",
        error=BundleError,
        remedy="the graphs in {folder} are not those that were exported, or ONNX Runtime computes them otherwise "
        f"on this processor, {{about}}: {DAMAGED_REMEDY}, in fp32 where it is in a lower precision",
    ),
)
"""All backends of this machine, the preferred one first; the last one runs everywhere."""
TRITON = BackendEntry(
    name="triton",
    title="Triton Inference Server",
    module=".triton.open",
    error=EngineError,
    remedy="give {about} the models of this bundle: python -m export triton {folder} -o REPOSITORY (docs/triton.md)",
    is_automatic=False,
)
"""Backend on a server, which has an address in place of a name: `triton://HOST:PORT`."""
SCHEMES = ("triton", "tritons")
"""Schemes of a server's address, the second one for TLS."""
EXPECTED_ADDRESS = "triton://HOST:PORT"
"""Form of such an address; docs/triton.md has the others."""


def choices() -> list[str]:
    """Return the names that `--backend` takes: `auto`, then those of all backends in alphabetical order."""
    return [AUTO, *sorted(entry.name for entry in BACKENDS)]


def is_address(wanted: str) -> bool:
    """Return whether a value of `--backend` is the address of a server, right or wrong."""
    return wanted.partition("://")[0] in SCHEMES and "://" in wanted


def expected() -> str:
    """Return what `--backend` takes, for people."""
    return f"{', '.join(choices())} or {EXPECTED_ADDRESS}"


def get_entry(name: str) -> BackendEntry:
    """Return the entry of a backend by its name; UsageError where there is none of the name."""
    for entry in BACKENDS:
        if entry.name == name:
            return entry
    raise UsageError(f"--backend {name!r}: one of {expected()} is expected")


def get_published_entry(published: str) -> BackendEntry:
    """Return the entry of the backend that published this name, e.g. `tensorrt-10.3.0 sm87`.

    The last entry, which runs everywhere, where the name is none of a backend here.
    """
    return next((entry for entry in BACKENDS if published.startswith(entry.name)), BACKENDS[-1])
