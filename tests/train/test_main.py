"""The command: what the user can mend is said without a traceback."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.errors import UsageError
from tests.train import made
from train.__main__ import main, run_command


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


def test_the_corpora_are_found_by_the_environment(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["fit", "--config", str(made.SHIPPED)], env={"FOAL_DATA": str(tmp_path)})
    assert isinstance(result.exception, UsageError)
    assert str(tmp_path / "fer2013.npz") in str(result.exception)


@pytest.mark.parametrize("arguments", [["--only", "noses"], ["--threads", "0"]])
def test_an_option_that_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["fit", "--config", "c.yaml", "--data", ".", *arguments])
    assert result.exit_code == 2
    assert arguments[0] in result.output
