"""The example for programs in Python runs, and imports what there is."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_example_runs(tmp_path: Path) -> None:
    """Under the name that the package has in a checkout."""
    copied = tmp_path / "in_python.py"
    copied.write_text((ROOT / "examples" / "in_python.py").read_text().replace("from foal_edge", "from edge"))
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(copied)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert "foal-nano" in lines[0]
    assert sum("steady:" in line for line in lines) == 8
    assert len(lines[-3:]) == 3
