"""Which sound track and which picture track of a recording are taken: those asked for, else those that players take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import av
from av.stream import Disposition

from ..errors import SourceError
from ..system.redaction import without_secrets

NO_TRACK = Disposition.attached_pic | Disposition.dependent
"""A cover is no film, and a tile of a picture or a sound to be mixed into another is not whole."""
SPECIAL = (
    Disposition.comment
    | Disposition.hearing_impaired
    | Disposition.visual_impaired
    | Disposition.clean_effects
    | Disposition.descriptions
    | Disposition.lyrics
    | Disposition.karaoke
    | Disposition.non_diegetic
)
"""Beside the main track, for those who want it."""

MOST_NAMED = 8
"""Tracks in one message; a picture of a telephone can be 48 tiles, a track each."""

T = TypeVar("T", av.AudioStream, av.VideoStream)


@dataclass(frozen=True)
class Numbers:
    """Which tracks the user wants, counted from 0 among those of their kind, as ffmpeg counts in `0:a:1`."""

    audio: int | None = None
    """None: the best."""
    video: int | None = None

    @property
    def arguments(self) -> list[str]:
        """The same on a command line."""
        said = (("--audio-track", self.audio), ("--video-track", self.video))
        return [word for option, number in said if number is not None for word in (option, str(number))]


BEST = Numbers()


@dataclass(frozen=True)
class Tracks:
    """What is taken of a recording."""

    audio: av.AudioStream | None
    """None where there is nothing to be heard."""
    video: av.VideoStream | None
    """None where there is nothing to be seen."""


def choose(container: av.container.InputContainer, numbers: Numbers = BEST) -> Tracks:
    """The tracks to take; SourceError says which there are where one that is asked for is not."""
    videos, audios = container.streams.video, container.streams.audio
    video = numbered(name_of(container), "video", videos, numbers.video) or best_video(container)
    audio = numbered(name_of(container), "audio", audios, numbers.audio) or best_audio(container, video)
    return Tracks(audio, video)


def choose_audio(container: av.container.InputContainer, numbers: Numbers = BEST) -> av.AudioStream:
    """The sound track to take; SourceError where there is none."""
    track = choose(container, numbers).audio
    if track is None:
        raise SourceError(f"{name_of(container)} {lack('sound', container.streams.audio)}")
    return track


def choose_video(container: av.container.InputContainer, numbers: Numbers = BEST) -> av.VideoStream:
    """The picture track to take; SourceError where there is none."""
    track = choose(container, numbers).video
    if track is None:
        raise SourceError(f"{name_of(container)} {lack('picture', container.streams.video)}")
    return track


def numbered(name: str, kind: str, tracks: Sequence[T], number: int | None) -> T | None:
    """The track of that number, None where none is asked for."""
    if number is None:
        return None
    if not 0 <= number < len(tracks):
        raise SourceError(
            f"{name} has no {kind} track {number}; it has {listed(tracks)}; --{kind}-track takes a number"
        )
    if not is_track(tracks[number]):
        raise SourceError(
            f"{name}: {kind} track {described(number, tracks[number])} cannot be taken; it has {listed(tracks)}"
        )
    return tracks[number]


def best_video(container: av.container.InputContainer) -> av.VideoStream | None:
    """The track that moves, is the default, is meant for everybody and is the largest, in this order."""
    best = container.streams.best("video")
    return max(
        filter(is_track, container.streams.video),
        key=lambda track: (track.frames != 1, *standing(track), track.width * track.height, track is best),
        default=None,
    )


def best_audio(container: av.container.InputContainer, video: av.VideoStream | None) -> av.AudioStream | None:
    """The track that is the default, is meant for everybody and is FFmpeg's choice for that picture, in this order."""
    best = container.streams.best("audio", related=video)
    return max(
        filter(is_track, container.streams.audio),
        key=lambda track: (*standing(track), track is best),
        default=None,
    )


def is_track(track: av.AudioStream | av.VideoStream) -> bool:
    """Whether it is a track of its own, and there is a decoder for it."""
    return track.codec_context is not None and not track.disposition & NO_TRACK


def standing(track: av.AudioStream | av.VideoStream) -> tuple[bool, bool]:
    """Whether players take it unasked, and whether it is meant for everybody."""
    return bool(track.disposition & Disposition.default), not track.disposition & SPECIAL


def lack(word: str, tracks: Sequence[T]) -> str:
    """Why there is nothing to take."""
    if word == "picture" and any(track.disposition & Disposition.dependent for track in tracks):
        return f"has its picture in {len(tracks)} tiles, which PyAV does not join (save it as JPEG)"
    return f"has no {word}" + (f" to go by, only {listed(tracks)}" if tracks else "")


def left_out(kind: str, tracks: Sequence[T], taken: T | None, remedy: str = "") -> str:
    """Which tracks are not taken, in words that follow the file's name; empty where there are none."""
    if taken is None:
        return f"leaves out {kind} track {listed(tracks)}" if tracks else ""
    if len(tracks) == 1:
        return ""
    return f"takes {kind} track {described(tracks.index(taken), taken)}, leaves out {listed(tracks, taken)}{remedy}"


def listed(tracks: Sequence[T], taken: T | None = None) -> str:
    """The tracks but the one that is taken, as a user tells them apart."""
    named = [described(number, track) for number, track in enumerate(tracks) if track is not taken]
    if len(named) > MOST_NAMED:
        named[MOST_NAMED:] = [f"{len(named) - MOST_NAMED} more"]
    return ", ".join(named) or "none"


def name_of(container: av.container.InputContainer) -> str:
    """What is read, as messages name it."""
    return without_secrets(container.name).removeprefix("file:")


def described(number: int, track: av.AudioStream | av.VideoStream) -> str:
    """A track as a user tells it from others."""
    about = ["no decoder" if track.codec_context is None else track.codec_context.name]
    if track.codec_context is not None:
        about.append(f"{track.width}x{track.height}" if isinstance(track, av.VideoStream) else f"{track.channels} ch")
    said = (track.metadata.get("language", "und"), track.metadata.get("title", ""))
    about += [text for text in said if text not in ("und", "") and text.isprintable()]
    about += [str(flag.name).replace("_", " ") for flag in Disposition if track.disposition & flag]
    return f"{number} ({', '.join(about)})"
