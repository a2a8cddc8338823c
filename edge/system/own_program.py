"""Command line of this very program, for processes of its own."""

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1]
PACKAGE = __package__.split(".")[0]
"""Name of the package: `foal_edge`, or `edge` in a checkout."""


def own_command(module: str | None = None) -> list[str]:
    """Return the command line of the package that this module is of, or of a module in it, e.g. `bench.worker`."""
    return [sys.executable, "-m", f"{PACKAGE}.{module}" if module else PACKAGE]


def own_paths() -> str:
    """Return the PYTHONPATH on which that package is found."""
    return os.pathsep.join(filter(None, (str(FOLDER.parent), os.environ.get("PYTHONPATH"))))
