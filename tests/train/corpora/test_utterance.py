"""Finding a corpus's files and dealing its speakers out."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from train.corpora.utterance import Utterance, fields, in_groups, look_up, recordings, unpacked


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_come_in_one_order_without_the_companions_that_macos_leaves(tmp_path: Path) -> None:
    touch(tmp_path, "b.flac", "a.flac", "c.wav", "._a.flac")
    assert [path.name for path in recordings(tmp_path, "*.flac")] == ["a.flac", "b.flac"]


def test_an_empty_folder_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no recordings match .*emodb/\*\.flac; set FOAL_DATA .* emodb/"):
        recordings(tmp_path / "emodb", "*.flac")


def test_a_corpus_is_found_by_its_folder_and_by_the_folder_around_it(tmp_path: Path) -> None:
    touch(tmp_path, "CORPUS/a/1.mp4", "CORPUS/b/2.mp4", "CORPUS/b/._2.mp4")
    expected = [tmp_path / "CORPUS/a/1.mp4", tmp_path / "CORPUS/b/2.mp4"]
    assert unpacked(tmp_path, "CORPUS", "*/*.mp4") == expected
    assert unpacked(tmp_path / "CORPUS", "CORPUS", "*/*.mp4") == expected


def test_a_corpus_that_is_in_neither_is_refused_with_the_remedy(tmp_path: Path) -> None:
    touch(tmp_path, "other/1.mp4")
    with pytest.raises(UsageError, match=r"no a/\*\.mp4 in .*/CORPUS or in .*; give the folder CORPUS or the one"):
        unpacked(tmp_path, "CORPUS", "a/*.mp4")


def test_speakers_are_dealt_out_to_five_groups_whatever_the_order_of_their_utterances() -> None:
    utterances = [
        Utterance(f"{speaker}-{number}", Path("x.wav"), "sad", f"c-{speaker}", "c")
        for speaker in "gfedcba"
        for number in range(2)
    ]
    folds = {utterance.name: utterance.fold for utterance in in_groups(utterances)}
    assert folds == {
        f"{speaker}-{number}": f"group{group}"
        for speaker, group in zip("abcdefg", (1, 2, 3, 4, 5, 1, 2), strict=True)
        for number in range(2)
    }
    assert [utterance.name for utterance in in_groups(utterances)] == [utterance.name for utterance in utterances]


def test_a_name_has_its_fields() -> None:
    assert fields(Path("emovo/rab-f1-b1.opus"), "-", "emotion speaker sentence") == ["rab", "f1", "b1"]
    assert look_up(Path("rab-f1-b1.opus"), "rab", {"rab": "angry"}) == "angry"


def test_a_name_of_other_fields_or_codes_is_refused_with_what_is_expected() -> None:
    with pytest.raises(
        UsageError, match=r"copy-of-rab-f1\.opus is named with 4 fields, expected emotion-speaker; remove"
    ):
        fields(Path("copy-of-rab-f1.opus"), "-", "emotion speaker")
    with pytest.raises(UsageError, match=r"rab-f1\.opus is named with 'rab', expected one of gio, neu; remove it"):
        look_up(Path("rab-f1.opus"), "rab", {"gio": "happy", "neu": "neutral"})
