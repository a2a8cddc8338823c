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


def test_kinds_are_found_by_name(root: Path) -> None:
    assert [path.stem for path in noises.held_out(root, "rain, sea, fire, clocks")] == ["Rain_2"]
    assert [path.stem for path in noises.held_out(root, "crying babies")] == ["Baby_cry_1"]
    assert noises.held_out(root, "rooms") == []
    assert list(noises.impulse_responses(root)) == []


def test_every_file_is_of_one_kind(data: Path) -> None:
    folder = data / "noise"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    kinds = [path for patterns in noises.KINDS.values() for pattern in patterns for path in folder.glob(pattern)]
    kinds += [*noises.impulse_responses(data), *folder.glob("misc/acoustic_guitar*")]  # music is made
    assert sorted(kinds) == sorted(matching_files(folder, "*/*"))
    assert all(noises.held_out(data, kind) for kind in noises.KINDS)
