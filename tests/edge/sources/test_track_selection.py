"""Selection of the track that players choose, or of the requested one; a cover is no track."""

import logging
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from av.stream import Disposition

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.errors import SourceError
from edge.preprocess.windowing import FrameGrid
from edge.sources.media import MediaFile, probe, read_audio, read_blocks, read_frames
from edge.sources.track_selection import TrackNumbers, container_name, explain_missing, is_selectable
from tests.edge.sources.made_tracks import RATE_HZ, GreyTrack, ToneTrack, write

DEFAULT, COVER = Disposition.default, Disposition.attached_pic
SOUND, PICTURE = AudioSpec(RATE_HZ, 6.0), VideoSpec(5.0, 8, 8, "whole")


def heard(path: Path, numbers: TrackNumbers = TrackNumbers()) -> float:  # noqa: B008  # frozen
    """The level of the sound that is taken."""
    return level_of(read_audio(path, RATE_HZ, numbers))


def level_of(samples: np.ndarray) -> float:
    return round(float(samples.std()) * 2**0.5, 2)


def seen(path: Path, numbers: TrackNumbers = TrackNumbers()) -> int:  # noqa: B008  # frozen
    """The grey of the picture that is taken."""
    return int(next(read_frames(path, FrameGrid(5.0), numbers)).image[12, 12, 0])


@pytest.mark.parametrize(
    ("tracks", "level"),
    [
        ([ToneTrack(0.25), ToneTrack(0.5, DEFAULT)], 0.5),
        ([ToneTrack(0.25, Disposition.comment), ToneTrack(0.5)], 0.5),
        ([ToneTrack(0.25, Disposition.visual_impaired | DEFAULT), ToneTrack(0.5, DEFAULT)], 0.5),
        ([ToneTrack(0.25, Disposition.hearing_impaired), ToneTrack(0.5, Disposition.original)], 0.5),
        ([ToneTrack(0.25, DEFAULT), ToneTrack(0.5, Disposition.comment)], 0.25),
    ],
    ids=["the default", "no commentary", "of two defaults the plain", "not for the impaired", "the default first"],
)
def test_the_audio_track_that_players_choose_is_selected(tmp_path: Path, tracks: list[ToneTrack], level: float) -> None:
    path = write(tmp_path / "a.mkv", tracks)
    assert heard(path) == level
    assert level_of(np.concatenate([block.samples for block in read_blocks(path, RATE_HZ)])) == level


@pytest.mark.parametrize(
    ("name", "tracks", "grey"),
    [
        ("a.mkv", [GreyTrack(40), GreyTrack(90, DEFAULT)], 90),
        ("a.mkv", [GreyTrack(40, DEFAULT), GreyTrack(90, DEFAULT, width=64)], 90),
        ("a.mkv", [GreyTrack(40, width=64), GreyTrack(90, DEFAULT)], 90),
        ("a.mp4", [GreyTrack(40, DEFAULT, "mpeg4", width=64, frames=1), GreyTrack(90, DEFAULT, "mpeg4")], 90),
    ],
    ids=["the default", "the larger of two defaults", "the default before the larger", "no single picture"],
)
def test_the_video_track_that_players_choose_is_selected(
    tmp_path: Path, name: str, tracks: list[GreyTrack], grey: int
) -> None:
    assert seen(write(tmp_path / name, tracks)) == pytest.approx(grey, abs=1)


@pytest.mark.parametrize(("number", "level", "grey"), [(0, 0.25, 40), (1, 0.5, 90), (2, 0.75, 140)])
def test_the_requested_track_is_selected(tmp_path: Path, number: int, level: float, grey: int) -> None:
    waveforms = [ToneTrack(0.25), ToneTrack(0.5, DEFAULT), ToneTrack(0.75, Disposition.comment)]
    path = write(tmp_path / "a.mkv", [*waveforms, GreyTrack(40), GreyTrack(90), GreyTrack(140, DEFAULT)])
    numbers = TrackNumbers(audio=number, video=number)
    assert (heard(path, numbers), seen(path, numbers)) == (level, grey)
    media = list(MediaFile(path, SOUND, None, numbers).read())
    assert level_of(np.concatenate([item.samples for item in media])) == level


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (
            TrackNumbers(audio=2),
            r"a\.mkv has no audio track 2; it has 0 \(pcm_s16le, 1 ch, pol\), 1 \(.*, default\); --audio-",
        ),
        (TrackNumbers(audio=-1), r"has no audio track -1; it has 0"),
        (TrackNumbers(video=1), r"has no video track 1; it has 0 \(ffv1, 32x24.*\); --video-track"),
    ],
)
def test_a_missing_track_is_an_error_that_lists_the_others(tmp_path: Path, numbers: TrackNumbers, said: str) -> None:
    path = write(tmp_path / "a.mkv", [ToneTrack(0.25, language="pol"), ToneTrack(0.5, DEFAULT), GreyTrack(40)])
    with pytest.raises(SourceError, match=said):
        MediaFile(path, SOUND, PICTURE, numbers)
    with pytest.raises(SourceError, match=said):
        probe(path, numbers)


def covered(path: Path, codec: str) -> Path:
    return write(path, [ToneTrack(0.25, codec=codec), GreyTrack(40, COVER, "mjpeg", frames=1)])


@pytest.mark.parametrize(("name", "codec"), [("a.flac", "flac"), ("a.mp4", "aac")])
def test_a_cover_is_no_video_track(tmp_path: Path, name: str, codec: str) -> None:
    path = covered(tmp_path / name, codec)
    with av.open(str(path)) as container:
        assert container.streams.video, "a cover"
    assert probe(path) == (True, False)
    with pytest.raises(SourceError, match=r"has no video that .*0 \(mjpeg.*attached pic\); say --camera off"):
        MediaFile(path, SOUND, PICTURE)
    with pytest.raises(SourceError, match=r"video track 0 \(mjpeg.*\) cannot be taken"):
        probe(path, TrackNumbers(video=0))
    with pytest.raises(SourceError, match="has no video that can be used"):
        next(read_frames(path, FrameGrid(5.0)))


def test_the_tiles_of_an_image_are_no_video_track() -> None:
    """As a telephone's HEIC has them."""
    tiles = [SimpleNamespace(disposition=Disposition.dependent, codec_context=object())] * 6
    assert not any(map(is_selectable, tiles))
    assert explain_missing("video", tiles) == "has its image in 6 tiles, which PyAV does not join (save it as JPEG)"


def test_a_video_with_a_cover_gives_the_video(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [GreyTrack(40, COVER, "mjpeg", width=128, frames=1), GreyTrack(90, codec="mpeg4")])
    assert seen(path) == pytest.approx(90, abs=1)


def test_tracks_left_out_are_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.mkv", [ToneTrack(0.25, language="eng"), ToneTrack(0.5, DEFAULT), GreyTrack(40)])
    with caplog.at_level(logging.INFO):
        list(MediaFile(path, SOUND, PICTURE).read())
    named = [record.getMessage() for record in caplog.records]
    assert named == [
        f"{path} takes audio track 1 (pcm_s16le, 1 ch, default), leaves out 0 (pcm_s16le, 1 ch, eng); "
        "--audio-track chooses"
    ]


def test_a_cover_is_logged_and_unwanted_types_are_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        MediaFile(covered(tmp_path / "a.flac", "flac"), SOUND, None)
        MediaFile(write(tmp_path / "a.mkv", [ToneTrack(0.25), ToneTrack(0.5), GreyTrack(40)]), None, PICTURE)
    named = [record.getMessage() for record in caplog.records]
    assert len(named) == 1
    assert "a.flac leaves out video track 0 (mjpeg" in named[0]


def test_audio_without_an_audio_track_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", [GreyTrack(40)])
    with pytest.raises(SourceError, match=r"a\.mkv has no audio$"):
        read_audio(path, RATE_HZ)


def test_a_track_without_a_decoder_is_not_selected(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", [ToneTrack(0.25, DEFAULT), ToneTrack(0.5, codec="flac")])
    path.write_bytes(path.read_bytes().replace(b"A_PCM/INT/LIT", b"A_XYZ/INT/LIT", 1))
    assert heard(path) == 0.5
    with pytest.raises(SourceError, match=r"audio track 0 \(no decoder, default\) cannot be taken; it has"):
        probe(path, TrackNumbers(audio=0))


def test_of_very_many_tracks_the_first_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", [ToneTrack(0.25, language=f"qa{letter}") for letter in "abcdefghijk"])
    with pytest.raises(SourceError, match=r", 7 \(pcm_s16le, 1 ch, qah\), 3 more; --audio-track") as refused:
        probe(path, TrackNumbers(audio=11))
    assert "qai" not in str(refused.value)
    assert str(refused.value).startswith(f"{path} has no audio track 11")


@pytest.mark.parametrize(
    ("name", "said"),
    [("http://me:secret@cam/a.mkv", "http://***@cam/a.mkv"), ("file:/b/file:c.mkv", "/b/file:c.mkv")],
)
def test_a_recording_is_named_without_a_password(name: str, said: str) -> None:
    assert container_name(SimpleNamespace(name=name)) == said


@pytest.mark.parametrize(
    ("numbers", "arguments"),
    [
        (TrackNumbers(), []),
        (TrackNumbers(0, 2), ["--audio-track", "0", "--video-track", "2"]),
        (TrackNumbers(video=1), ["--video-track", "1"]),
    ],
)
def test_track_numbers_become_command_line_options(numbers: TrackNumbers, arguments: list[str]) -> None:
    assert numbers.arguments == arguments


def test_titles_with_control_characters_are_not_printed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", [ToneTrack(0.25, language="e\x1b[2J")])
    with pytest.raises(SourceError) as refused:
        probe(path, TrackNumbers(audio=1))
    assert str(refused.value).isprintable()
