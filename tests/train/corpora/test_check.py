"""What is missing or damaged in a corpus is found, counted and named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from av.stream import Disposition
from rich.console import Console

from edge.errors import UsageError
from tests.edge.sources import made_tracks
from tests.edge.sources.made_tracks import GreyTrack, ToneTrack
from tests.train import made_clips
from train.corpora import check, tracks
from train.corpora.check import Problem, examine, raise_for_problems, tables, usable
from train.corpora.utterance import Utterance, VideoSegment


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return made_clips.iemocap(tmp_path, sessions=2, dialogs=["F_impro01"])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return made_clips.write_clip(tmp_path / "clip.mp4", "sad")


def wav(release: Path, name: str) -> Path:
    return release / "Session1/sentences/wav/Ses01F_impro01" / f"{name}.wav"


def dialog(release: Path) -> Path:
    return release / "Session2/dialog/avi/DivX/Ses02F_impro01.avi"


def utterance(path: Path, seen: Path | None = None, name: str = "one") -> Utterance:
    return Utterance(name, path, "sad", "c-a", "c", "1", VideoSegment(seen) if seen else None)


def rows_of(report: check.Report) -> dict[str, list[str]]:
    """What the tables show, by the first column."""
    console = Console(width=400)
    with console.capture() as capture:
        console.print(*tables(report), sep="\n")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capture.get().splitlines()]
    return {row[0]: row[1:] for row in rows if row}


@pytest.mark.parametrize("deep", [False, True])
def test_a_whole_corpus_has_no_problems(release: Path, deep: bool) -> None:
    report = check.check("iemocap", release, deep)
    assert len(report.utterances) == 20
    assert report.problems == []
    assert sum(report.expected.values()) == 5531


def test_a_file_that_many_utterances_share_is_read_once(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    probe_video = tracks.video
    monkeypatch.setattr(tracks, "video", lambda path, deep: read.append(path.name) or probe_video(path, deep))
    check.check("iemocap", release)
    assert read == ["Ses01F_impro01.avi", "Ses02F_impro01.avi"]


def test_missing_and_damaged_sound_is_named(release: Path) -> None:
    missing, damaged, short = (wav(release, f"Ses01F_impro01_{number}") for number in ("F000", "M000", "F001"))
    missing.unlink()
    damaged.write_bytes(b"no sound at all")
    made_clips.write_wav(short, made_clips.class_tone("sad", seconds=0.08))
    problems = check.check("iemocap", release).problems
    assert [(problem.utterance, problem.path) for problem in problems] == [
        (path.stem, path) for path in (missing, damaged, short)
    ]
    assert problems[0].reason == f"no such file: {missing}"
    assert problems[1].reason.startswith(f"{damaged} cannot be read as a recording (Invalid data")
    assert problems[2].reason == f"{short} has 0.08 s of audio, expected more than 0.1 s"


def test_a_missing_dialog_is_a_problem_of_each_of_its_utterances(release: Path) -> None:
    dialog(release).unlink()
    report = check.check("iemocap", release)
    assert len(report.problems) == 10
    assert {problem.reason for problem in report.problems} == {f"no such file: {dialog(release)}"}
    assert {utterance.fold for utterance in usable(report.utterances, report.problems)} == {"Session1"}


def test_a_picture_that_ends_too_soon_is_a_problem_of_the_later_utterances(release: Path) -> None:
    frames = (made_clips.image(number, (0, 0, 0), (9, 9, 9)) for number in range(60))
    made_clips.write_video(dialog(release), frames)
    found = check.check("iemocap", release).problems
    assert [problem.utterance for problem in found] == [
        f"Ses02F_impro01_{number}" for number in ("M003", "F004", "M004", "F005", "M005")
    ]
    assert found[0].reason == f"{dialog(release)} has 4.00 s of video, expected 6.40 s"


def test_a_clip_cut_short_behind_its_header_is_found_by_decoding_it(tmp_path: Path) -> None:
    path = made_clips.write_clip(tmp_path / "clip.flv", "sad", seconds=4.0)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    audio = made_clips.write_wav(tmp_path / "a.wav", made_clips.class_tone("sad"))
    whole, early = utterance(audio, path), replace(utterance(audio, name="early"), video=VideoSegment(path, 0.5, 1.0))
    assert examine([whole, early], deep=False) == []
    (problem,) = examine([whole, early], deep=True)
    assert problem.utterance == "one"
    assert problem.reason == f"{path} has 2.10 s of video, expected 4.03 s"


def test_a_picture_of_which_nothing_can_be_decoded_is_a_problem(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "read_frames", lambda path, grid: iter(()))
    (problem,) = examine([utterance(clip, clip)], deep=False)
    assert problem.reason == f"{clip} has a video track of which no frame can be decoded"


def test_a_clip_without_one_of_its_tracks_is_a_problem_unless_one_is_enough(tmp_path: Path, clip: Path) -> None:
    audio = made_clips.write_wav(tmp_path / "a.wav", made_clips.class_tone("sad"))
    silent = made_clips.write_video(tmp_path / "b.mp4", [made_clips.image(0, (0, 0, 0), (9, 9, 9))] * 9)
    found = [utterance(path, path, path.stem) for path in (clip, audio, silent)]
    assert examine(found, deep=False) == [
        Problem("a", audio, f"{audio} has no video"),
        Problem("b", silent, f"{silent} has no audio"),
    ]
    assert examine(found, deep=True, one_track_is_enough=True) == []


def test_a_table_may_hold_sound_pictures_and_both(tmp_path: Path, clip: Path) -> None:
    made_clips.write_wav(tmp_path / "a.wav", made_clips.class_tone("sad"))
    rows = "path,label,speaker,fold\nclip.mp4,sad,ann,1\na.wav,sad,ann,1\nb.wav,sad,bob,2\n"
    made_clips.write_text(tmp_path / "table.csv", rows)
    problems = check.check("table", tmp_path).problems
    assert problems == [Problem("b", tmp_path / "b.wav", f"no such file: {tmp_path / 'b.wav'}")]


def test_names_that_occur_twice_are_a_problem(clip: Path) -> None:
    found = examine([utterance(clip), utterance(clip, clip), utterance(clip, name="two")], deep=False)
    assert [problem.reason for problem in found] == [f"{clip}: 2 utterances have its name"] * 2


def test_problems_are_refused_ten_by_name_with_their_count_and_the_remedy() -> None:
    problems = [Problem(f"u{number}", Path("x.wav"), f"no such file: {number}.wav") for number in range(12)]
    with pytest.raises(UsageError, match=r"12 problems in the corpus, the first 10:\n  u0: no such") as refusal:
        raise_for_problems(problems)
    assert "u9: " in str(refusal.value)
    assert "u10: " not in str(refusal.value)
    assert str(refusal.value).endswith("repair them, or give --skip-damaged to go on without these utterances")
    raise_for_problems([])


def test_the_tables_count_by_fold_and_speaker_against_the_whole_corpus(release: Path) -> None:
    missing = wav(release, "Ses01F_impro01_F000")
    missing.unlink()
    rows = rows_of(check.check("iemocap", release))
    assert rows["Session1"] == ["2", "4", "2", "2", "10"]
    assert rows["all"] == ["4", "8", "4", "4", "20"]
    assert rows["expected"] == ["1103", "1636", "1708", "1084", "5531"]
    assert rows["difference"] == ["-1099", "-1628", "-1704", "-1080", "-5511"]
    assert rows["iemocap-02M"] == ["1", "2", "1", "1", "5"]
    assert rows[missing.stem] == [f"no such file: {missing}"]


def test_the_tables_have_a_column_for_each_further_class(clip: Path) -> None:
    found = [replace(utterance(clip, name=label), label=label) for label in ("surprise", "sad", "bored", "bored")]
    rows = rows_of(check.Report(found, {}, []))
    assert rows["all"] == ["0", "0", "0", "1", "2", "1", "4"]
    assert rows["c-a"] == rows["all"]


@pytest.mark.parametrize("offset", [np.float32(0), np.float32(0.25)])
@pytest.mark.parametrize("deep", [False, True])
def test_digital_silence_is_a_problem_and_sound_that_begins_with_it_is_none(
    tmp_path: Path, deep: bool, offset: np.float32
) -> None:
    silence = np.zeros(32_000, np.float32)
    silent = made_clips.write_wav(tmp_path / "a.wav", silence + offset)
    late = made_clips.write_wav(tmp_path / "b.wav", np.concatenate([silence, made_clips.class_tone("sad")]))
    (problem,) = examine([utterance(silent, name="a"), utterance(late, name="b")], deep)
    assert (problem.utterance, problem.path) == ("a", silent)
    assert "is digital silence: every sample is the same" in problem.reason


@pytest.mark.parametrize("deep", [False, True])
def test_five_minutes_are_no_utterance(tmp_path: Path, deep: bool) -> None:
    long = made_clips.write_wav(tmp_path / "a.wav", np.tile(made_clips.class_tone("sad", seconds=1.0), 300))
    (problem,) = examine([utterance(long)], deep)
    assert problem.reason == f"{long} has 300 s of audio, expected at most 60 s"


def test_a_pointer_in_place_of_a_recording_is_named_with_what_fetches_it(tmp_path: Path) -> None:
    path = made_clips.write_text(tmp_path / "a.wav", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (problem,) = examine([utterance(path)], deep=False)
    assert problem.reason == f"{path} is a Git LFS pointer, not the file itself; git lfs pull fetches it"


def test_copies_in_another_fold_or_of_another_label_are_a_problem_of_the_later_one(tmp_path: Path) -> None:
    audio = made_clips.class_tone("sad")
    paths = [made_clips.write_wav(tmp_path / f"{name}.wav", audio) for name in "abcd"]
    other = made_clips.write_wav(tmp_path / "e.wav", audio[::-1].copy())
    found = [utterance(path, name=path.stem) for path in (*paths, other)]
    found[1] = replace(found[1], fold="2")
    found[2] = replace(found[2], label="angry")
    problems = examine(found, deep=False)
    assert [problem.reason for problem in problems] == [
        f"{paths[1]} is an exact copy of a of fold 1, sad; this is fold 2, sad",
        f"{paths[2]} is an exact copy of a of fold 1, sad; this is fold 1, angry",
    ]
    assert [kept.name for kept in usable(found, problems)] == ["a", "d", "e"]


def test_utterances_cut_from_one_file_are_no_copies(tmp_path: Path) -> None:
    path = made_clips.write_wav(tmp_path / "a.wav", made_clips.class_tone("sad"))
    assert examine([utterance(path, name="one"), replace(utterance(path, name="two"), fold="2")], deep=False) == []


def test_tracks_that_are_left_out_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = made_tracks.write(tmp_path / "a.mkv", [ToneTrack(0.25), ToneTrack(0.5, Disposition.default), GreyTrack(40)])
    assert examine([utterance(path, path)], deep=False) == []
    said = " ".join(capsys.readouterr().out.split())
    assert f"{path} takes audio track 1 (pcm_s16le, 1 ch, default), leaves out 0 (pcm_s16le, 1 ch)" in said
    assert "--audio-track" not in said
    assert "video track" not in said
