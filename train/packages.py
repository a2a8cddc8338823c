"""Packages that only training, export and the benchmarks need, such as torch, and files inside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from typing import Literal

from edge.errors import UsageError

AMX_AT_MOST = ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")
"""Variable that is set before torch is imported: Torch 2.14's oneDNN computes grouped bfloat16 convolutions, which
WavLM has, wrongly with AMX (by 4 deviations)."""
OWN = ("edge", "train", "export", "benchmarks")
"""Packages of the project: one of their modules that is missing is a defect, which no installation mends."""


@contextmanager
def explain_missing(extra: Literal["train", "dev", "spread"] = "train") -> Iterator[None]:
    """Raise UsageError with the extra that brings a package where an import fails because it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in OWN:
            raise
        raise UsageError(
            f"the Python package {package} is not installed, which this program needs beyond the runtime; "
            f"in the checkout: pip install -e '.[{extra}]'"
        ) from error


def file_of(package: str, path: str, *, use: str, remedy: str) -> str:
    """Return the path of a file inside a package, which is not imported.

    UsageError where it is not installed; `use` and `remedy` say what it does and how to get it or to do without.
    """
    try:
        return str(distribution(package).locate_file(path))
    except PackageNotFoundError as error:
        raise UsageError(f"{use} by {package}, which is not installed: {remedy}") from error
