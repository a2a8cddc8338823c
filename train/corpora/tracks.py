"""How much sound and picture a file turns out to have, from its beginning or all of it decoded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import av

from edge.clock import SECOND_NS
from edge.live.signal_quality import is_muted
from edge.preprocess.media import Block, Frame
from edge.preprocess.windowing import FrameGrid
from edge.sources.base import source_error
from edge.sources.decoding import opened
from edge.sources.defects import TORN, Defects
from edge.sources.media import probe, read_blocks, read_frames
from edge.sources.track_selection import choose_audio, choose_video, left_out

SHORTEST_AUDIO_S = 0.1
"""What a file's sound must be longer than."""
RATE_HZ = 16_000
"""Any rate would do to measure how long a sound is."""
RIPPLED_BLOCKS = 2
"""At both ends of a sound that is an offset and nothing else, resampling ripples it."""
GRID_RATE_HZ = 10.0
"""How finely the end of a decoded picture track is told."""


@dataclass(frozen=True)
class Track:
    """The sound or the picture of one file."""

    duration_s: float | None
    """None: the file has no such track; 0: nothing of it can be decoded."""
    header_duration_s: float = 0.0
    """How far the file's header says that the track reaches; 0 where it does not say."""
    is_silent: bool = False
    """Whether every sample that was decoded is the same."""
    problem: str = ""
    """Why the file cannot be read, or what of the sound that was decoded is damaged; empty where all is well."""
    left_out: str = ""
    """Which of several tracks is taken and which are not; empty where there is but one."""


class Header(NamedTuple):
    """What a file says of a track before any of it is decoded."""

    header_duration_s: float
    left_out: str


def audio(path: Path, deep: bool) -> Track:
    """A file's sound; unless `deep`, it is decoded up to where it is long enough and no digital silence."""
    try:
        if not probe(path)[0]:
            return Track(None)
        remarks_made: list[str] = []
        remarks = Defects(str(path), say=remarks_made.append)
        decoded_s, is_silent = audio_s(path, deep, remarks)
        problem = "; ".join(remarks_made) if remarks.dropped or remarks.has_said(TORN) else ""
        header_duration_s, others = read_header(path, "audio")
        return Track(decoded_s, header_duration_s, is_silent, problem, others)
    except Exception as error:  # a decoder may raise anything: one file is lost, not the table
        return Track(None, problem=str(source_error(str(path), error)))


def video(path: Path, deep: bool) -> Track:
    """A file's picture; unless `deep`, its first frame is decoded and its header believed."""
    try:
        if not probe(path)[1]:
            return Track(None)
        decoded_s, (header_duration_s, others) = video_s(path, deep), read_header(path, "video")
        believed = not deep and decoded_s > 0
        return Track(max(decoded_s, header_duration_s) if believed else decoded_s, header_duration_s, left_out=others)
    except Exception as error:  # a decoder may raise anything: one file is lost, not the table
        return Track(None, problem=str(source_error(str(path), error)))


def audio_s(path: Path, deep: bool, remarks: Defects) -> tuple[float, bool]:
    """How much sound a file has, as far as it is decoded, and whether all of that is digital silence."""
    samples, audible, is_silent = 0, 0, True
    for block in read_blocks(path, RATE_HZ, remarks=remarks):
        if not isinstance(block, Block):
            continue
        samples += len(block.samples)
        audible += not is_muted(block.samples)
        is_silent = audible <= RIPPLED_BLOCKS
        if not deep and not is_silent and samples > SHORTEST_AUDIO_S * RATE_HZ:
            break
    return samples / RATE_HZ, is_silent


def video_s(path: Path, deep: bool) -> float:
    """How far the frames of a file's picture reach, or its first frame."""
    slot_s = 1 / GRID_RATE_HZ
    events = read_frames(path, FrameGrid(GRID_RATE_HZ))
    ends_s = (frame.end_ns / SECOND_NS + slot_s for frame in events if isinstance(frame, Frame))
    first_s = next(ends_s, 0.0)
    return max(ends_s, default=first_s) if deep else first_s


def read_header(path: Path, kind: Literal["audio", "video"]) -> Header:
    """How far a file says that the track of that kind reaches, and which others it has."""
    with opened(path) as container:
        if kind == "audio":
            audio_track = choose_audio(container)
            return Header(header_s(container, audio_track), left_out(kind, container.streams.audio, audio_track))
        video_track = choose_video(container)
        return Header(header_s(container, video_track), left_out(kind, container.streams.video, video_track))


def header_s(container: av.container.InputContainer, track: av.AudioStream | av.VideoStream) -> float:
    """How far a track reaches as its file says; 0 where it does not say."""
    if track.duration is None or track.time_base is None:
        return (container.duration or 0) / av.time_base
    return float(track.duration * track.time_base)
