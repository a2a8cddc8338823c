"""`python -m train`: what the user can mend is said without a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import UsageError
from train.__main__ import run_command


def test_an_error_is_one_line_with_the_status_of_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fit", "--config", str(tmp_path / "none.yaml"), "--data", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["train", *command])
    with pytest.raises(SystemExit) as stopped:
        run_command()
    said = capsys.readouterr().err or f"{stopped.value.code}\n"
    assert said.startswith("train: no configuration at ")
    assert said.endswith("configs/\n")
    assert said.count("\n") == 1
    assert stopped.value.code == UsageError.exit_status


@pytest.mark.parametrize("program", ["train", "export"])
def test_ctrl_c_while_the_packages_are_imported_ends_without_a_traceback(program: str, tmp_path: Path) -> None:
    # A torch whose import is interrupted: Ctrl-C raises the same there, and no clock is needed to meet the moment.
    (tmp_path / "torch.py").write_text("raise KeyboardInterrupt\n")
    code = (
        f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); runpy.run_module({program!r}, run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (1, "Aborted!\n")
