"""IEMOCAP: turns from the evaluations of the release."""

from collections import Counter
from pathlib import Path

import pytest

from edge.errors import UsageError
from tests.train import made_clips
from train.corpora import iemocap
from train.corpora.utterance import Utterance, VideoSegment

EVALUATION = Path("IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01M_script01_1b.txt")


def evaluation(root: Path, *lines: str) -> Path:
    return made_clips.write_text(root / EVALUATION, made_clips.HEADER + "\n".join(lines))


def test_a_turn_becomes_an_utterance_with_its_sound_and_its_speakers_half(tmp_path: Path) -> None:
    evaluation(
        tmp_path,
        "[6.2901 - 8.2357]\tSes01M_script01_1b_F000\tang\t[2.5000, 2.5000, 2.5000]",
        made_clips.RATERS,
        "[140.2250 - 145.6000]\tSes01M_script01_1b_M021\texc\t[1.5000, 4.0000, 4.5000]",
        made_clips.RATERS,
    )
    session = tmp_path / "IEMOCAP_full_release" / "Session1"
    wav = session / "sentences" / "wav" / "Ses01M_script01_1b"
    avi = session / "dialog" / "avi" / "DivX" / "Ses01M_script01_1b.avi"
    assert iemocap.utterances(tmp_path) == [
        Utterance(
            "Ses01M_script01_1b_F000",
            wav / "Ses01M_script01_1b_F000.wav",
            "angry",
            "iemocap-01F",
            "iemocap",
            fold="Session1",
            video=VideoSegment(avi, 6.2901, 8.2357, "right"),
        ),
        Utterance(
            "Ses01M_script01_1b_M021",
            wav / "Ses01M_script01_1b_M021.wav",
            "happy",
            "iemocap-01M",
            "iemocap",
            fold="Session1",
            video=VideoSegment(avi, 140.225, 145.6, "left"),
        ),
    ]
    assert iemocap.utterances(tmp_path / "IEMOCAP_full_release") == iemocap.utterances(tmp_path)


def test_emotions_are_merged_and_left_out(tmp_path: Path) -> None:
    made_clips.iemocap(tmp_path, sessions=2, dialogs=["F_impro01"])
    utterances = iemocap.utterances(tmp_path)
    assert Counter((u.fold, u.speaker, u.label) for u in utterances) == {
        (f"Session{session}", f"iemocap-0{session}{actor}", label): 2 if label == "happy" else 1
        for session in (1, 2)
        for actor in "FM"
        for label in ("angry", "happy", "neutral", "sad")
    }
    assert {u.video.half for u in utterances if u.speaker.endswith("F") and u.video} == {"left"}
    assert all(u.path.is_file() and u.video and u.video.path.is_file() for u in utterances)


def test_companions_of_macos_and_the_folders_of_single_raters_are_passed_over(tmp_path: Path) -> None:
    path = evaluation(tmp_path, "[1.0000 - 2.0000]\tSes01M_script01_1b_F000\tsad\t[2.0, 2.0, 2.0]")
    path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07[Mac OS X")
    made_clips.write_text(path.parent / "Categorical" / "Ses01M_script01_1b_e1_cat.txt", "[not a turn")
    assert [u.name for u in iemocap.utterances(tmp_path)] == ["Ses01M_script01_1b_F000"]


def test_comments_in_another_encoding_do_not_matter(tmp_path: Path) -> None:
    turn = "[1.0000 - 2.0000]\tSes01M_script01_1b_F000\tneu\t[2.0, 2.0, 2.0]\r\nC-E2:\tOther;\t(blas\xe9\x85[so)\r\n"
    made_clips.write_text(tmp_path / EVALUATION, turn, "latin-1")
    assert [u.label for u in iemocap.utterances(tmp_path)] == ["neutral"]


@pytest.mark.parametrize(
    "line",
    [
        "[1.0 - ]\tSes01M_script01_1b_F000\tneu\t[2.0, 2.0, 2.0]",
        "[1.0 - 2.0]\tdialog_F000\tneu\t[2.0, 2.0, 2.0]",
        "[1.0 - 2.0]\tSes01M_script01_1b_F000",
    ],
)
def test_a_line_that_is_no_turn_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    evaluation(tmp_path, line)
    with pytest.raises(UsageError, match=r"Ses01M_script01_1b\.txt, line 3: '\[1\.0 .*' is not a turn, expected"):
        iemocap.utterances(tmp_path)


def test_another_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the folder IEMOCAP_full_release or the one that holds it"):
        iemocap.utterances(tmp_path)


def test_the_whole_release_has_the_published_size() -> None:
    assert sum(iemocap.EXPECTED.values()) == 5531
