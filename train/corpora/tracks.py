"""Durations of a file's audio and video tracks, from its header or from decoding all of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import av

from edge.clock import SECOND_NS
from edge.live.signal_quality import is_muted
from edge.preprocess.media import Block, Frame
from edge.preprocess.windowing import FrameGrid
from edge.sources.base import source_error
from edge.sources.decoding import open_container
from edge.sources.defects import TRUNCATED, Defects
from edge.sources.media import probe, read_blocks, read_frames
from edge.sources.track_selection import choose_audio, choose_video, describe_left_out

SHORTEST_AUDIO_S = 0.1
"""Longest audio that is too short to use."""
RATE_HZ = 16_000
"""Sample rate for measuring durations; any would do."""
RIPPLED_BLOCKS = 2
"""Number of blocks, at both ends of a constant signal, in which resampling causes ripples."""
GRID_RATE_HZ = 10.0
"""Frame rate with which the end of a decoded video track is measured."""


@dataclass(frozen=True)
class Track:
    """Audio or video track of one file."""

    duration_s: float | None
    """Duration of the track; None if the file has no such track, 0 if nothing of it can be decoded."""
    header_duration_s: float = 0.0
    """Duration of the track by the file's header; 0 if the header has none."""
    is_silent: bool = False
    """True if all decoded samples are equal."""
    problem: str = ""
    """Reason why the file cannot be read, or the damage of the decoded audio; empty if there is none."""
    left_out: str = ""
    """Note about the chosen track and the others; empty if there is only one."""


class Header(NamedTuple):
    """Facts about a track from the file's header."""

    header_duration_s: float
    left_out: str


def audio(path: Path, deep: bool) -> Track:
    """Return a file's audio track; unless `deep`, it is decoded until it is long enough and not digital silence."""
    try:
        if not probe(path)[0]:
            return Track(None)
        warnings: list[str] = []
        defects = Defects(str(path), warn=warnings.append)
        decoded_s, is_silent = audio_s(path, deep, defects)
        problem = "; ".join(warnings) if defects.dropped or defects.has_reported(TRUNCATED) else ""
        header_duration_s, others = read_header(path, "audio")
        return Track(decoded_s, header_duration_s, is_silent, problem, others)
    except Exception as error:  # a decoder may raise anything: one file is lost, not the table
        return Track(None, problem=str(source_error(str(path), error)))


def video(path: Path, deep: bool) -> Track:
    """Return a file's video track; unless `deep`, only its first frame is decoded and its header is trusted."""
    try:
        if not probe(path)[1]:
            return Track(None)
        decoded_s, (header_duration_s, others) = video_s(path, deep), read_header(path, "video")
        believed = not deep and decoded_s > 0
        return Track(max(decoded_s, header_duration_s) if believed else decoded_s, header_duration_s, left_out=others)
    except Exception as error:  # a decoder may raise anything: one file is lost, not the table
        return Track(None, problem=str(source_error(str(path), error)))


def audio_s(path: Path, deep: bool, defects: Defects) -> tuple[float, bool]:
    """Return the duration of a file's decoded audio, in seconds, and whether all of it is digital silence."""
    samples, audible, is_silent = 0, 0, True
    for block in read_blocks(path, RATE_HZ, defects=defects):
        if not isinstance(block, Block):
            continue
        samples += len(block.samples)
        audible += not is_muted(block.samples)
        is_silent = audible <= RIPPLED_BLOCKS
        if not deep and not is_silent and samples > SHORTEST_AUDIO_S * RATE_HZ:
            break
    return samples / RATE_HZ, is_silent


def video_s(path: Path, deep: bool) -> float:
    """Return the end of a file's frames, or of its first frame unless `deep`, in seconds."""
    slot_s = 1 / GRID_RATE_HZ
    events = read_frames(path, FrameGrid(GRID_RATE_HZ))
    ends_s = (frame.end_ns / SECOND_NS + slot_s for frame in events if isinstance(frame, Frame))
    first_s = next(ends_s, 0.0)
    return max(ends_s, default=first_s) if deep else first_s


def read_header(path: Path, kind: Literal["audio", "video"]) -> Header:
    """Return the duration of the track of that kind by the header, and a note about the other tracks."""
    with open_container(path) as container:
        if kind == "audio":
            audio_track = choose_audio(container)
            others = describe_left_out(kind, container.streams.audio, audio_track)
            return Header(header_s(container, audio_track), others)
        video_track = choose_video(container)
        others = describe_left_out(kind, container.streams.video, video_track)
        return Header(header_s(container, video_track), others)


def header_s(container: av.container.InputContainer, track: av.AudioStream | av.VideoStream) -> float:
    """Return the duration of a track by its file, in seconds; 0 if the file has none."""
    if track.duration is None or track.time_base is None:
        return (container.duration or 0) / av.time_base
    return float(track.duration * track.time_base)
