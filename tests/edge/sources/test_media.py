"""Real files: their media, its times, and the errors of files that cannot be read."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.errors import SourceError
from edge.preprocess.media import Block, Frame
from edge.preprocess.windowing import FrameGrid
from edge.sources.media import MediaFile, probe, read_audio, read_blocks, read_frames

SOUND, PICTURE = AudioSpec(16000, 6.0), VideoSpec(5.0, 8, 8, "whole")
MS = 1_000_000


def shades(count: int) -> np.ndarray:
    """Pictures 24 x 32, each of one grey: 0, 5, 10, ..."""
    greys = (5 * np.arange(count)).astype(np.uint8)
    return np.broadcast_to(greys[:, None, None, None], (count, 24, 32, 3)).copy()


@pytest.mark.parametrize(
    ("name", "codecs", "has_audio", "has_video"),
    [
        ("both.mkv", ("ffv1", "pcm_s16le"), True, True),
        ("both.mp4", ("mpeg4", "aac"), True, True),
        ("both.flv", ("flv", "pcm_s16le"), True, True),
        ("sound.wav", ("", "pcm_s16le"), True, False),
        ("sound.flac", ("", "flac"), True, False),
        ("picture.mp4", ("mpeg4", ""), False, True),
        ("still.png", ("png", ""), False, True),
    ],
)
def test_probe_tells_the_modalities(tmp_path, make_clip, tone, name, codecs, has_audio: bool, has_video: bool) -> None:
    if name.endswith("png"):
        (tmp_path / name).write_bytes(still())
    else:
        rate_hz = 44100 if name.endswith("flv") else 16000
        samples = tone(0.5, rate_hz) if has_audio else None
        images = shades(5) if has_video else None
        make_clip(tmp_path / name, images, samples, codecs=codecs, rate_hz=rate_hz)
    assert probe(tmp_path / name) == (has_audio, has_video)


def still() -> bytes:
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 32, 24, "rgb24"
    encoder.time_base = Fraction(1)
    image = av.VideoFrame.from_ndarray(shades(3)[2], format="rgb24")
    return b"".join(bytes(packet) for packet in [*encoder.encode(image), *encoder.encode(None)])


def test_audio_comes_in_blocks_of_20_ms_and_a_shorter_rest(tmp_path, make_clip, tone) -> None:
    samples = tone(0.5)[:7900]
    blocks = list(read_blocks(make_clip(tmp_path / "a.wav", samples=samples), 16000))
    assert [len(block.samples) for block in blocks] == [320] * 24 + [220]
    assert [block.end_ns for block in blocks] == [20 * MS * k for k in range(1, 25)] + [493_750_000]
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), samples / np.float32(32768))


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
def test_audio_of_any_rate_keeps_its_length_and_pitch(tmp_path, make_clip, tone, rate_hz: int) -> None:
    path = make_clip(tmp_path / "a.wav", samples=tone(1.0, rate_hz), rate_hz=rate_hz)
    audio = read_audio(path, 16000)
    assert len(audio) == pytest.approx(16000, abs=20)
    spectrum = np.abs(np.fft.rfft(audio, 16000))
    assert int(spectrum.argmax()) == 440
    assert np.abs(audio).max() == pytest.approx(9000 / 32768, rel=0.1)


@pytest.mark.parametrize(("left", "right", "mono"), [(8192, 0, 0.125), (16384, 16384, 0.5), (32767, 32767, 1.0)])
def test_stereo_is_mixed_to_the_mean_as_a_microphone_is(tmp_path, left: int, right: int, mono: float) -> None:
    path = tmp_path / "stereo.wav"
    with av.open(str(path), "w") as container:
        track = container.add_stream("pcm_s16le", rate=16000, layout="stereo")
        both = np.int16([[left, right]] * 1600).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        frame.sample_rate = 16000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    heard = np.concatenate([block.samples for block in read_blocks(path, 16000)])
    np.testing.assert_allclose(heard, mono, atol=1e-3)


@pytest.mark.parametrize(
    ("fps", "times_ms"), [(5, [0, 200, 400, 600, 800]), (10, [0, 200, 400, 600, 800]), (2, [0, 500])]
)
def test_frames_are_those_of_the_grid_at_their_own_times(tmp_path, make_clip, fps: int, times_ms: list[int]) -> None:
    path = make_clip(tmp_path / "a.mkv", shades(fps), fps=fps)
    frames = list(read_frames(path, FrameGrid(5.0)))
    assert [frame.end_ns // MS for frame in frames] == times_ms
    for frame in frames:
        np.testing.assert_array_equal(frame.image, shades(fps)[round(frame.end_ns * fps / 1e9)])


def test_colours_are_red_green_blue(tmp_path, make_clip) -> None:
    images = np.zeros((2, 24, 32, 3), np.uint8)
    images[..., 0], images[..., 1] = 200, 100
    frame = next(read_frames(make_clip(tmp_path / "a.mkv", images), FrameGrid(5.0)))
    np.testing.assert_array_equal(frame.image, images[0])


def test_a_still_image_is_one_frame_at_time_0(tmp_path) -> None:
    (tmp_path / "still.png").write_bytes(still())
    frames = list(read_frames(tmp_path / "still.png", FrameGrid(5.0)))
    assert [frame.end_ns for frame in frames] == [0]
    np.testing.assert_array_equal(frames[0].image, shades(3)[2])


def test_audio_and_video_are_merged_by_time(tmp_path, make_clip, tone) -> None:
    path = make_clip(tmp_path / "a.mkv", shades(10), tone(1.0))
    media = list(MediaFile(path, SOUND, PICTURE).read())
    times = [item.end_ns for item in media]
    assert times == sorted(times)
    assert sum(isinstance(item, Frame) for item in media) == 5
    assert sum(isinstance(item, Block) for item in media) == 50
    assert sum(len(item.samples) for item in media if isinstance(item, Block)) == 16000


@pytest.mark.parametrize(("audio", "image", "kind"), [(SOUND, None, Block), (None, PICTURE, Frame)])
def test_only_what_is_asked_for_is_given(tmp_path, make_clip, tone, audio, image, kind: type) -> None:
    path = make_clip(tmp_path / "a.mkv", shades(10), tone(1.0))
    assert {type(item) for item in MediaFile(path, audio, image).read()} == {kind}


def test_a_track_that_begins_later_keeps_its_distance(tmp_path, tone) -> None:
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=10)
        video.width, video.height, video.pix_fmt = 32, 24, "bgr0"
        audio = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for index, image in enumerate(shades(10)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        samples = av.AudioFrame.from_ndarray(tone(0.2)[None], format="s16", layout="mono")
        samples.sample_rate, samples.pts, samples.time_base = 16000, 8000, Fraction(1, 16000)
        container.mux(audio.encode(samples))
        container.mux(audio.encode(None))
    blocks = list(read_blocks(path, 16000))
    assert [block.end_ns // MS for block in blocks] == [520 + 20 * k for k in range(10)]


def test_a_recording_can_be_read_twice(tmp_path, make_clip, tone) -> None:
    media = MediaFile(make_clip(tmp_path / "a.mkv", shades(5), tone(0.5)), SOUND, PICTURE)
    assert [item.end_ns for item in media.read()] == [item.end_ns for item in media.read()]


@pytest.mark.parametrize(("has", "remedy"), [("sound", "say --camera off"), ("picture", "say --mic off")])
def test_a_missing_modality_is_an_error_with_a_remedy(tmp_path, make_clip, tone, has: str, remedy: str) -> None:
    images, samples = (shades(5), None) if has == "picture" else (None, tone(0.5))
    path = make_clip(tmp_path / "half.mkv", images, samples)
    with pytest.raises(SourceError, match=remedy) as refused:
        MediaFile(path, SOUND, PICTURE)
    assert str(path) in str(refused.value)


def test_a_still_image_is_told_from_a_recording_without_audio(tmp_path) -> None:
    (tmp_path / "still.png").write_bytes(still())
    with pytest.raises(SourceError, match=r"still\.png is a still image: use foal-edge score"):
        MediaFile(tmp_path / "still.png", SOUND, PICTURE)


@pytest.mark.parametrize("content", [b"", b"hello\n" * 10, b"\x00" * 5000, None])
def test_a_file_that_is_no_recording_is_an_error(tmp_path, content: bytes | None) -> None:
    path = tmp_path / "thing.mp4"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(SourceError) as refused:
        probe(path)
    assert str(path) in str(refused.value)
    assert "; give a " in str(refused.value)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(SourceError, match=r"no such file: .*gone\.mp4"):
        probe(tmp_path / "gone.mp4")


def test_a_truncated_mp4_cannot_be_read(tmp_path, make_clip, tone) -> None:
    whole = make_clip(tmp_path / "a.mp4", shades(20), tone(2.0), codecs=("mpeg4", "aac")).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="cannot be read as a recording"):
        probe(tmp_path / "cut.mp4")


def test_a_truncated_flv_gives_what_is_left_of_it(tmp_path, make_clip) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 24, 32, 3), dtype=np.uint8)
    whole = make_clip(tmp_path / "a.flv", images, codecs=("flv", ""))
    content = whole.read_bytes()
    (tmp_path / "cut.flv").write_bytes(content[: len(content) // 2])
    times = [frame.end_ns for frame in read_frames(whole, FrameGrid(5.0))]
    left = [frame.end_ns for frame in read_frames(tmp_path / "cut.flv", FrameGrid(5.0))]
    assert left == times[: len(left)]
    assert 3 <= len(left) < len(times) == 10


def test_real_recordings_have_audio_and_five_frames_a_second(recordings: list[Path]) -> None:
    assert len(recordings) == 3
    for path in recordings:
        audio = len(read_audio(path, 16000)) / 16000
        frames = list(read_frames(path, FrameGrid(5.0)))
        assert len(frames) == pytest.approx(5 * audio, abs=2), path
        assert np.diff([frame.end_ns for frame in frames]).max() < 300 * MS
