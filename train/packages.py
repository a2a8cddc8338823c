"""Packages that training and export need and the runtime does without, such as torch, and files inside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution

from edge.errors import UsageError

OWN = ("edge", "train", "export", "benchmarks")
"""Packages of the project: one of their modules that is missing is a defect, which no installation mends."""


@contextmanager
def explain_missing() -> Iterator[None]:
    """Raise UsageError with the remedy where an import fails because a package is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in OWN:
            raise
        raise UsageError(
            f"the Python package {package} is not installed, which training and export need beyond the runtime; "
            "in the checkout: pip install -e '.[train]'"
        ) from error


def file_of(package: str, path: str, *, use: str, remedy: str) -> str:
    """Return the path of a file inside a package, which is not imported.

    UsageError where it is not installed; `use` and `remedy` say what it does and how to get it or to do without.
    """
    try:
        return str(distribution(package).locate_file(path))
    except PackageNotFoundError as error:
        raise UsageError(f"{use} by {package}, which is not installed: {remedy}") from error
