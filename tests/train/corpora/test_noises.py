from pathlib import Path

import pytest

from train.corpora import noises
from train.corpora.utterance import matching_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("Baby_cry_1.opus", "Dog_bark_1.opus", "Dog_bark_2.opus", "Rain_1.opus", "Rain_2.opus", "Rain_3.opus"):
        (tmp_path / "noise/esc10").mkdir(parents=True, exist_ok=True)
        (tmp_path / "noise/esc10" / name).touch()
    return tmp_path


def test_training_and_tests_hear_different_files(root: Path) -> None:
    trained, tested = noises.split(root / "noise/esc10")
    assert [path.stem for path in trained] == ["Dog_bark_1", "Rain_1", "Rain_3"]
    assert [path.stem for path in tested] == ["Baby_cry_1", "Dog_bark_2", "Rain_2"]
    assert not set(trained) & set(tested)


def test_beds_hold_no_voice_and_no_impulse_response(root: Path) -> None:
    (root / "noise/impulse_responses").mkdir()
    (root / "noise/impulse_responses/hall.wav").touch()
    (root / "noise/README.md").touch()
    assert [path.stem for path in noises.beds(root, is_training=True)] == ["Dog_bark_1", "Rain_1", "Rain_3"]
    assert [path.stem for path in noises.beds(root, is_training=False)] == ["Dog_bark_2", "Rain_2"]
    assert noises.beds(root / "elsewhere", is_training=True) == []


def test_rooms_in_which_somebody_speaks_are_a_kind_of_their_own_and_no_bed(tmp_path: Path) -> None:
    folder = tmp_path / "noise/emospeech_background"
    folder.mkdir(parents=True)
    names = ["House_a", "House_background-safe-calm-20190710195236-b", "Misc_c", "webservice_d"]
    for name in names:
        (folder / f"{name}.opus").touch()
    spoken = folder / f"{names[1]}.opus"
    assert noises.held_out(tmp_path, noises.SPOKEN) == [spoken]
    assert [path.stem for path in noises.held_out(tmp_path, "rooms")] == ["webservice_d"]
    assert [path.stem for path in noises.beds(tmp_path, is_training=True)] == ["House_a", "Misc_c"]
    assert [path.stem for path in noises.beds(tmp_path, is_training=False)] == ["webservice_d"]


def test_kinds_are_found_by_name(root: Path) -> None:
    assert [path.stem for path in noises.held_out(root, "rain, sea, fire, clocks")] == ["Rain_2"]
    assert [path.stem for path in noises.held_out(root, "crying babies")] == ["Baby_cry_1"]
    assert noises.held_out(root, "rooms") == []
    assert list(noises.impulse_responses(root)) == []


def test_every_file_is_of_one_kind(data: Path) -> None:
    folder = data / "noise"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    kinds = [path for kind in noises.KINDS for path in noises.of_kind(data, kind)]
    kinds += [*noises.impulse_responses(data), *folder.glob("misc/acoustic_guitar*")]  # music is made
    assert sorted(kinds) == sorted(matching_files(folder, "*/*"))
    assert all(noises.held_out(data, kind) for kind in noises.KINDS)
