"""The command on made corpora and the shipped bundle: what it leaves, and that it goes on where it was."""

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.errors import UsageError
from tests.train import made
from train.cli.main import main
from train.config import Config
from train.field.results import Results


@pytest.fixture(scope="module")
def root(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made corpora, with noises and photographs."""
    root = tmp_path_factory.mktemp("field")
    shutil.copytree(corpora, root, dirs_exist_ok=True)
    rng = np.random.default_rng(0)
    for name in ("emospeech_background/House_1", "emospeech_background/House_2", "impulse_responses/hall"):
        samples = rng.standard_normal(8000) * np.exp(-np.arange(8000) / 400)
        made.write_sound(root / "noise" / f"{name}.flac", (0.2 * samples).astype(np.float32))
    return root


@pytest.fixture(scope="module")
def config_path(tiny: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write_config(tmp_path_factory.mktemp("config") / "tiny.yaml", tiny)


def run(root: Path, config_path: Path, out: Path, *options: str) -> Result:
    command = ["field", "--data", str(root), "--config", str(config_path), "--out", str(out), "--most", "4", *options]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def test_every_condition_leaves_a_row(root: Path, config_path: Path, tmp_path: Path) -> None:
    result = run(root, config_path, tmp_path)
    assert result.exit_code == 0, result.output
    written = msgspec.json.decode((tmp_path / "field.json").read_bytes(), type=Results)
    rows = {f"{row.section}/{row.name}": row for row in written.rows}
    for name in (
        "voices/clean",
        "voices/babble 5 dB",
        "voices/rooms 0 dB",
        "voices/recorded impulse response",
        "voices/telephone",
        "nobody speaks, alone/digital silence",
        "nobody speaks, alone/rooms",
        "nobody speaks, under faces/all of these sounds",
        "faces cut out/FER2013, majority of ten raters",
        "faces cut out/FER2013, first labels",
        "voice and face of one label/clean: both",
        "voice and face of different labels/both",
    ):
        assert name in rows, name
        assert name.split("/")[1] in result.output.replace("\n", " ")
    assert rows["nobody speaks, alone/digital silence"].figures.uncertain == 1
    assert set(rows["voices/clean"].by) == {"corpus", "language", "sex", "label"}
    assert set(rows["voices/clean"].by["corpus"]) <= {"ravdess", "emodb", "nemo"}
    clean, quiet = rows["voices/clean"].figures, rows["voices/gain -30 dB"].figures
    assert clean.count == quiet.count == 4
    table = (tmp_path / "table.md").read_text()
    assert table.count("| clean |") == 1
    assert "python -m train" in table
    assert (tmp_path / "field.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_goes_on_where_it_was(root: Path, config_path: Path, tmp_path: Path) -> None:
    first = run(root, config_path, tmp_path, "--only", "voices/clean")
    assert first.exit_code == 0, first.output
    before = json.loads((tmp_path / "field.json").read_bytes())
    second = run(root, config_path, tmp_path, "--only", "voices/clean", "--only", "gain*")
    assert "1 of 3 trials found" in second.output
    after = json.loads((tmp_path / "field.json").read_bytes())
    assert list(after["tests"]) == ["voices/clean", "voices/gain -30 dB", "voices/gain +12 dB"]
    assert after["tests"]["voices/clean"] == before["tests"]["voices/clean"]
    other = run(root, config_path, tmp_path, "--only", "voices/clean", "--seed", "2")
    assert "found" not in other.output


def test_a_run_is_the_same_again(root: Path, config_path: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(
            root, config_path, tmp_path / name, "--only", "babble 5", "--only", "voices/clean" if name == "a" else "hum"
        )
    a, b = (json.loads((tmp_path / name / "field.json").read_bytes())["tests"] for name in ("a", "b"))
    assert a["voices/babble 5 dB"] == b["voices/babble 5 dB"]


def test_whom_the_fold_names_is_heard(root: Path, config_path: Path, tmp_path: Path) -> None:
    run(root, config_path, tmp_path, "--only", "voices/clean", "--fold", "test")
    row = msgspec.json.decode((tmp_path / "field.json").read_bytes(), type=Results).rows[0]
    assert {sex: part.count for sex, part in row.by["sex"].items()}["female"] >= 1  # actor 14 is a woman


def test_a_pattern_that_fits_nothing_is_refused(root: Path, config_path: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--only nonsense fits none of the trials"):
        run(root, config_path, tmp_path, "--only", "nonsense")


def test_other_files_are_not_overwritten(root: Path, config_path: Path, tmp_path: Path) -> None:
    (tmp_path / "field.json").write_text("{}")
    with pytest.raises(UsageError, match=r"field\.json is no result of a field test"):
        run(root, config_path, tmp_path, "--only", "clean")
    assert (tmp_path / "field.json").read_text() == "{}"
