"""One stream's messages: predictions, steady states and statuses, numbered."""

import itertools
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from ..bundle.manifest import Manifest
from ..clock import SECOND_NS
from ..wire.drop_reasons import DROP_REASONS, WINDOWS_NOT_FINITE
from ..wire.messages import (
    SCHEMA,
    AudioEvidence,
    AudioState,
    Latency,
    Message,
    Prediction,
    Status,
    SteadyState,
    StreamState,
    VideoEvidence,
    VideoState,
)
from .recognizer import Recognition
from .signal_quality import rms_dbfs, speech_share
from .steady_state import SteadyStateFilter
from .steady_state_config import SteadyStateConfig
from .stream import Stream, Window

HEARTBEAT_NS = SECOND_NS
LOOK_NS = SECOND_NS // 5
"""How often the states of a stream's modalities are looked at."""
ALIVE = ("ok", "silent", "clipping", "no_face", "dark")
"""States of a modality that delivers."""

log = logging.getLogger(__name__)


class Reporter:
    """Says of one stream what it has come to."""

    def __init__(
        self,
        session: str,
        name: str,
        stream: Stream,
        manifest: Manifest,
        backend: str,
        steadying: SteadyStateConfig,
        publish: Callable[[Message], None],
    ) -> None:
        self.name, self.dropped = name, Counter[str]()
        """Windows and frames, by reason; what was dropped before it arrived comes with each step."""
        self.all_dropped: dict[str, int] = {}
        """Both together, as published last."""
        self.predictions = 0
        self.encode_video_s = 0.0
        """Spent on the frames new since the last window."""
        self._session, self._stream, self._manifest, self._publish = session, stream, manifest, publish
        self._bundle, self._backend = f"{manifest.name} {manifest.version}", backend
        self._steadier = SteadyStateFilter(manifest.labels, steadying)
        self._event_numbers: Iterator[int] = itertools.count()
        self._statuses = 0
        self._states: tuple[str, str, int] | None = None
        self._looked_ns = self._status_ns = -HEARTBEAT_NS
        self._is_stopped = False

    def drop(self, reason: str, why: str) -> None:
        """Count what is dropped by its reason; the first of each is said, so that a log stays bounded."""
        if not self.dropped[reason]:
            log.warning("stream %s: %s; from now on that is only counted, as %s", self.name, why, reason)
        self.dropped[reason] += 1

    def predict(
        self, window: Window, recognition: Recognition, now_ns: int, unix_ahead_ns: int, dropped: Mapping[str, int]
    ) -> None:
        """Publish a window's prediction, and the steady state where it changes; nothing that is not finite."""
        audio = AudioEvidence(
            window.audio, rms_dbfs(window.samples), speech_share(window.samples, self._manifest.audio.rate_hz)
        )
        if not is_finite(*recognition.probs, recognition.agreement, audio.rms_dbfs, audio.speech):
            figures = f"probabilities {recognition.probs.tolist()}, agreement {recognition.agreement}, {audio}"
            self.drop(WINDOWS_NOT_FINITE, f"not all of a window is finite: {figures}")
            self.encode_video_s = 0.0
            return
        best = int(recognition.probs.argmax())
        framed = window.framed
        self._publish(
            Prediction(
                schema=SCHEMA,
                session=self._session,
                stream=self.name,
                seq=self.predictions,
                t_start=window.start_ns + unix_ahead_ns,
                t_end=window.end_ns + unix_ahead_ns,
                t_publish=now_ns + unix_ahead_ns,
                mono_start=window.start_ns,
                mono_end=window.end_ns,
                mono_publish=now_ns,
                label=self._manifest.labels[best],
                labels=self._manifest.labels,
                probs=[float(p) for p in recognition.probs],
                confidence=float(recognition.probs[best]),
                agreement=recognition.agreement,
                audio=audio,
                video=VideoEvidence(
                    window.video,
                    framed.faces if framed else None,
                    framed.box if framed else None,
                    len(window.embeddings),
                ),
                latency_ms=Latency(
                    self.encode_video_s * 1e3,
                    recognition.encode_audio_ms,
                    recognition.fuse_ms,
                    (now_ns - window.end_ns) / 1e6,
                ),
                dropped=self._all_dropped(dropped),
                bundle=self._bundle,
                backend=self._backend,
            )
        )
        self.predictions += 1
        self.encode_video_s = 0.0
        self._steady(window, recognition, now_ns, unix_ahead_ns)

    def _steady(self, window: Window, recognition: Recognition, now_ns: int, unix_ahead_ns: int) -> None:
        change = self._steadier.update(recognition.probs, window.end_ns)
        if change is None:
            return
        self._publish(
            SteadyState(
                schema=SCHEMA,
                session=self._session,
                stream=self.name,
                seq=next(self._event_numbers),
                t_since=change.since_ns + unix_ahead_ns,
                t_publish=now_ns + unix_ahead_ns,
                mono_since=change.since_ns,
                mono_publish=now_ns,
                label=change.label,
                previous=change.previous,
                labels=self._manifest.labels,
                probs=[float(p) for p in change.probs],
                confidence=float(change.confidence),
            )
        )

    def report(self, now_ns: int, unix_ahead_ns: int, dropped: Mapping[str, int]) -> None:
        """Publish the stream's status where it has changed, and once a second, from when on it is known."""
        if self._is_stopped or now_ns - self._looked_ns < LOOK_NS or self._stream.is_awaited(now_ns):
            return
        self._looked_ns = now_ns
        status = self._make_status(now_ns, unix_ahead_ns, dropped)
        states = status.audio, status.video, self._stream.grid.hop_ns
        if states != self._states or now_ns - self._status_ns >= HEARTBEAT_NS:
            self._tell(status)
            self._states, self._status_ns = states, now_ns

    def stop(self, now_ns: int, unix_ahead_ns: int, dropped: Mapping[str, int]) -> None:
        """Publish, once, that the stream has ended."""
        if not self._is_stopped:
            self._tell(self._make_status(now_ns, unix_ahead_ns, dropped, "stopped"))
            self._is_stopped = True

    def fail(self, now_ns: int, unix_ahead_ns: int, dropped: Mapping[str, int]) -> None:
        """Publish, once, that the stream has ended by an error: its devices are not looked at any more."""
        if not self._is_stopped:
            audio: AudioState = "lost" if self._stream.audio else "off"
            video: VideoState = "lost" if self._stream.video else "off"
            self._tell(self._make_status(now_ns, unix_ahead_ns, dropped, "stopped", (audio, video)))
            self._is_stopped = True

    def _tell(self, status: Status) -> None:
        self._publish(status)
        self._statuses += 1

    def _make_status(
        self,
        now_ns: int,
        unix_ahead_ns: int,
        dropped: Mapping[str, int],
        state: StreamState | None = None,
        states: tuple[AudioState, VideoState] | None = None,
    ) -> Status:
        audio, video = states or (self._stream.audio_state(now_ns), self._stream.video_state(now_ns))
        derived: StreamState = "online"
        if "lost" in (audio, video):
            derived = "degraded" if audio in ALIVE or video in ALIVE else "lost"
        return Status(
            schema=SCHEMA,
            session=self._session,
            stream=self.name,
            seq=self._statuses,
            t_publish=now_ns + unix_ahead_ns,
            mono_publish=now_ns,
            state=state or derived,
            audio=audio,
            video=video,
            hop_s=self._stream.grid.hop_ns / SECOND_NS,
            dropped=self._all_dropped(dropped),
        )

    def _all_dropped(self, before: Mapping[str, int]) -> dict[str, int]:
        self.all_dropped = {reason: self.dropped[reason] + before.get(reason, 0) for reason in DROP_REASONS}
        return self.all_dropped


def is_finite(*numbers: float | None) -> bool:
    """Whether all are numbers that can be published; None stands for one that there is not."""
    return all(number is None or math.isfinite(number) for number in numbers)
