"""The command line: what every command takes and refuses, and the corpora that it knows."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from edge.errors import UsageError
from tests.train import made, made_clips
from train import config
from train.cli.main import main
from train.cli.start import command_line, seeds_of
from train.corpora import iemocap, registry

ON_CLIPS = ["embed", "crossval"]
OF_A_CONFIGURATION = [*ON_CLIPS, "fit", "ablate"]
BASE = made.SHIPPED.with_name("base.yaml")
LABELS = ("angry", "happy", "neutral", "sad")


def run(*arguments: object, catch: bool = False, **environment: str) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=catch, env=environment)


def commands(of: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below one, and itself."""
    yield path, of
    for name, command in of.commands.items() if isinstance(of, click.Group) else ():
        yield from commands(command, (*path, name))


def shown(output: str) -> dict[str, list[str]]:
    """The rows of the tables, by their first cell."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines() if line.startswith("│")]
    return {row[0]: row[1:] for row in rows}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Two sessions of ten utterances."""
    return made_clips.iemocap(tmp_path, sessions=2, dialogs=["F_impro01"])


def test_every_command_says_what_it_does_and_takes() -> None:
    names = set()
    for path, command in commands(main):
        result = run(*path, "--help")
        assert result.exit_code == 0
        assert command.help
        assert command.help.split(".")[0][:40] in result.output
        names.add(" ".join(path))
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (path, parameter.name)
                assert parameter.opts[-1] in result.output
    commanded = {"fit", "embed", "crossval", "ablate", "field", "convert-published"}
    commanded |= {"corpora", "corpora list", "corpora check"}
    assert names == {"", *commanded}


@pytest.mark.parametrize("command", OF_A_CONFIGURATION)
def test_a_configuration_that_is_not_there_is_refused(command: str, tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(UsageError, match=f"no configuration at {path}; the shipped ones are in configs/"):
        run(command, "--config", path, "--data", tmp_path)


@pytest.mark.parametrize("command", OF_A_CONFIGURATION)
def test_a_configuration_that_is_none_is_refused(command: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("name: none\n")
    with pytest.raises(UsageError, match=r"c\.yaml: it lacks "):
        run(command, "--config", tmp_path / "c.yaml", "--data", tmp_path)


@pytest.mark.parametrize("command", OF_A_CONFIGURATION)
@pytest.mark.parametrize("lacking", ["--config", "--data"])
def test_what_cannot_be_guessed_must_be_said(command: str, lacking: str, tmp_path: Path) -> None:
    given = {"--config": BASE, "--data": tmp_path}
    arguments = [part for option, value in given.items() if option != lacking for part in (option, value)]
    result = run(command, *arguments, FOAL_DATA="")
    assert result.exit_code == 2
    assert f"Missing option '{lacking}'" in result.output


@pytest.mark.parametrize("command", ON_CLIPS)
def test_clips_cannot_be_made_of_a_configuration_of_voices_and_faces(command: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="foal-nano is trained on voices and faces; this needs a configuration of cl"):
        run(command, "--config", made.SHIPPED, "--data", tmp_path, "--run", tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "shipped", "option"),
    [
        ("fit", BASE, ["--only", "faces"]),
        ("fit", made.SHIPPED, ["--fold", "Session1"]),
        ("ablate", made.SHIPPED, ["--protocol", "strict"]),
    ],
)
def test_an_option_of_the_other_kind_of_configuration_is_refused(
    command: str, shipped: Path, option: list[str], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=option[0]):
        run(command, "--config", shipped, "--data", tmp_path, "--run", tmp_path / "run", *option)


def test_with_encoders_from_elsewhere_none_is_trained_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--from foal-nano: both encoders come from there, .* --only"):
        run("fit", "--config", made.SHIPPED, "--data", tmp_path, "--from", "foal-nano", "--only", "faces")


@pytest.mark.parametrize("command", [*ON_CLIPS, "fit", "ablate"])
def test_clips_do_not_train_nano_encoders_from_nothing(command: str, tmp_path: Path) -> None:
    path = made.SHIPPED.with_name("own-clips.yaml")
    with pytest.raises(
        UsageError, match=r"encoders of foal-own-clips are of the type nano, .* such as --from foal-nano"
    ):
        run(command, "--config", path, "--data", tmp_path, "--run", tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", OF_A_CONFIGURATION)
def test_the_corpora_are_found_by_the_environment(command: str, tmp_path: Path) -> None:
    shipped = BASE if command in ON_CLIPS else made.SHIPPED
    result = run(command, "--config", shipped, "--run", tmp_path / "run", catch=True, FOAL_DATA=str(tmp_path))
    assert isinstance(result.exception, UsageError)
    assert str(tmp_path) in str(result.exception)


@pytest.mark.parametrize("command", [*ON_CLIPS, "fit", "ablate"])
def test_a_corpus_that_is_not_there_is_refused(command: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"in {tmp_path / 'IEMOCAP_full_release'} or in {tmp_path}; give the folder"):
        run(command, "--config", BASE, "--data", tmp_path, "--run", tmp_path / "run")


def test_a_corpus_that_no_module_reads_is_refused(tmp_path: Path) -> None:
    base = config.load(BASE)
    other = replace(base, recipe=replace(config.clips(base), corpus="iemocup"))
    with pytest.raises(UsageError, match=r"no corpus is named iemocup; there are .*iemocap"):
        run("embed", "--config", made.write_config(tmp_path / "c.yaml", other), "--data", tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "--only", "noses"],
        ["fit", "--threads", "0"],
        ["embed", "--rate", "0"],
        ["embed", "--rate", "-5"],
        ["crossval", "--seeds", "0"],
        ["ablate", "--protocol", "lenient"],
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    result = run(*arguments, "--config", "c.yaml", "--data", ".")
    assert result.exit_code == 2
    assert arguments[1] in result.output


def test_seeds_are_the_configurations_and_those_after_it() -> None:
    assert seeds_of(config.load(BASE), 3) == [1234, 1235, 1236]


def test_a_command_is_quoted_as_a_shell_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/train/__main__.py", "ablate", "--data", "my corpora"])
    assert command_line() == "python -m train ablate --data 'my corpora'"


def test_every_corpus_is_listed_with_its_terms() -> None:
    lines = run("corpora", "list").output.splitlines()
    corpora = registry.VOICES | registry.CLIPS
    assert lines == [f"{name}: {corpus.ABOUT}" for name, corpus in corpora.items()]
    assert len(lines) == 12


def test_a_check_counts_by_class_speaker_and_fold_and_against_the_whole_corpus(release: Path) -> None:
    result = run("corpora", "check", "iemocap", release, catch=True)
    assert result.exit_code == 0
    rows = shown(result.output)
    for fold in ("Session1", "Session2"):
        assert rows[fold] == ["2", "4", "2", "2", "10"]
    expected = [iemocap.EXPECTED[label] for label in LABELS]
    assert rows["all"] == ["4", "8", "4", "4", "20"]
    assert rows["expected"] == [*map(str, expected), "5531"]
    assert rows["difference"] == ["-1099", "-1628", "-1704", "-1080", "-5511"]
    speakers = [name for name in rows if name.startswith("iemocap-")]
    assert speakers == ["iemocap-01F", "iemocap-01M", "iemocap-02F", "iemocap-02M"]
    assert [sum(int(rows[speaker][place]) for speaker in speakers) for place in range(5)] == [4, 8, 4, 4, 20]
    assert "problems" not in result.output


@pytest.mark.parametrize("deep", [[], ["--deep"]])
def test_a_check_ends_with_an_error_where_there_are_problems(release: Path, deep: list[str]) -> None:
    path = sorted((release / "Session1/sentences/wav").rglob("*.wav"))[0]
    path.unlink()
    result = run("corpora", "check", "iemocap", release, *deep, catch=True)
    assert result.exit_code == UsageError.exit_status
    assert "1 problems" in result.output
    assert path.stem in shown(result.output)
    assert shown(result.output)["all"] == ["4", "8", "4", "4", "20"]


def test_only_a_deep_check_decodes_to_the_end(tmp_path: Path) -> None:
    release = made_clips.iemocap(tmp_path, sessions=1, dialogs=["F_impro01"])
    video = next(release.rglob("*.avi"))
    whole = video.read_bytes()
    # Zeros where the second half of the pictures was; the header and the index are as they were.
    middle, end = len(whole) // 2, whole.rindex(b"idx1")
    video.write_bytes(whole[:middle] + bytes(end - middle) + whole[end:])
    assert run("corpora", "check", "iemocap", release, catch=True).exit_code == 0
    assert run("corpora", "check", "iemocap", release, "--deep", catch=True).exit_code == UsageError.exit_status


def test_a_check_finds_the_corpus_by_the_environment(release: Path) -> None:
    result = run("corpora", "check", "iemocap", catch=True, FOAL_DATA=str(release.parent))
    assert result.exit_code == 0
    assert shown(result.output)["all"][-1] == "20"


def test_a_check_of_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no corpus is named iemocup; there are ravdess, .*iemocap"):
        run("corpora", "check", "iemocup", tmp_path)
    with pytest.raises(UsageError, match="give the folder IEMOCAP_full_release or the one that holds it"):
        run("corpora", "check", "iemocap", tmp_path)


@pytest.mark.parametrize(
    "shipped", [made.SHIPPED, made.SHIPPED.with_name("own-clips.yaml")], ids=lambda path: path.stem
)
@pytest.mark.parametrize("place", ["", "foal-nani", "x" * 300])
def test_a_network_to_go_on_from_that_is_not_there_is_refused(shipped: Path, place: str, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=f"--from {place or repr(place)}: there is nothing of this name; give foal-nano"
    ):
        run("fit", "--config", shipped, "--data", tmp_path, "--run", tmp_path / "run", "--from", place)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["crossval", "fit", "ablate"])
def test_a_folder_that_cannot_be_written_to_is_refused_at_once(command: str, tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(UsageError, match=f"--run {tmp_path / 'run'}.*: nothing can be written there"):
        run(command, "--config", BASE, "--data", tmp_path / "none", "--run", tmp_path / "run")


def test_labels_and_paths_are_printed_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("path,label,speaker,fold\n[red]ann.wav,[red]:cat:,[b],[/b]\n")
    result = run("corpora", "check", "table", tmp_path)
    assert result.exit_code == UsageError.exit_status
    assert "[red]:cat:" in result.output
    assert "[/b]" in result.output
    assert "│ [red]ann " in result.output
