"""One camera and one microphone that belong together: what they delivered, and the windows cut from it.

Nothing here waits, and no clock is read: the same events give the same windows, live or from a recording.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..bundle.manifest import Manifest
from ..clock import to_ns
from ..preprocess.dc_offset import without_offset
from ..preprocess.framing import Framed, Framing, Image
from ..preprocess.media import AUDIO_LOST_S, VIDEO_LOST_S, Block, Discontinuity, Embedding, Frame, Media, Samples, form
from ..preprocess.rings import EmbeddingRing, SampleRing
from ..preprocess.windowing import HopGrid
from ..wire.messages import AudioState, VideoState
from .signal_quality import is_clipping, is_dark, is_muted

GRACE_NS = 100_000_000
"""How long a window waits for sound that is late."""
STATE_S = 1.0
"""Of the newest sound, by which it is called silent or clipping."""
IN_THE_DARK = Framed(None, None, None)
"""What is made of a black picture: nothing, and no face is looked for."""


@dataclass(frozen=True)
class Window:
    """The evidence of one prediction; its arrays are views that hold until the next event."""

    samples: Samples
    """float32 `[n]`, n <= S; empty where sound is missing."""
    embeddings: Embedding
    """float32 `[n, Dv]`, n <= Tv; empty where the picture is missing."""
    start_ns: int
    """Capture time of the oldest evidence."""
    end_ns: int
    """Capture time of the newest evidence."""
    audio: AudioState
    video: VideoState
    framed: Framed | None
    """The newest frame, as it was framed."""


class Stream:
    """Rings of sound and embeddings, and the grid on which windows end."""

    def __init__(
        self,
        manifest: Manifest,
        framing: Framing,
        *,
        audio: bool,
        video: bool,
        begin_ns: int,
        hop_ns: int,
        audio_lag_ns: int = 0,
        audio_lost_ns: float = to_ns(AUDIO_LOST_S),
        video_lost_ns: float = to_ns(VIDEO_LOST_S),
    ) -> None:
        """`sound_lag_ns`: by how much the sound's times are behind when it arrives, as the user has moved them."""
        self.audio, self.video = audio, video
        self.grid = HopGrid(begin_ns, hop_ns)
        self._begin_ns = begin_ns
        self._audio_lost_ns, self._video_lost_ns = audio_lost_ns + audio_lag_ns, video_lost_ns
        self._grace_ns = GRACE_NS + audio_lag_ns
        self._framing = framing
        self._crop_shape = manifest.video.height, manifest.video.width, 3
        self._window_ns = to_ns(manifest.audio.window_s)
        self._samples = SampleRing(manifest.audio.rate_hz, manifest.audio.samples)
        width = manifest.graphs.image_encoder.outputs[0].shape[-1]
        self._embeddings = EmbeddingRing(manifest.frames, int(width))
        self._unseen: deque[Frame] = deque()
        self._pending: list[tuple[Image, int]] = []
        self._framed: Framed | None = None
        self._video_ns: int | None = None
        self._excused_ns = begin_ns
        self._is_dark = self._is_unusable = False

    def add(self, media: Sequence[Media]) -> None:
        """Take in blocks and frames; frames wait until they are looked at.

        What was captured before the last discontinuity is left out, however late it comes.
        """
        for item in media:
            if isinstance(item, Discontinuity):
                self._begin_anew(item.end_ns)
            elif item.end_ns < self._begin_ns:
                continue
            elif isinstance(item, Block):
                self._samples.extend(item)
            else:
                self._unseen.append(item)

    def _begin_anew(self, begin_ns: int) -> None:
        """Forget all evidence, and go on as if the stream began now: nothing is lost until it fails to come."""
        self._begin_ns = self._excused_ns = begin_ns
        self._samples.clear()
        self._unseen.clear()
        self._forget_video()
        self._video_ns, self._is_dark, self._is_unusable = None, False, False
        self.grid.skip_to(begin_ns)

    def excuse(self, now_ns: int) -> None:
        """Frames were dropped before those that wait, or until now: that gap is this machine's, not the camera's."""
        self._excused_ns = self._unseen[0].end_ns if self._unseen else now_ns

    def has_unseen(self, before_ns: float = math.inf) -> bool:
        """Whether frames captured before a time wait to be looked at."""
        return bool(self._unseen) and self._unseen[0].end_ns < before_ns

    def look(self, before_ns: float = math.inf) -> list[Exception]:
        """Frame the frames captured before a time; their crops wait for their embeddings. Why some cannot be framed."""
        errors = []
        while self.has_unseen(before_ns):
            try:
                self._see(self._unseen.popleft())
            except MemoryError:
                raise
            except Exception as error:  # a picture that OpenCV chokes on is one picture less
                self._framed, self._is_dark, self._is_unusable = None, False, True
                errors.append(error)
        return errors

    def _see(self, frame: Frame) -> None:
        if self._is_camera_lost(frame.end_ns):
            self._forget_video()
        self._video_ns = frame.end_ns
        self._is_dark = is_dark(frame.image)
        self._framed = IN_THE_DARK if self._is_dark else self._framing(frame.image)
        self._is_unusable = False
        crop = self._framed.crop
        if crop is not None:
            if crop.dtype != np.uint8 or crop.shape != self._crop_shape:
                raise ValueError(f"it comes out as {form(crop)}, uint8 {list(self._crop_shape)} is expected")
            self._pending.append((crop, frame.end_ns))

    @property
    def crops(self) -> list[Image]:
        """Those that wait for their embeddings."""
        return [crop for crop, _ in self._pending]

    def keep(self, embeddings: Embedding) -> int:
        """Take the embeddings `[n, Dv]` of `crops`; how many were not finite and are left out."""
        are_finite = [bool(np.isfinite(embedding).all()) for embedding in embeddings]
        for (_, end_ns), embedding, is_finite in zip(self._pending, embeddings, are_finite, strict=True):
            if is_finite:
                self._embeddings.append(embedding, end_ns)
            self._is_unusable = not is_finite
        self._pending.clear()
        return are_finite.count(False)

    def _is_camera_lost(self, now_ns: int) -> bool:
        return now_ns - max(self._video_ns or self._begin_ns, self._excused_ns) > self._video_lost_ns

    def _forget_video(self) -> None:
        self._embeddings.clear()
        self._pending.clear()
        self._framed = None

    def due(self, now_ns: int) -> bool:
        """Whether the next window can be cut: its sound has arrived, or will not be waited for."""
        heard_ns, end_ns = self._samples.end_ns, self.grid.next_ns
        return now_ns >= end_ns and (now_ns >= self.deadline(now_ns) or (heard_ns is not None and heard_ns >= end_ns))

    def deadline(self, now_ns: int) -> int:
        """When the next window is due whether or not its sound has arrived."""
        heard_ns = self._samples.end_ns
        wants_audio = heard_ns is not None and now_ns - heard_ns <= self._audio_lost_ns
        return self.grid.next_ns + (self._grace_ns if wants_audio else 0)

    def cut(self, end_ns: int) -> Window | None:
        """The window that ends at `end_ns`; None where it would hold nothing. What is lost is forgotten."""
        audio, video = self.audio_state(end_ns), self.video_state(end_ns)
        if audio == "lost":
            self._samples.clear()
        if video == "lost":
            self._forget_video()
        samples = self._samples.until(end_ns)
        samples = samples[:0] if is_muted(samples) else without_offset(samples, self._samples.rate_hz)
        embeddings, times = self._embeddings.between(end_ns - self._window_ns, end_ns)
        ends = [int(times[-1])] if len(times) else []
        starts = [int(times[0])] if len(times) else []
        if len(samples):
            heard_ns = min(self._samples.end_ns or end_ns, end_ns)
            ends.append(heard_ns)
            starts.append(heard_ns - to_ns(len(samples) / self._samples.rate_hz))
        if not ends:
            return None
        return Window(samples, embeddings, min(starts), max(ends), audio, video, self._framed)

    def audio_state(self, now_ns: int) -> AudioState:
        """What has become of the microphone."""
        if not self.audio:
            return "off"
        if self._samples.end_ns is None or now_ns - self._samples.end_ns > self._audio_lost_ns:
            return "lost"
        newest = self._samples.until(now_ns)[-round(STATE_S * self._samples.rate_hz) :]
        if is_muted(newest):
            return "silent"
        return "clipping" if is_clipping(newest) else "ok"

    def video_state(self, now_ns: int) -> VideoState:
        """What has become of the camera."""
        if not self.video:
            return "off"
        if self._video_ns is None or self._is_camera_lost(now_ns):
            return "lost"
        if self._is_dark:
            return "dark"
        seen, _ = self._embeddings.between(now_ns - self._window_ns, now_ns)
        if len(seen):
            return "ok"
        return "lost" if self._is_unusable else "no_face"

    def is_awaited(self, now_ns: int) -> bool:
        """Whether a modality has given nothing since the time line began, and has time left to."""
        awaits_audio = self.audio and self._samples.end_ns is None
        awaits_video = self.video and self._video_ns is None
        since_ns = now_ns - self._begin_ns
        return (awaits_audio and since_ns <= self._audio_lost_ns) or (awaits_video and not self._is_camera_lost(now_ns))
