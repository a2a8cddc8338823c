"""Audio where its timestamps say: beeps and flashes at known times, through every container."""

import logging
from pathlib import Path

import av
import numpy as np
import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.preprocess.media import Block, Discontinuity
from edge.sources.media import MediaFile, read_audio, read_blocks, read_first_window

from .made_media import READ_HZ, beep_times, beeps, between, flash_times, moved, write

SOUND, PICTURE = AudioSpec(READ_HZ, 6.0), VideoSpec(25.0, 8, 8, "whole")
EXACT_S = 0.0005
"""Containers round times to a millisecond."""
UNSAID_S = 0.026
"""What an encoder puts before the sound, a frame of it at most, where neither codec nor container says so: nobody who
decodes the file can know."""
MATROSKA_S = EXACT_S if int(av.__version__.split(".")[0]) >= 18 else UNSAID_S
"""FFmpeg before 8.1, which PyAV has from 18 on, counts from the encoder's first sample, sound and picture alike."""

CONTAINERS = [
    ("a.wav", "", "pcm_s16le", 48000, EXACT_S),
    ("a.wav", "", "pcm_f32le", 44100, EXACT_S),
    ("a.flac", "", "flac", 44100, EXACT_S),
    ("a.mp3", "", "libmp3lame", 44100, EXACT_S),
    ("a.m4a", "", "aac", 48000, EXACT_S),
    ("a.mp4", "mpeg4", "aac", 44100, EXACT_S),
    ("a.mp4", "mpeg4", "libopus", 48000, EXACT_S),
    ("a.mov", "mpeg4", "pcm_s16le", 48000, EXACT_S),
    ("a.mkv", "mpeg4", "aac", 48000, MATROSKA_S),
    ("a.mkv", "mpeg4", "libopus", 48000, MATROSKA_S),
    ("a.mkv", "mpeg4", "libmp3lame", 44100, MATROSKA_S),
    ("a.webm", "libvpx", "libopus", 48000, MATROSKA_S),
    ("a.ogg", "", "libopus", 48000, EXACT_S),
    ("a.avi", "mpeg4", "pcm_s16le", 44100, EXACT_S),
    ("a.avi", "mpeg4", "libmp3lame", 48000, UNSAID_S),
    ("a.flv", "flv", "aac", 44100, UNSAID_S),
    ("a.flv", "flv", "libmp3lame", 44100, UNSAID_S),
    ("a.ts", "mpeg2video", "aac", 48000, UNSAID_S),
    ("a.ts", "mpeg2video", "mp2", 48000, UNSAID_S),
    ("a.aac", "", "aac", 48000, UNSAID_S),
]


def media_of(path: Path, *, image: bool = True) -> list:
    return list(MediaFile(path, SOUND, PICTURE if image else None).read())


@pytest.mark.parametrize(("name", "video", "audio", "rate_hz", "tolerance_s"), CONTAINERS)
def test_beeps_lie_at_their_times(tmp_path, name, video, audio, rate_hz, tolerance_s) -> None:
    media = media_of(write(tmp_path / name, (video, audio), rate_hz=rate_hz), image=bool(video))
    assert beep_times(media) == pytest.approx([1.0, 2.5], abs=tolerance_s)
    if video:
        assert flash_times(media) == pytest.approx([1.0, 2.5], abs=0.06)
    assert sum(len(block.samples) for block in media if isinstance(block, Block)) == pytest.approx(64000, abs=1000)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.flv"])
def test_missing_packets_do_not_move_later_audio(tmp_path, caplog, name: str) -> None:
    codecs = ("flv" if name == "a.flv" else "mpeg2video" if name == "a.ts" else "mpeg4", "aac")
    path = write(tmp_path / name, codecs, [1, 3, 7, 9], seconds=10, rate_hz=44100, change=between(2.0, 5.0))
    with caplog.at_level(logging.WARNING):
        media = media_of(path)
    assert beep_times(media) == pytest.approx([1, 7, 9], abs=UNSAID_S)
    assert flash_times(media) == pytest.approx([1, 3, 7, 9], abs=0.05)
    assert not any(isinstance(item, Discontinuity) for item in media)
    [said] = caplog.messages
    assert "without audio" in said
    assert " at 2.0" in said


def test_audio_read_as_a_whole_has_silence_in_its_gaps(tmp_path) -> None:
    path = write(tmp_path / "a.mkv", ("mpeg4", "pcm_s16le"), [1, 7], seconds=8, change=between(2.0, 5.0))
    audio = read_audio(path, READ_HZ)
    assert len(audio) == pytest.approx(8 * READ_HZ, abs=20)
    assert not audio[round(2.1 * READ_HZ) : round(4.9 * READ_HZ)].any()
    assert np.abs(audio[round(6.99 * READ_HZ) : round(7.01 * READ_HZ)]).max() > 0.4


@pytest.mark.parametrize(("gap_s", "audio_s"), [(0.4, 6.0), (2.0, 2.0)])
def test_the_first_window_is_cut_as_a_stream_cuts_it(tmp_path, gap_s: float, audio_s: float) -> None:
    codecs = ("mpeg4", "pcm_s16le")
    path = write(tmp_path / "a.mkv", codecs, [5.5], seconds=7, change=between(4.0 - gap_s, 4.0))
    audio = read_first_window(path, READ_HZ, 6.0)
    assert len(audio) == pytest.approx(audio_s * READ_HZ, abs=700)
    assert np.abs(audio).argmax() == pytest.approx(len(audio) - 0.5 * READ_HZ, abs=700)


def test_overlapping_audio_is_trimmed(tmp_path) -> None:
    """The second part begins 0.3 s before the first one ends."""
    first = write(tmp_path / "1.ts", ("", "mp2"), [1.0], seconds=3)
    second = write(tmp_path / "2.ts", ("", "mp2"), [0.1, 2.0], seconds=3, change=moved(lambda time_s: 2.7))
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    media = media_of(both, image=False)
    assert beep_times(media) == pytest.approx([1, 4.7], abs=UNSAID_S)
    assert np.diff([block.end_ns for block in media if isinstance(block, Block)]).min() > 0


@pytest.mark.parametrize("seed", range(3))
def test_timestamps_that_jitter_leave_no_gaps(tmp_path, caplog, seed: int) -> None:
    rng = np.random.default_rng(seed)
    change = moved(lambda time_s: float(rng.uniform(0, 0.02)))
    path = write(tmp_path / "a.mkv", ("mpeg4", "pcm_s16le"), [1, 5, 9], seconds=10, change=change)
    media = media_of(path)
    assert beep_times(media) == pytest.approx([1.01, 5.01, 9.01], abs=0.012)
    assert sum(len(block.samples) for block in media if isinstance(block, Block)) == 10 * READ_HZ
    assert not caplog.messages


def test_timestamps_that_drift_are_followed(tmp_path, caplog) -> None:
    path = write(
        tmp_path / "a.mkv", ("mpeg4", "pcm_s16le"), [1, 30, 59], seconds=60, change=moved(lambda time_s: time_s / 200)
    )
    heard = [item for item in media_of(path) if isinstance(item, Block)]
    for at_s in (1, 30, 59):
        said_s = [block.end_ns / 1e9 for block in heard if np.abs(block.samples).max() > 0.4]
        assert min(abs(said - at_s * 1.005) for said in said_s) < 0.04
    assert not caplog.messages


def test_a_change_of_the_audio_format_midway_is_followed(tmp_path, caplog) -> None:
    parts = []
    for number, (rate_hz, layout) in enumerate([(48000, "mono"), (44100, "stereo"), (32000, "mono")]):
        part = tmp_path / f"{number}.aac"
        with av.open(str(part), "w") as container:
            track = container.add_stream("aac", rate=rate_hz, layout=layout)
            audio = np.tile(beeps([1.0], 2.0, rate_hz), (1 if layout == "mono" else 2, 1))
            frame = av.AudioFrame.from_ndarray(audio, "fltp", layout)
            frame.sample_rate = rate_hz
            container.mux(track.encode(frame))
            container.mux(track.encode(None))
        parts.append(part.read_bytes())
    (tmp_path / "all.aac").write_bytes(b"".join(parts))
    blocks = list(read_blocks(tmp_path / "all.aac", READ_HZ))
    assert beep_times(blocks) == pytest.approx([1.02, 3.05, 5.1], abs=0.06)
    assert not caplog.messages


@pytest.mark.parametrize(("layout", "channels"), [("5.1", 6), ("6.1", 7), ("7.1", 8)])
def test_of_many_channels_the_centre_is_used(tmp_path, caplog, layout: str, channels: int) -> None:
    path = tmp_path / "a.flac"
    with av.open(str(path), "w") as container:
        track = container.add_stream("flac", rate=48000, layout=layout)
        audio = np.zeros((96000, channels), np.int16)
        audio[:, 2] = 32767 * beeps([0.5, 1.5], 2.0, 48000)
        frame = av.AudioFrame.from_ndarray(audio.reshape(1, -1), "s16", layout)
        frame.sample_rate = 48000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    assert beep_times(read_blocks(path, READ_HZ)) == pytest.approx([0.5, 1.5], abs=EXACT_S)
    assert not caplog.messages


def test_a_wav_that_was_written_through_a_pipe_is_not_truncated(tmp_path, caplog) -> None:
    """Its length was not known when its header was written."""
    path = write(tmp_path / "a.wav", ("", "pcm_s16le"), [1, 3.5])
    content = bytearray(path.read_bytes())
    size_at = content.index(b"data") + 4
    content[4:8] = content[size_at : size_at + 4] = b"\xff" * 4
    path.write_bytes(content)
    assert beep_times(read_blocks(path, READ_HZ)) == pytest.approx([1, 3.5], abs=EXACT_S)
    assert not caplog.messages


@pytest.mark.parametrize(("codec", "jitter_s"), [("aac", 0.0), ("pcm_s16le", 0.02), ("mp3", 0.0)])
def test_blocks_end_with_the_first_sample_at_or_after_a_multiple_of_20_ms(
    tmp_path, codec: str, jitter_s: float
) -> None:
    rng = np.random.default_rng(0)
    change = moved(lambda time_s: float(rng.uniform(0, jitter_s)))
    path = write(tmp_path / "a.mkv", ("mpeg4", codec), [1], seconds=5, rate_hz=44100, change=change)
    blocks = [item for item in media_of(path, image=False) if isinstance(item, Block)]
    assert max(block.end_ns % 20_000_000 for block in blocks[:-1]) <= 1e9 / READ_HZ
    assert {len(block.samples) for block in blocks[1:-1]} <= set(range(READ_HZ // 100, READ_HZ * 3 // 100 + 1))
