"""Copies of the shipped bundle with one change, and what the tests of hostile bundles ask: is it refused, at what cost?

A case is a change and what the refusal must say: what was found, and the remedy.
"""

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.bundle.load import SHIPPED, sha256
from edge.errors import BundleError
from tests.edge.made_onnx import weights_in

AGAIN = "take the bundle again or export it again"
EXPORT = "export the checkpoint again"
LEAVE_IT = "do not use this bundle"
UPDATE = "update onnxruntime, take the bundle again or export it again"
GIB_2 = 1 << 31


class Folder:
    """A bundle to be changed; what is written gets its hash into the manifest."""

    def __init__(self, path: Path) -> None:
        self.path, self.manifest = path, path / "manifest.json"

    def edit(self, value: Any, *keys: str | int) -> None:
        """Put `value` into the manifest at `keys`."""
        document = part = json.loads(self.manifest.read_text())
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = value
        self.manifest.write_text(json.dumps(document))

    def write(self, name: str, content: bytes) -> None:
        (self.path / name).write_bytes(content)
        keys = ("golden",) if name == "golden.npz" else ("graphs", name.removesuffix(".onnx"), "file")
        self.edit({"path": name, "sha256": sha256(self.path / name)}, *keys)

    def add(self, graph: str, content: bytes) -> None:
        """Put more fields behind those of a graph's model, which merges them."""
        self.write(f"{graph}.onnx", (self.path / f"{graph}.onnx").read_bytes() + content)

    def patch(self, graph: str, pattern: bytes, new: bytes) -> None:
        content, times = re.subn(pattern, new, (self.path / f"{graph}.onnx").read_bytes(), flags=re.DOTALL)
        assert times
        self.write(f"{graph}.onnx", content)

    def weigh(self, content: bytes, **claims: str) -> None:
        """Give the fusion a file of weights, and a tensor that says it lies in one."""
        (self.path / "fusion.data").write_bytes(content)
        file = {"path": "fusion.data", "sha256": sha256(self.path / "fusion.data")}
        self.edit(file, "graphs", "fusion", "weights")
        self.add("fusion", weights_in(**claims))

    def vectors(self, **arrays: Any) -> None:
        """Replace golden arrays (`fusion__logits`); None leaves one out."""
        with np.load(self.path / "golden.npz") as found:
            changed = dict(found) | {name.replace("__", "/"): array for name, array in arrays.items()}
        stream = io.BytesIO()
        np.savez(stream, **{name: array for name, array in changed.items() if array is not None})
        self.write("golden.npz", stream.getvalue())

    def member(self, content: bytes, claims: int | None = None, method: int = zipfile.ZIP_DEFLATED) -> None:
        """Replace the bytes of `fusion/logits`, and what the archive says of their number."""
        stream = io.BytesIO()
        with zipfile.ZipFile(self.path / "golden.npz") as found, zipfile.ZipFile(stream, "w") as archive:
            for name in found.namelist():
                if name == "fusion/logits.npy":
                    archive.writestr(name, content, method)
                    archive.getinfo(name).file_size = claims or len(content)
                else:
                    archive.writestr(name, found.read(name))
        self.write("golden.npz", stream.getvalue())


Case = tuple[Callable[[Folder], object], list[str]]


def copy_shipped(to: Path) -> Folder:
    return Folder(Path(shutil.copytree(SHIPPED, to)))


def assert_refused(folder: Folder, case: Case, use: Callable[[Path], object]) -> None:
    """Assert that the changed bundle is refused when used."""
    change, says = case
    change(folder)
    with pytest.raises(BundleError) as refused:
        use(folder.path)
    assert_says(str(refused.value), says)


def assert_says(message: str, says: list[str]) -> None:
    missing = [part for part in says if part not in message]
    assert not missing, f"{missing} not in: {message}"


MEASURED = """
import sys
from pathlib import Path
from edge.bundle import golden
from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import load
from edge.errors import BundleError

def peak_mb():
    return next(int(line.split()[1]) >> 10 for line in open("/proc/self/status") if line.startswith("VmPeak"))

began = peak_mb()
for path in sys.argv[1:]:
    try:
        bundle = load(Path(path))
        golden.load(bundle)
        OrtBackend(bundle, threads=1)
    except BundleError as error:
        print(peak_mb() - began, error)
"""
"""Print, for each bundle that is refused, the MB that this took at most and the refusal."""


def assert_refused_in_512_mb(cases: Mapping[str, Case], tmp_path: Path) -> None:
    """Assert that bundles are refused before a process has the memory that they claim."""
    folders = [copy_shipped(tmp_path / name.replace(" ", "-")) for name in cases]
    for folder, (change, _) in zip(folders, cases.values(), strict=True):
        change(folder)
    command = [sys.executable, "-c", MEASURED, *(str(folder.path) for folder in folders)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    for folder in folders:
        shutil.rmtree(folder.path)
    for line, (name, (_, says)) in zip(ended.stdout.splitlines(), cases.items(), strict=True):
        taken_mb, message = line.split(" ", 1)
        assert_says(message, says)
        assert int(taken_mb) < 512, f"{name}: {taken_mb} MB"
