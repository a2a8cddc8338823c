"""Stream of one camera and one microphone that belong together, and the windows cut from it.

Nothing here waits or asks for the time of day: the same media give the same windows, live or from a recording.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..bundle.manifest import Manifest
from ..clock import to_ns
from ..preprocess.dc_offset import without_offset
from ..preprocess.framing import Framing, FramingResult
from ..preprocess.images import Image
from ..preprocess.media import AUDIO_LOST_S, VIDEO_LOST_S, Block, Discontinuity, Embedding, Frame, Media, Samples, form
from ..preprocess.pictures import Picture, rgb_image
from ..preprocess.rings import EmbeddingRing, SampleRing
from ..preprocess.windowing import Due, HopGrid
from ..wire.drop_reasons import FRAMES_FAILED, FRAMES_NOT_FINITE
from ..wire.evidence import AudioState, VideoState
from .people import People
from .pieced_audio import PiecedAudio
from .signal_quality import is_clipping, is_dark, is_muted
from .token_window import TokenWindow
from .window import DueWindow, Window, audio_span

GRACE_NS = 100_000_000
"""Time for which a window waits for late audio."""
LONGEST_WAIT_NS = 400_000_000
"""Longest wait of a frame for others, so that a lost camera is noticed in time and no more than a few frames wait."""
STATE_S = 1.0
"""Length of the newest audio by which a microphone is judged silent or clipping, in seconds."""
NOT_FRAMED = FramingResult(None, None, None)
"""Result for a dark frame: whether it shows a face is not known."""


def ignore_drop(_reason: str, _why: str) -> None:
    """Count nothing."""


def ignore_framed(_picture: Picture, _framed: FramingResult, _end_ns: int) -> None:
    """Show nothing."""


class Crop(NamedTuple):
    """Input of the image encoder that waits for its embedding."""

    image: Image
    """uint8 `[H, W, 3]`."""
    end_ns: int
    """Capture time of its frame."""
    person: int | None = None
    """Number of the person, where several are followed."""


class Stream:
    """Rings of audio samples and frame embeddings, and the grid on which windows end."""

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
        on_drop: Callable[[str, str], None] = ignore_drop,
        on_framed: Callable[[Picture, FramingResult, int], None] = ignore_framed,
        people: People | None = None,
    ) -> None:
        """Make an empty stream.

        `audio` and `video` say which modalities are asked for. `audio_lag_ns` is the delay that the user has added to
        the audio's capture times. `on_drop` gets the drop reason of each unusable frame and an explanation,
        `on_framed` each frame with what was found in it and its capture time. With `people`, those find faces in the
        place of `framing`.
        """
        self.audio, self.video = audio, video
        self._grid = HopGrid(begin_ns, hop_ns)
        self._begin_ns = begin_ns
        self._audio_lost_ns, self._video_lost_ns = audio_lost_ns + audio_lag_ns, video_lost_ns
        self._grace_ns = GRACE_NS + audio_lag_ns
        self._framing, self._on_drop, self._on_framed = framing, on_drop, on_framed
        self._people = people
        self._crop_shape = manifest.video.height, manifest.video.width, 3
        self._period_ns = to_ns(1 / manifest.video.rate_hz)
        self._window_ns = to_ns(manifest.audio.window_s)
        self._samples = SampleRing(manifest.audio.rate_hz, manifest.audio.samples, past=manifest.piece_samples)
        self._pieced_audio = None if manifest.pieces is None else PiecedAudio(manifest)
        width = manifest.graphs.image_encoder.outputs[0].shape[-1]
        self._embeddings = EmbeddingRing(manifest.frames, int(width))
        self._frames: deque[Frame] = deque()
        self._crops: list[Crop] = []
        self._newest_frame_ns: int | None = None
        self._is_urgent = False
        self._framed: FramingResult | None = None
        self._video_ns: int | None = None
        self._overload_ns = begin_ns
        self._is_dark = self._is_unusable = False
        self._encode_s = 0.0

    @property
    def hop_ns(self) -> int:
        """Distance between the ends of windows."""
        return self._grid.hop_ns

    @property
    def due(self) -> Due:
        """Times from which on media are wanted at once; a frame also is where none came for two periods before it."""
        return Due(self._grid.next_ns, min(self._last_frame_ns, self._overdue_ns))

    @property
    def _last_frame_ns(self) -> int:
        """Time from which on a frame is probably the last of its window: the next comes a period later or more."""
        return self._grid.next_ns - 5 * self._period_ns // 4

    @property
    def _overdue_ns(self) -> float:
        """Time from which on a frame comes later than it should, and at once: the first, or one after a loss."""
        return -math.inf if self._newest_frame_ns is None else self._newest_frame_ns + 2 * self._period_ns

    def wants_frames(self, now_ns: int) -> bool:
        """Return whether the frames that wait are to be cropped now, though no window is due that needs them."""
        if not self._frames:
            return False
        is_last = self._frames[-1].end_ns >= self._last_frame_ns
        return is_last or self._is_urgent or now_ns - self._frames[0].end_ns >= LONGEST_WAIT_NS

    def set_hop(self, hop_ns: int, now_ns: int) -> int:
        """Change the hop; with a shorter one, windows that would have ended by now are skipped, but for the last.

        Return how many of those skipped had ended by the hop so far.
        """
        return self._grid.change(hop_ns, now_ns)

    def add(self, item: Media) -> int:
        """Take a block, a frame or a discontinuity; frames wait until they are cropped.

        Media captured before the last discontinuity are left out, however late they come. Return the number of windows
        that are passed over: those that end by a discontinuity.
        """
        if isinstance(item, Discontinuity):
            return self._restart(item.end_ns)
        if item.end_ns < self._begin_ns:
            return 0
        if isinstance(item, Block):
            self._samples.extend(item)
        else:
            self._is_urgent = self._is_urgent or item.end_ns >= self._overdue_ns
            self._newest_frame_ns = item.end_ns
            self._frames.append(item)
        return 0

    def _restart(self, begin_ns: int) -> int:
        """Forget all evidence and go on as if the stream began now: nothing is lost until it fails to come."""
        self._begin_ns = self._overload_ns = begin_ns
        self._samples.clear()
        self._frames.clear()
        self._newest_frame_ns = None
        self._forget_video()
        self._video_ns, self._is_dark, self._is_unusable = None, False, False
        return self._grid.skip_to(begin_ns)

    def note_overload(self, now_ns: int) -> None:
        """Note that frames were dropped before those that wait, or until now: the gap is not the camera's."""
        self._overload_ns = self._frames[-1].end_ns if self._frames else now_ns

    def has_frames(self, before_ns: float = math.inf) -> bool:
        """Return whether frames captured before a time wait to be cropped."""
        return bool(self._frames) and self._frames[0].end_ns < before_ns

    def crop_frames(self, before_ns: float = math.inf) -> None:
        """Crop the frames captured before a time, as the framing says; the crops wait for their embeddings."""
        started = perf_counter()
        while self.has_frames(before_ns):
            try:
                self._crop(self._frames.popleft())
            except MemoryError:
                raise
            except Exception as error:  # a frame that OpenCV chokes on is one frame less
                self._framed, self._is_dark, self._is_unusable = None, False, True
                self._on_drop(FRAMES_FAILED, f"a frame cannot be framed ({type(error).__name__}: {error})")
        self._is_urgent = self._is_urgent and bool(self._frames)
        self._encode_s += perf_counter() - started

    def _crop(self, frame: Frame) -> None:
        if self._is_camera_lost(frame.end_ns):
            self._forget_video()
        self._video_ns = frame.end_ns
        picture = frame.framed
        framed = self._framing(picture) if self._people is None else self._people.frame(picture, frame.end_ns)
        if framed is None:
            return
        self._is_dark = framed.box is None and is_dark(rgb_image(picture))
        self._framed = NOT_FRAMED if self._is_dark else framed
        self._on_framed(picture, self._framed, frame.end_ns)
        self._is_unusable = False
        if self._framed.crop is not None:
            self._wait(Crop(self._framed.crop, frame.end_ns))
        for person in self._framed.people:
            self._wait(Crop(person.crop, frame.end_ns, person.person))

    def _wait(self, crop: Crop) -> None:
        image = crop.image
        if image.dtype != np.uint8 or image.shape != self._crop_shape:
            raise ValueError(f"it comes out as {form(image)}, uint8 {list(self._crop_shape)} is expected")
        self._crops.append(crop)

    @property
    def crops(self) -> list[Image]:
        """Crops uint8 `[H, W, 3]` that wait for their embeddings."""
        return [crop.image for crop in self._crops]

    def add_embeddings(self, embeddings: Embedding, took_s: float = 0.0) -> None:
        """Take the embeddings `[n, Dv]` of `crops`, computed in `took_s` seconds; those not finite are left out."""
        for crop, embedding in zip(self._crops, embeddings, strict=True):
            is_finite = bool(np.isfinite(embedding).all())
            if is_finite and self._people is not None and crop.person is not None:
                self._people.append(crop.person, embedding, crop.end_ns)
            elif is_finite:
                self._embeddings.append(embedding, crop.end_ns)
            else:
                self._on_drop(FRAMES_NOT_FINITE, "the model gives a frame an embedding that is not finite")
            self._is_unusable = not is_finite
        self._crops.clear()
        self._encode_s += took_s

    def drop_crops(self) -> int:
        """Give up the crops that wait for their embeddings; return their number."""
        count = len(self._crops)
        self._crops.clear()
        return count

    def _is_camera_lost(self, now_ns: int) -> bool:
        return now_ns - max(self._video_ns or self._begin_ns, self._overload_ns) > self._video_lost_ns

    def _forget_video(self) -> None:
        self._embeddings.clear()
        self._crops.clear()
        self._framed = None
        if self._people is not None:
            self._people.clear()

    def is_due(self, now_ns: int) -> bool:
        """Return whether the next window can be cut: its audio has arrived, or is no longer waited for."""
        audio_ns, end_ns = self._samples.end_ns, self._grid.next_ns
        return now_ns >= end_ns and (now_ns >= self.deadline(now_ns) or (audio_ns is not None and audio_ns >= end_ns))

    def deadline(self, now_ns: int) -> int:
        """Return the time at which the next window is due whether or not its audio has arrived."""
        audio_ns = self._samples.end_ns
        waits = audio_ns is not None and now_ns - audio_ns <= self._audio_lost_ns
        return self._grid.next_ns + (self._grace_ns if waits else 0)

    def next_window(self, now_ns: int, *, latest_only: bool = False) -> DueWindow | None:
        """Advance to the next window that is due, with `latest_only` to the last of them; None where none is due."""
        ends: list[int] = []
        while (latest_only or not ends) and self.is_due(now_ns):
            ends.append(self._grid.next_ns)
            self._grid.advance()
        return DueWindow(ends[-1], len(ends) - 1) if ends else None

    def skip_windows(self, until_ns: int) -> int:
        """Pass over the windows that end by a time, and return their number."""
        return self._grid.skip_to(until_ns)

    def cut(self, end_ns: int) -> Window | None:
        """Return the window that ends at `end_ns`; None where it would hold nothing. Lost modalities are forgotten."""
        audio, video = self.audio_state(end_ns), self.video_state(end_ns)
        if audio == "lost":
            self._samples.clear()
        if video == "lost":
            self._forget_video()
        samples, tokens = self._cut_audio(end_ns)
        embeddings, times = self._frames_before(end_ns)
        spans = [(int(times[0]), int(times[-1]))] if len(times) else []
        if len(samples):
            spans.append(audio_span(samples, self._samples, end_ns))
        if not spans:
            return None
        starts, ends = zip(*spans, strict=True)
        encode_s, self._encode_s = self._encode_s, 0.0
        window = Window(samples, embeddings, tokens, min(starts), max(ends), audio, video, self._framed, encode_s)
        if self._people is None:
            return window
        return replace(window, people=self._people.windows(window, self._samples, end_ns))

    def _cut_audio(self, end_ns: int) -> tuple[Samples, TokenWindow | None]:
        samples = self._samples.until(end_ns)
        if len(samples) == 0 or is_muted(samples):
            return samples[:0], None
        if self._pieced_audio is None:
            return without_offset(samples, self._samples.rate_hz), None
        return self._pieced_audio.cut(self._samples, end_ns)

    def audio_state(self, now_ns: int) -> AudioState:
        """Return the state of the microphone at a time."""
        if not self.audio:
            return "off"
        if self._samples.end_ns is None or now_ns - self._samples.end_ns > self._audio_lost_ns:
            return "lost"
        newest = self._samples.until(now_ns)[-round(STATE_S * self._samples.rate_hz) :]
        if is_muted(newest):
            return "silent"
        return "clipping" if is_clipping(newest) else "ok"

    def video_state(self, now_ns: int) -> VideoState:
        """Return the state of the camera at a time."""
        if not self.video:
            return "off"
        if self._video_ns is None or self._is_camera_lost(now_ns):
            return "lost"
        if self._is_dark:
            return "dark"
        if len(self._frames_before(now_ns)[1]):
            return "ok"
        return "lost" if self._is_unusable else "no_face"

    def _frames_before(self, end_ns: int) -> tuple[Embedding, NDArray[np.int64]]:
        """Return the embeddings `[n, Dv]` and times of the window's frames; several people keep their embeddings."""
        begin_ns = end_ns - self._window_ns
        embeddings, times = self._embeddings.between(begin_ns, end_ns)
        return embeddings, times if self._people is None else self._people.times(begin_ns, end_ns)

    def present(self, now_ns: int) -> tuple[int, ...]:
        """Return the numbers of the people who are there; none where one alone is followed."""
        return () if self._people is None else self._people.present(now_ns)

    def is_awaited(self, now_ns: int) -> bool:
        """Return whether a modality has given nothing since the time line began, and has time left to."""
        awaits_audio = self.audio and self._samples.end_ns is None
        awaits_video = self.video and self._video_ns is None
        since_ns = now_ns - self._begin_ns
        return (awaits_audio and since_ns <= self._audio_lost_ns) or (awaits_video and not self._is_camera_lost(now_ns))
