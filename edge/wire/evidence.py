"""Evidence that a prediction is based on, as it stands in messages: audio, video, the people seen, and time spent."""

from typing import Literal

import msgspec

from ..geometry import Box

AudioState = Literal["ok", "no_speech", "silent", "clipping", "lost", "off"]
VideoState = Literal["ok", "no_face", "dark", "lost", "off"]
VoiceOf = Literal["person", "other", "nobody", "unclear"]


class PersonSeen(msgspec.Struct, frozen=True):
    """One of several people before the camera, as seen in one frame."""

    person: int
    """Number of the person: 1, 2 and so on in the order of coming, never another's in a run. It names no one: whoever
    comes back later than 10 s after they were seen gets a new number."""
    box: Box | None
    """Box of the person's face: x, y, width and height, in pixels of the camera's frame; null where the face is
    hidden for the moment."""
    speaking: bool | None
    """True if the voice that is heard is this person's, false if it is not; null if that is unclear."""


class AudioEvidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Audio that a prediction is based on."""

    state: AudioState
    """State of the audio. `ok`: blocks arrive. `no_speech`: blocks arrive, but the last window, of up to 6 s, held less
    voice (speech, laughter, crying) than the bundle asks for, and its audio was left out as if it were missing; short
    pauses of a speaker do not cause it, the first moments of sound do. With `--people` above 1 it means less voice of
    the person whom the message is about. `silent`: digital silence for the last second
    (muted). `clipping`: more than a thousandth of the last second's samples are cut off at full scale. `lost`: no block
    yet, or none for 0.5 s. `off`: no audio was asked for."""
    rms_dbfs: float | None
    """RMS level of the window's audio, in dB relative to full scale; null without audio or with digital silence."""
    speech: float | None
    """Share of the window's audio, 0 to 1, in which the model hears a voice: speech, laughter or crying; null without
    audio. With `--people` above 1 only the voice of the person whom the message is about counts. With a bundle that has
    no `voice` in its manifest, a measure of energy, for which music and the voices of others count as speech: the share
    of 20 ms pieces that are louder than -50 dBFS and 10 dB above the quietest tenth of the pieces."""
    voice_of: VoiceOf | None = None
    """Owner of the voice in the newest second, as seen from the person whom the message is about. `person`: that one.
    `other`: another person before the camera. `nobody`: no voice, or one of no face here. `unclear`: it cannot be told.
    Null unless `--people` is above 1."""


class VideoEvidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Video that a prediction is based on."""

    state: VideoState
    """State of the video. `ok`: usable frames arrive. `no_face`: frames arrive, but none in the window shows a face.
    `dark`: the newest frame is nearly black, and no face is found in it (lens covered, or too little light). `lost`: no
    frame yet, none for 1 s, or none that can be used. `off`: no video was asked for."""
    faces: int | None
    """Number of faces found when the whole frame was last searched, at most 2 s before; null without video, in the
    dark or with framing `whole`."""
    box: Box | None
    """Box of the face used in the newest frame: x, y, width and height, in pixels of the camera's frame; null without
    a face, without video or with framing `whole`."""
    frames: int
    """Number of frame embeddings in the window; 0 without video."""
    people: list[PersonSeen] = []
    """People who are followed in the newest frame, by number; empty unless `--people` is above 1."""


class Latency(msgspec.Struct, frozen=True):
    """Time spent on a prediction by stage, in milliseconds."""

    encode_video: float
    """Framing and image encoder, in milliseconds, for the frames that arrived since the previous window."""
    encode_audio: float
    """Audio encoder, in milliseconds, for the whole batch of windows, of all streams, that contained this window."""
    fuse: float
    """Fusion, in milliseconds, for the whole batch of windows, of all streams, that contained this window."""
    total: float
    """`mono_publish - mono_end`, in milliseconds."""
