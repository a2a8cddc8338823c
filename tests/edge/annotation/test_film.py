"""Copies of films: what is drawn, what stays as it was."""

import logging
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from msgspec.structs import replace

from edge.annotation.about import missing_formats, read_about
from edge.annotation.annotate import Annotation
from edge.annotation.annotator import Annotator
from edge.annotation.collection import Entry
from edge.annotation.film import drawn_images, rows_at, write_film
from edge.annotation.formats import FILM
from edge.geometry import Box
from edge.session.config import Config
from edge.session.model import Model
from edge.sources.contents import examine
from edge.sources.media import read_timed_images
from tests.edge.annotation.made_rows import ROW, person_rows, steady


def drawn(film: Path, folder: Path) -> Path:
    rows = [replace(row, box=Box(100, 40, 80, 80)) for row in steady("calm", "glad", "glad")]
    write_film(Annotation(film, examine(film), rows), folder / "copy.mkv")
    return folder / "copy.mkv"


def packets(path: Path) -> list[tuple[bytes, float]]:
    """Content and time in seconds of each packet of audio."""
    with av.open(str(path)) as container:
        return [
            (bytes(packet), float(packet.pts * packet.time_base))
            for packet in container.demux(audio=0)
            if packet.pts is not None
        ]


def test_audio_is_copied_byte_by_byte_with_its_times(film: Path, tmp_path: Path) -> None:
    before, after = packets(film), packets(drawn(film, tmp_path))
    assert [content for content, _ in after] == [content for content, _ in before]
    assert [time_s for _, time_s in after] == pytest.approx([time_s for _, time_s in before], abs=2e-3)


def test_every_frame_is_there_at_its_time_with_the_box(film: Path, tmp_path: Path) -> None:
    before = list(read_timed_images(film))
    after = list(read_timed_images(drawn(film, tmp_path)))
    assert [time_s for _, time_s in after] == pytest.approx([time_s for _, time_s in before], abs=2e-3)
    for (old, _), (new, _) in zip(before[::7], after[::7], strict=True):
        change = np.abs(old().astype(int) - new().astype(int)).max(axis=2)
        assert change[80, 98:103].max() > 40  # an edge of the box
        assert np.median(change) < 8  # what an encoder loses


def test_each_of_several_people_has_a_box_while_there(film: Path) -> None:
    stays = [replace(row, box=Box(100, 40, 80, 80)) for row in person_rows(1, 1, 2, 3, label="calm", hop_s=0.25)]
    comes = [replace(row, box=Box(220, 100, 40, 40)) for row in person_rows(2, 2, hop_s=0.25)]
    annotation = Annotation(film, examine(film), [*stays, *comes])
    before = [image() for image, _ in read_timed_images(film)]
    for old, (new, time_s) in zip(before, drawn_images(annotation), strict=True):
        assert (new[80, 100] != old[80, 100]).any()
        assert (new[120, 220] != old[120, 220]).any() == (0.5 <= time_s < 0.75)


def test_a_film_of_odd_sides_without_audio(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    film = make_clip(tmp_path / "odd.mkv", np.full((5, 35, 51, 3), 90, np.uint8))
    with av.open(str(drawn(film, tmp_path))) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (50, 34)
        assert not container.streams.audio
        assert sum(1 for _ in container.decode(video=0)) == 5


@pytest.fixture
def late(film: Path, tmp_path: Path) -> Path:
    """The film as a transport stream whose clock begins at 7 s and more."""
    late = tmp_path / "late.ts"
    with (
        av.open(str(film)) as source,
        av.open(str(late), "w", format="mpegts", options={"output_ts_offset": "7"}) as copy,
    ):
        track = copy.add_stream("mp2", rate=16_000)
        video = copy.add_stream("mpeg1video", rate=25)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        for frame in source.decode(audio=0):
            copy.mux(track.encode(frame))
        copy.mux(track.encode(None))
        source.seek(0)
        for number, frame in enumerate(source.decode(video=0)):
            frame.pts, frame.time_base = number, video.codec_context.time_base
            copy.mux(video.encode(frame.reformat(format="yuv420p")))
        copy.mux(video.encode(None))
    return late


def test_a_film_whose_clock_begins_late_stays_in_step(late: Path, tmp_path: Path) -> None:
    before, after = packets(late), packets(drawn(late, tmp_path))
    with av.open(str(late)) as container:
        begin_s = container.start_time / 1e6
    assert begin_s > 6
    assert [time_s for _, time_s in after] == pytest.approx([time_s - begin_s for _, time_s in before], abs=2e-3)


def test_a_film_whose_clock_starts_again_has_all_of_its_audio(late: Path, tmp_path: Path) -> None:
    once = packets(drawn(late, tmp_path))
    late.write_bytes(2 * late.read_bytes())
    twice = packets(drawn(late, tmp_path))
    assert [content for content, _ in twice] == 2 * [content for content, _ in once]
    times_s = [time_s for _, time_s in twice]
    assert times_s == sorted(times_s)
    again_s = times_s[len(once)]
    assert [time_s - again_s for time_s in times_s[len(once) :]] == pytest.approx(
        [time_s for _, time_s in once], abs=5e-3
    )
    assert again_s == pytest.approx(4.0, abs=0.2)  # the film's length


def test_audio_that_overlaps_itself_is_copied_once(late: Path, tmp_path: Path) -> None:
    """As where damage has moved its times: no container takes times that go back."""
    once, stored = packets(drawn(late, tmp_path)), late.read_bytes()
    late.write_bytes(stored + stored[-len(stored) // 20 // 188 * 188 :])
    times_s, once_s = [time_s for _, time_s in packets(drawn(late, tmp_path))], [time_s for _, time_s in once]
    if av.library_versions["libavformat"] < (62,):  # FFmpeg 7 reads what is stored twice as if it came after the end
        assert times_s == sorted(set(times_s))
        times_s = times_s[: len(once_s)]
    assert times_s == once_s


@pytest.mark.parametrize(
    ("time_s", "known", "near"), [(0.0, 0, 0), (0.6, 0, 0), (0.8, 0, 1), (1.0, 1, 1), (1.4, 1, 2), (9.0, 2, 2)]
)
def test_labels_are_those_that_are_known_and_boxes_those_of_the_nearest_frame(
    time_s: float, known: int, near: int
) -> None:
    rows = [replace(ROW, end_s=end_s) for end_s in (0.5, 1.0, 1.5)]
    found = rows_at(rows, [row.end_s for row in rows], time_s)
    assert [rows.index(row) for row in found] == [known, near]


def test_a_recording_without_video_has_no_film_and_that_is_noted(
    tmp_path: Path, make_clip: Callable[..., Path], tone: Callable[..., np.ndarray], model: Model, settings: Config
) -> None:
    recording = make_clip(tmp_path / "a.wav", samples=tone(1.0))
    annotator, entry = Annotator(model, settings), Entry(recording, tmp_path / "a")
    annotator.write(annotator.annotate(recording, lambda *_: None), entry, ["csv", FILM], [])
    about = read_about(entry.note)
    assert about is not None
    assert about.files == {"csv": "a.emotions.csv", FILM: None}
    assert missing_formats(recording, entry.note, annotator.settings, ["csv", FILM]) == []


def test_audio_that_no_container_takes_is_left_out_with_a_word(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge.annotation.film.CONTAINER", "h264")
    with caplog.at_level(logging.WARNING):
        drawn(film, tmp_path)
    assert "audio in pcm_s16le cannot be copied; its film is silent" in caplog.text
