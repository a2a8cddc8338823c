"""Notes beside annotations: what is whole, what is not, what is not overwritten."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.annotation.about import About, Settings, missing_formats, read_about, write_about
from edge.errors import UsageError
from edge.live.steady_state_config import SteadyStateConfig

SETTINGS = Settings(
    bundle="tiny 0.0.1",
    manifest_sha256="0" * 64,
    backend="numpy",
    threads=0,
    framing="face",
    detector="cascade",
    hop_s=0.5,
    steady_state=SteadyStateConfig(),
    audio=True,
    video=True,
    audio_track=None,
    video_track=None,
)
ABOUT = About("talk.mp4", 3, 1.5, SETTINGS, ["calm"], 3, {"csv": "talk.csv"}, ["a note"], {"numpy": "2"})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"123")
    return path


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """The note of an annotation that is whole."""
    (tmp_path / "talk.csv").write_text("")
    write_about(ABOUT, tmp_path / "about.json")
    return tmp_path / "about.json"


def test_a_note_comes_back(note: Path) -> None:
    assert read_about(note) == ABOUT
    assert list(note.parent.glob(".*")) == []


def test_without_a_note_all_is_to_be_done(recording: Path) -> None:
    assert missing_formats(recording, recording.with_name("about.json"), SETTINGS, ["csv", "vtt"]) == ["csv", "vtt"]


def test_what_is_whole_is_not_done_again(recording: Path, note: Path) -> None:
    assert missing_formats(recording, note, SETTINGS, ["csv"]) == []
    assert missing_formats(recording.with_name("gone.mp4"), note, SETTINGS, ["csv"]) == []


def test_a_further_format_and_a_lost_file_are_to_be_done(recording: Path, note: Path) -> None:
    assert missing_formats(recording, note, SETTINGS, ["csv", "vtt"]) == ["vtt"]
    (note.parent / "talk.csv").unlink()
    assert missing_formats(recording, note, SETTINGS, ["csv"]) == ["csv"]


def test_other_settings_and_another_recording_are_refused(recording: Path, note: Path) -> None:
    with pytest.raises(UsageError, match=r"made with hop_s 0\.5, now 1\.0; give another -o, or --overwrite"):
        missing_formats(recording, note, replace(SETTINGS, hop_s=1.0), ["csv"])
    recording.write_bytes(b"1234")
    with pytest.raises(UsageError, match=r"is of a recording of 3 bytes, .*talk\.mp4 has 4; give another -o"):
        missing_formats(recording, note, SETTINGS, ["csv"])


@pytest.mark.parametrize("text", ["{}", "no note", '{"recording": 1}'])
def test_a_note_of_others_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "about.json").write_text(text)
    with pytest.raises(UsageError, match="is no note of foal-edge annotate"):
        read_about(tmp_path / "about.json")
