"""A run without `--workers` imports neither Dask nor pickle's readers of it, though the extra is installed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

LIVE = """
import sys
sys.argv = ["foal-edge", {arguments}]
try:
    from edge.cli.main import run_command
    run_command()
except SystemExit as ended:
    assert not ended.code, ended.code
print([name for name in ("distributed", "dask", "cloudpickle", "edge.cluster.cluster") if name in sys.modules])
"""


@pytest.mark.parametrize("command", ["annotate", "--file"])
def test_a_run_without_workers_imports_no_dask(
    command: str, tmp_path: Path, make_clip: Callable[..., Path], tone: Callable[..., np.ndarray]
) -> None:
    voice = str(make_clip(tmp_path / "voice.wav", samples=tone(1.0)))
    more = ["-o", str(tmp_path), "--jobs", "1"] if command == "annotate" else ["--camera", "off", "--fast"]
    program = LIVE.format(arguments=repr([command, voice, *more])[1:-1])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
