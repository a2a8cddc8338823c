"""The program's own command line."""

import os
import subprocess
from pathlib import Path

from edge.system.own_program import own_command, own_paths


def test_a_module_runs_from_any_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": own_paths()}
    ended = subprocess.run(
        [*own_command(), "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("foal-edge")
    assert own_command("wire.page")[1:] == ["-m", "edge.wire.page"]
