"""Recordings that are named, found in folders and in lists."""

from pathlib import Path

import pytest

from edge.annotation.collection import Entry, collect
from edge.errors import UsageError

OUT = Path("out")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    for name in ("a.mp4", "deep/b.WAV", "deep/.c.mp4", "deep/notes.txt", "a.emotions.mkv", "poster.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def test_a_folder_gives_its_recordings_with_their_places(films: Path) -> None:
    """Neither hidden files, nor stills, nor films that were drawn into."""
    assert collect([str(films)], [], OUT) == [
        Entry(films / "a.mp4", OUT / "a"),
        Entry(films / "deep" / "b.WAV", OUT / "deep" / "b"),
    ]


def test_a_file_is_taken_whatever_its_name_and_once(films: Path) -> None:
    named = [str(films / "deep" / "notes.txt"), str(films / "gone.mp4"), str(films / "gone.mp4")]
    assert collect(named, [], OUT) == [
        Entry(films / "deep" / "notes.txt", OUT / "notes"),
        Entry(films / "gone.mp4", OUT / "gone"),
    ]


@pytest.mark.parametrize("way", ["@", "--list"])
def test_a_list_names_recordings_relative_to_itself(films: Path, way: str) -> None:
    (films / "list.txt").write_text("# films\n\na.mp4\r\ndeep\n/else/x.mp4\n")
    listed = films / "list.txt"
    found = collect([f"@{listed}"], [], OUT) if way == "@" else collect([], [listed], OUT)
    assert found == [
        Entry(films / "a.mp4", OUT / "a"),
        Entry(films / "deep" / "b.WAV", OUT / "b"),
        Entry(Path("/else/x.mp4"), OUT / "x"),
    ]


def test_recordings_that_differ_in_their_ending_alone_keep_it() -> None:
    found = collect(["x/talk.mp4", "x/talk.wav", "x/other.wav"], [], OUT)
    assert [entry.stem for entry in found] == [OUT / "talk.mp4", OUT / "talk.wav", OUT / "other"]
    assert found[0].path("csv") == OUT / "talk.mp4.emotions.csv"


def test_a_name_with_points_keeps_them() -> None:
    (entry,) = collect(["s01.e02.mp4"], [], OUT)
    assert entry.path("csv") == OUT / "s01.e02.emotions.csv"


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        (["x/talk.mp4", "y/talk.mp4"], r"x/talk\.mp4 and y/talk\.mp4 would be annotated in the same file"),
        (["http://host/talk.mp4"], "download the recording"),
        (["@gone.txt"], r"no such table: gone\.txt"),
    ],
)
def test_what_cannot_be_is_named(named: list[str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        collect(named, [], OUT)


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recording in"):
        collect([str(tmp_path)], [], OUT)
