"""`python -m train`: what the user can mend is said without a traceback."""

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
