"""Selection of a recording's audio and video track: the requested ones, else those that players would choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import av
from av.stream import Disposition

from ..errors import SourceError
from ..system.redaction import without_secrets

NOT_SELECTABLE = Disposition.attached_pic | Disposition.dependent
"""Dispositions of tracks that are never selected: cover images, and tiles or parts to be merged into another."""
SPECIAL_PURPOSE = (
    Disposition.comment
    | Disposition.hearing_impaired
    | Disposition.visual_impaired
    | Disposition.clean_effects
    | Disposition.descriptions
    | Disposition.lyrics
    | Disposition.karaoke
    | Disposition.non_diegetic
)
"""Dispositions of tracks that are not the main one, e.g. commentary; selected last."""
MAX_LISTED = 8
"""Largest number of tracks listed in a message; a HEIC image may have 48 tiles, a track each."""

T = TypeVar("T", av.AudioStream, av.VideoStream)


@dataclass(frozen=True)
class TrackNumbers:
    """Track numbers requested by the user, from 0 among the tracks of a type, as in ffmpeg's `0:a:1`."""

    audio: int | None = None
    """Number of the audio track; None for the best."""
    video: int | None = None
    """Number of the video track; None for the best."""

    @property
    def arguments(self) -> list[str]:
        """Command-line options that request the same tracks."""
        options = (("--audio-track", self.audio), ("--video-track", self.video))
        return [word for option, number in options if number is not None for word in (option, str(number))]


BEST = TrackNumbers()
"""Selection of the best track of each type."""


@dataclass(frozen=True)
class Tracks:
    """Selected tracks of a recording."""

    audio: av.AudioStream | None
    """Audio track; None if there is none."""
    video: av.VideoStream | None
    """Video track; None if there is none."""


def choose(container: av.container.InputContainer, numbers: TrackNumbers = BEST) -> Tracks:
    """Select the tracks; raises SourceError, with the tracks that exist, if a requested one does not."""
    videos, audios = container.streams.video, container.streams.audio
    video = requested_track(container_name(container), "video", videos, numbers.video) or best_video(container)
    audio = requested_track(container_name(container), "audio", audios, numbers.audio) or best_audio(container, video)
    return Tracks(audio, video)


def choose_audio(container: av.container.InputContainer, numbers: TrackNumbers = BEST) -> av.AudioStream:
    """Select the audio track; raises SourceError if there is none."""
    track = choose(container, numbers).audio
    if track is None:
        raise SourceError(f"{container_name(container)} {explain_missing('audio', container.streams.audio)}")
    return track


def choose_video(container: av.container.InputContainer, numbers: TrackNumbers = BEST) -> av.VideoStream:
    """Select the video track; raises SourceError if there is none."""
    track = choose(container, numbers).video
    if track is None:
        raise SourceError(f"{container_name(container)} {explain_missing('video', container.streams.video)}")
    return track


def requested_track(name: str, kind: str, tracks: Sequence[T], number: int | None) -> T | None:
    """Return the track of the requested number, None if no number is given; raises SourceError if unusable."""
    if number is None:
        return None
    if not 0 <= number < len(tracks):
        raise SourceError(
            f"{name} has no {kind} track {number}; it has {describe_tracks(tracks)}; --{kind}-track takes a number"
        )
    if not is_selectable(tracks[number]):
        raise SourceError(
            f"{name}: {kind} track {describe_track(number, tracks[number])} cannot be taken; "
            f"it has {describe_tracks(tracks)}"
        )
    return tracks[number]


def best_video(container: av.container.InputContainer) -> av.VideoStream | None:
    """Return the best video track: not a still, the default, not special-purpose, the largest, in this order."""
    best = container.streams.best("video")
    return max(
        filter(is_selectable, container.streams.video),
        key=lambda track: (track.frames != 1, *priority(track), track.width * track.height, track is best),
        default=None,
    )


def best_audio(container: av.container.InputContainer, video: av.VideoStream | None) -> av.AudioStream | None:
    """Return the best audio track: the default, not special-purpose, FFmpeg's choice for `video`, in this order."""
    best = container.streams.best("audio", related=video)
    return max(
        filter(is_selectable, container.streams.audio),
        key=lambda track: (*priority(track), track is best),
        default=None,
    )


def is_selectable(track: av.AudioStream | av.VideoStream) -> bool:
    """Return whether a track stands on its own and has a decoder."""
    return track.codec_context is not None and not track.disposition & NOT_SELECTABLE


def priority(track: av.AudioStream | av.VideoStream) -> tuple[bool, bool]:
    """Return whether a track is the default, and whether it is not special-purpose."""
    return bool(track.disposition & Disposition.default), not track.disposition & SPECIAL_PURPOSE


def explain_missing(word: str, tracks: Sequence[T]) -> str:
    """Return the reason why no track was selected, to follow the file's name; `word` is audio or video."""
    if word == "video" and any(track.disposition & Disposition.dependent for track in tracks):
        return f"has its image in {len(tracks)} tiles, which PyAV does not join (save it as JPEG)"
    return f"has no {word}" + (f" that can be used, only {describe_tracks(tracks)}" if tracks else "")


def describe_left_out(kind: str, tracks: Sequence[T], taken: T | None, remedy: str = "") -> str:
    """Return a text on the tracks that are left out, to follow the file's name; empty if there are none."""
    if taken is None:
        return f"leaves out {kind} track {describe_tracks(tracks)}" if tracks else ""
    if len(tracks) == 1:
        return ""
    chosen, others = describe_track(tracks.index(taken), taken), describe_tracks(tracks, taken)
    return f"takes {kind} track {chosen}, leaves out {others}{remedy}"


def describe_tracks(tracks: Sequence[T], taken: T | None = None) -> str:
    """Return the descriptions of all tracks but the selected one, separated by commas."""
    named = [describe_track(number, track) for number, track in enumerate(tracks) if track is not taken]
    if len(named) > MAX_LISTED:
        named[MAX_LISTED:] = [f"{len(named) - MAX_LISTED} more"]
    return ", ".join(named) or "none"


def container_name(container: av.container.InputContainer) -> str:
    """Return the name of a container's file or address for messages, without passwords."""
    return without_secrets(container.name).removeprefix("file:")


def describe_track(number: int, track: av.AudioStream | av.VideoStream) -> str:
    """Return a track's number, codec, size, language, title and dispositions."""
    about = ["no decoder" if track.codec_context is None else track.codec_context.name]
    if track.codec_context is not None:
        about.append(f"{track.width}x{track.height}" if isinstance(track, av.VideoStream) else f"{track.channels} ch")
    tags = (track.metadata.get("language", "und"), track.metadata.get("title", ""))
    about += [text for text in tags if text not in ("und", "") and text.isprintable()]
    about += [str(flag.name).replace("_", " ") for flag in Disposition if track.disposition & flag]
    return f"{number} ({', '.join(about)})"
