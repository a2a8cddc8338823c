"""Tables of clips, and their predictions by the runtime's own way."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from av.stream import Disposition

from edge.errors import EngineError, SourceError, UsageError
from edge.evaluation.score import Clip, predict, read_table, score
from edge.live.recognizer import Recognizer
from edge.preprocess.framing import WholeFraming
from edge.sources.media import MediaFile
from edge.sources.track_selection import TrackNumbers
from tests.edge.sources.made_tracks import ToneTrack
from tests.edge.sources.made_tracks import write as write_tracks

LABELS = ["calm", "glad"]


@pytest.fixture
def recognizer(manifest, numpy_backend) -> Recognizer:
    return Recognizer(manifest, numpy_backend)


def images(count: int) -> np.ndarray:
    return np.full((count, 24, 32, 3), 90, np.uint8)


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_paths_are_relative_to_the_table(tmp_path) -> None:
    table = write(tmp_path / "t.csv", "path,label\na/b.wav,glad\n/c.wav,calm\n")
    assert read_table(table, LABELS) == [Clip(tmp_path / "a" / "b.wav", 1), Clip(Path("/c.wav"), 0)]


def test_other_columns_and_orders_do_not_matter(tmp_path) -> None:
    table = write(tmp_path / "t.csv", "speaker,label,path\nx,glad,a.wav\n")
    assert read_table(table, LABELS) == [Clip(tmp_path / "a.wav", 1)]


@pytest.mark.parametrize(
    "head", ["file,emotion", "FileName,EmoClass", " Filepath ,Expression", "path,target", "clip,label"]
)
def test_other_common_names_of_columns_are_known(tmp_path, head: str) -> None:
    table = write(tmp_path / "t.csv", f"{head},speaker\na.wav,glad,x\n")
    assert read_table(table, LABELS) == [Clip(tmp_path / "a.wav", 1)]


def test_a_column_of_its_own_name_comes_before_others(tmp_path) -> None:
    table = write(tmp_path / "t.csv", "emotion,file,label,path\ncalm,a.wav,glad,b.wav\n")
    assert read_table(table, LABELS) == [Clip(tmp_path / "b.wav", 1)]


def test_labels_by_other_words_are_known(tmp_path) -> None:
    table = write(tmp_path / "t.csv", "path,label\na.wav,ANG\nb.wav,Happiness\nc.wav,joy\nd.wav,neu\n")
    clips = read_table(table, ["angry", "happy", "neutral", "sad"])
    assert [clip.truth for clip in clips] == [0, 1, 1, 2]


def test_rows_with_unknown_labels_are_left_out_and_counted_where_asked(tmp_path) -> None:
    table = write(tmp_path / "t.csv", "path,label\na.wav,glad\nb.wav,cross\nc.wav,cross\n")
    skipped: Counter[str] = Counter()
    assert read_table(table, LABELS, skipped) == [Clip(tmp_path / "a.wav", 1)]
    assert skipped == {"cross": 2}
    write(table, "path,label\nb.wav,cross\n")
    with pytest.raises(UsageError, match="no row with a label of the bundle's: calm, glad; it has cross"):
        read_table(table, LABELS, skipped)


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path) -> None:
    table = write(tmp_path / "t.csv", b"\xef\xbb\xbfpath,label\r\na.wav,glad\r\n")
    assert read_table(table, LABELS) == [Clip(tmp_path / "a.wav", 1)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "path,label\na.wav,calm\nb.wav,cross\n",
            r"t.csv, line 3: label 'cross' is none of the bundle's: calm, glad; --skip",
        ),
        ("path,label\na.wav\n", r"t.csv, line 2: no label; fill it in"),
        ("label,path\ncalm\n", r"t.csv, line 2: no path"),
        ("place,label\na.wav,calm\n", r"no column path; its first line is 'place,label', expected 'path,label'"),
        ("", r"no column path, label"),
        ("path,label\n", r"has no rows"),
        ('path,label\na.wav,"calm\nb.wav,glad\n', r"the row that begins in line 2: .*a quote left open"),
    ],
    ids=["unknown label", "no label", "no path", "other columns", "empty", "no rows", "open quote"],
)
def test_a_table_that_is_wrong_is_named_with_its_line(tmp_path, text, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_table(write(tmp_path / "t.csv", text), LABELS)


def test_a_table_that_is_not_there(tmp_path) -> None:
    with pytest.raises(UsageError, match="no such table"):
        read_table(tmp_path / "t.csv", LABELS)


@pytest.mark.parametrize(
    ("seconds", "audio", "video", "heard", "seen"),
    [
        (1.0, True, True, 1000, 5),
        (1.0, True, False, 1000, 0),
        (1.0, False, True, 0, 5),
        (3.0, True, True, 2000, 10),
    ],
)
def test_a_clip_is_its_first_window(
    tmp_path, make_clip, tone, recognizer, numpy_backend, seconds, audio, video, heard: int, seen: int
) -> None:
    path = make_clip(tmp_path / "a.mkv", images(round(10 * seconds)), tone(seconds))
    predict(path, recognizer, WholeFraming(8, 8), audio=audio, video=video)
    calls = dict(numpy_backend.calls)
    lengths = calls["audio_encoder"]["length"].tolist() if heard else [0]
    assert lengths == [pytest.approx(heard, abs=20)]
    assert calls["fusion"]["video_mask"].sum() == seen


@pytest.mark.parametrize(("audio_s", "video_s"), [(1.0, 1.9), (1.9, 0.6)])
def test_a_track_that_ends_earlier_still_counts(
    tmp_path, make_clip, tone, recognizer, numpy_backend, audio_s: float, video_s: float
) -> None:
    path = make_clip(tmp_path / "a.mkv", images(round(10 * video_s)), tone(audio_s))
    predict(path, recognizer, WholeFraming(8, 8), audio=True, video=True)
    fusion = dict(numpy_backend.calls)["fusion"]
    assert fusion["audio_mask"].any()
    assert fusion["video_mask"].any()


def test_a_clip_is_predicted_by_what_it_has(tmp_path, make_clip, tone, recognizer, numpy_backend) -> None:
    only_sound = make_clip(tmp_path / "a.wav", samples=tone(1.0))
    predict(only_sound, recognizer, WholeFraming(8, 8), audio=True, video=True)
    assert not dict(numpy_backend.calls)["fusion"]["video_mask"].any()


def test_the_sound_track_that_is_asked_for_is_heard(tmp_path, recognizer, numpy_backend) -> None:
    path = write_tracks(tmp_path / "a.mkv", [ToneTrack(0.25), ToneTrack(0.5, Disposition.default)])
    for number, level in ((None, 0.5), (0, 0.25)):
        predict(path, recognizer, WholeFraming(8, 8), audio=True, video=True, numbers=TrackNumbers(audio=number))
        waveform = dict(numpy_backend.calls)["audio_encoder"]["waveform"]
        assert waveform[0, :900].std() * 2**0.5 == pytest.approx(level, rel=0.05)


def test_right_and_wrong_clips_are_counted_and_failures_listed(tmp_path, make_clip, tone, recognizer) -> None:
    seen = make_clip(tmp_path / "seen.mkv", images(10))
    heard = make_clip(tmp_path / "heard.wav", samples=tone(1.0))
    clips = [Clip(seen, 1), Clip(seen, 0), Clip(heard, 0), Clip(tmp_path / "gone.wav", 0)]
    result = score(clips, recognizer, lambda: WholeFraming(8, 8), audio=True, video=True)
    assert result.accuracy.confusion == [[1, 1], [0, 1]]
    assert result.accuracy.wa == pytest.approx(2 / 3)
    assert result.failed == [f"no such file: {tmp_path / 'gone.wav'}"]
    answers = {(Path(each.path).name, each.truth): each for each in result.answers}
    assert [each.label for each in result.answers] == ["glad", "glad", "calm", None]
    assert answers["seen.mkv", "calm"].probs == pytest.approx({"calm": 0.076, "glad": 0.924}, abs=1e-3)
    assert answers["seen.mkv", "calm"].confidence == pytest.approx(0.924, abs=1e-3)
    assert answers["gone.wav", "calm"].error == result.failed[0]


def test_a_clip_with_neither_speech_nor_a_face_is_uncertain_and_never_right(
    tmp_path, make_clip, tone, voice_manifest, numpy_backend
) -> None:
    """Whatever its label; the tone is loud enough for a voice, a tenth of it is not."""
    loud = make_clip(tmp_path / "loud.wav", samples=tone(2.0) * 2)
    faint = make_clip(tmp_path / "faint.wav", samples=tone(2.0) // 10)
    seen = make_clip(tmp_path / "seen.mkv", images(20), tone(2.0) // 10)
    clips = [Clip(loud, 0), Clip(faint, 0), Clip(faint, 1), Clip(seen, 1)]
    recognizer = Recognizer(voice_manifest, numpy_backend)
    result = score(clips, recognizer, lambda: WholeFraming(8, 8), audio=True, video=True)
    assert (result.uncertain, result.failed) == (2, [])
    assert result.accuracy.confusion == [[1, 0], [0, 1]]
    assert (result.accuracy.count, result.accuracy.wa) == (4, 0.5)


def test_where_no_clip_can_be_predicted_there_are_no_figures(tmp_path, recognizer) -> None:
    result = score([Clip(tmp_path / "gone.wav", 0)], recognizer, lambda: WholeFraming(8, 8), audio=True, video=True)
    assert (result.accuracy, len(result.failed)) == (None, 1)


def test_a_clip_with_nothing_to_go_by_is_named(tmp_path, make_clip, tone, recognizer) -> None:
    path = make_clip(tmp_path / "a.wav", samples=0 * tone(1.0))
    with pytest.raises(SourceError, match=r"a\.wav has no audio that is used and no face"):
        predict(path, recognizer, WholeFraming(8, 8), audio=True, video=True)


@pytest.fixture
def clips(tmp_path, make_clip, tone) -> list[Clip]:
    return [Clip(make_clip(tmp_path / f"{name}.mkv", images(10), tone(1.0)), 1) for name in ("one", "two", "three")]


@pytest.mark.parametrize("error", [IndexError("no"), OSError(5, "Input/output error"), MemoryError(), AssertionError()])
def test_whatever_a_decoder_raises_loses_its_clip_not_the_table(recognizer, clips, monkeypatch, error) -> None:
    real = MediaFile.read

    def read(media: MediaFile):
        for number, item in enumerate(real(media)):
            if number == 7 and "two" in media.name:
                raise error
            yield item

    monkeypatch.setattr(MediaFile, "read", read)
    result = score(clips, recognizer, lambda: WholeFraming(8, 8), audio=True, video=True)
    assert result.accuracy.count == 2
    (reason,) = result.failed
    assert reason.startswith(f"{clips[1].path} has failed: {type(error).__name__}")


def test_what_is_not_finite_counts_as_wrong_and_is_said(recognizer, clips, monkeypatch, caplog) -> None:
    real = recognizer.backend.fusion

    def fusion(inputs):
        return real(inputs) | {"logits": np.full((len(inputs["audio_mask"]), 2), np.nan, np.float32)}

    monkeypatch.setattr(recognizer.backend, "fusion", fusion)
    for truth in (0, 1):
        rows = [Clip(clips[0].path, truth)]
        result = score(rows, recognizer, lambda: WholeFraming(8, 8), audio=True, video=True)
        assert (result.accuracy.count, result.accuracy.wa, result.failed) == (1, 0.0, [])
    assert [f"{clips[0].path} counts as wrong" in record.getMessage() for record in caplog.records] == [True, True]


def test_frames_that_cannot_be_framed_are_said_once_a_clip(recognizer, clips, caplog) -> None:
    score(clips[:2], recognizer, lambda: WholeFraming(9, 8), audio=True, video=True)
    assert [str(clip.path) in record.getMessage() for clip, record in zip(clips[:2], caplog.records, strict=True)] == [
        True,
        True,
    ]
    assert "[9, 8, 3]" in caplog.records[0].getMessage()


def test_a_model_that_fails_ends_the_table(recognizer, clips, monkeypatch) -> None:
    def fusion(inputs):
        raise EngineError("fusion failed")

    monkeypatch.setattr(recognizer.backend, "fusion", fusion)
    with pytest.raises(EngineError):
        score(clips, recognizer, lambda: WholeFraming(8, 8), audio=True, video=True)
