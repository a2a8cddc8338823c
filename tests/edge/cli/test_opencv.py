"""Which OpenCV runs, and what is said where it does not load."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("cv2", "says"),
    [
        ("raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')", "libGL.so.1"),
        ("raise ImportError('numpy.core.multiarray failed to import')", "multiarray failed"),
        ("", "no attribute 'VideoCapture'"),
    ],
    ids=["system library", "another numpy", "left behind"],
)
def test_one_that_does_not_load_is_named_with_the_remedy(cv2: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text(cv2)
    started = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from edge.__main__ import main; main()"
    ended = subprocess.run([sys.executable, "-c", started], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    assert says in ended.stderr
    remedy = re.search("pip install --force-reinstall --no-deps '(opencv.*?)'", ended.stderr)
    assert remedy is not None
    assert f'"{remedy[1]}"' in (Path(__file__).parents[3] / "pyproject.toml").read_text()
