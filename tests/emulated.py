"""A processor without VNNI, by emulation: Debian's qemu-user."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
QEMU = shutil.which("qemu-x86_64")
RUN = """
import sys
from pathlib import Path
import numpy as np
from edge.backends.onnxruntime import open_session
for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
    np.save(path.with_suffix(".npy"), open_session(path).run(None, dict(np.load(path.with_suffix(".npz"))))[0])
"""

needs_emulation = pytest.mark.skipif(
    QEMU is None or platform.machine() != "x86_64", reason="needs qemu-user on x86-64: apt-get install qemu-user"
)


Graphs = Mapping[str, tuple[bytes, Mapping[str, np.ndarray]]]
"""Models and their inputs, by name."""


def run_without_vnni(graphs: Graphs, folder: Path) -> dict[str, np.ndarray]:
    """The first output of each, as a processor with AVX2 alone computes them."""
    assert QEMU is not None
    for name, (model, inputs) in graphs.items():
        (folder / f"{name}.onnx").write_bytes(model)
        np.savez(folder / f"{name}.npz", **inputs)
    command = [QEMU, "-cpu", "Haswell", sys.executable, "-c", RUN, str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=600)
    return {name: np.load(folder / f"{name}.npy") for name in graphs}
