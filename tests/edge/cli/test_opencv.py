"""Which OpenCV runs, and what is said where it does not load."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


def start(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """foal-edge with what lies in a folder before what is installed."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); from edge.__main__ import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


NO_LIBRARY = "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')"


@pytest.mark.parametrize(
    ("cv2", "says", "arguments"),
    [
        (NO_LIBRARY, "libGL.so.1", []),
        (NO_LIBRARY, "libGL.so.1", ["devices"]),
        (NO_LIBRARY, "libGL.so.1", ["score", "clips.csv"]),
        ("raise ImportError('numpy.core.multiarray failed to import')", "multiarray failed", []),
        ("", "no attribute 'VideoCapture'", []),
    ],
    ids=["run", "devices", "score", "another numpy", "left behind"],
)
def test_one_that_does_not_load_is_named_with_the_remedy(
    cv2: str, says: str, arguments: list[str], tmp_path: Path
) -> None:
    (tmp_path / "cv2.py").write_text(cv2)
    ended = start(tmp_path, *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    assert says in ended.stderr
    remedy = re.search("pip install --force-reinstall --no-deps '(opencv.*?)'", ended.stderr)
    assert remedy is not None
    assert f'"{remedy[1]}"' in (Path(__file__).parents[3] / "pyproject.toml").read_text()


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["keys", "KEYS"], ["listen", "--help"]], ids=" ".join)
def test_commands_without_pictures_do_without_it(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1')")
    ended = start(tmp_path, *(word.replace("KEYS", str(tmp_path / "keys")) for word in arguments))
    assert (ended.returncode, ended.stderr) == (0, "")
