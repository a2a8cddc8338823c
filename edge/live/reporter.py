"""Messages of one stream: predictions, steady states and statuses, each kind numbered."""

import logging
import math
from collections import Counter
from collections.abc import Callable

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
from .inbox import Moment
from .recognizer import Recognition
from .signal_quality import rms_dbfs, speech_share
from .steady_state import SteadyStateFilter
from .steady_state_config import SteadyStateConfig
from .stream import Stream
from .window import Window

HEARTBEAT_NS = SECOND_NS
CHECK_NS = SECOND_NS // 5
"""Distance between two checks of the states of a stream's modalities."""
ALIVE = ("ok", "no_speech", "silent", "clipping", "no_face", "dark")
"""States of a modality that delivers."""

log = logging.getLogger(__name__)


class DropCounter:
    """Counter of the frames and windows of one stream that the loop has dropped."""

    def __init__(self, name: str) -> None:
        self.name = name
        """Name of the stream."""
        self.counts = Counter[str]()
        """Number of dropped frames and windows, by reason."""

    def add(self, reason: str, why: str) -> None:
        """Count one drop; the first of each reason is logged with its explanation, so that a log stays bounded."""
        if not self.counts[reason]:
            log.warning("stream %s: %s; from now on that is only counted, as %s", self.name, why, reason)
        self.count(reason, 1)

    def count(self, reason: str, number: int) -> None:
        """Count some drops without logging them."""
        self.counts[reason] += number


class Reporter:
    """Builder of the messages of one stream."""

    def __init__(
        self,
        session: str,
        stream: Stream,
        drops: DropCounter,
        manifest: Manifest,
        steady_state: SteadyStateConfig,
        publish: Callable[[Message], None],
    ) -> None:
        self.name, self.drops = drops.name, drops
        self.all_dropped: dict[str, int] = {}
        """Drops inside and outside the loop together, by reason, as published last."""
        self.predictions = 0
        """Number of published predictions."""
        self._session, self._stream, self._manifest, self._publish = session, stream, manifest, publish
        self._bundle = f"{manifest.name} {manifest.version}"
        self._steady_state = SteadyStateFilter(manifest.labels, steady_state)
        self._steady_states = self._statuses = 0
        self._states: tuple[str, str, int] | None = None
        self._checked_ns = self._status_ns = -HEARTBEAT_NS
        self._is_stopped = self._is_speechless = False

    def predict(self, window: Window, recognition: Recognition, moment: Moment) -> None:
        """Publish a window's prediction, and the steady state if it changes; nothing if a number is not finite."""
        self._is_speechless = len(window.samples) > 0 and not recognition.is_heard
        audio = AudioEvidence(
            self._with_speech(window.audio), rms_dbfs(window.samples), self._speech(window, recognition)
        )
        if not is_finite(*recognition.probs, recognition.agreement, audio.rms_dbfs, audio.speech):
            figures = f"probabilities {recognition.probs.tolist()}, agreement {recognition.agreement}, {audio}"
            self.drops.add(WINDOWS_NOT_FINITE, f"not all of a window is finite: {figures}")
            return
        framing = window.framing
        self._publish(
            Prediction(
                schema=SCHEMA,
                session=self._session,
                stream=self.name,
                seq=self.predictions,
                t_start=moment.unix_ns(window.start_ns),
                t_end=moment.unix_ns(window.end_ns),
                t_publish=moment.unix_ns(moment.now_ns),
                mono_start=window.start_ns,
                mono_end=window.end_ns,
                mono_publish=moment.now_ns,
                label=recognition.label(self._manifest.labels),
                labels=self._manifest.labels,
                probs=[float(p) for p in recognition.probs],
                confidence=float(recognition.probs.max()),
                agreement=recognition.agreement,
                audio=audio,
                video=VideoEvidence(
                    window.video,
                    framing.faces if framing else None,
                    framing.box if framing else None,
                    len(window.embeddings),
                ),
                latency_ms=Latency(
                    window.encode_video_s * 1e3,
                    recognition.encode_audio_ms,
                    recognition.fuse_ms,
                    (moment.now_ns - window.end_ns) / 1e6,
                ),
                dropped=self._all_dropped(moment),
                bundle=self._bundle,
                backend=recognition.backend,
            )
        )
        self.predictions += 1
        self._report_change(window, recognition, moment)

    def _speech(self, window: Window, recognition: Recognition) -> float | None:
        """Return the share of speech: the model's, or a measure of energy where the bundle cannot tell."""
        if self._manifest.voice is None:
            return speech_share(window.samples, self._manifest.audio.rate_hz)
        return recognition.voice.share if recognition.voice else None

    def _with_speech(self, audio: AudioState) -> AudioState:
        """Return the state of the audio, `no_speech` where sound arrives but the last window held too little voice."""
        return "no_speech" if self._is_speechless and audio in ("ok", "clipping") else audio

    def _report_change(self, window: Window, recognition: Recognition, moment: Moment) -> None:
        change = self._steady_state.update(recognition.probs, window.end_ns, has_evidence=recognition.has_evidence)
        if change is None:
            return
        self._publish(
            SteadyState(
                schema=SCHEMA,
                session=self._session,
                stream=self.name,
                seq=self._steady_states,
                t_since=moment.unix_ns(change.since_ns),
                t_publish=moment.unix_ns(moment.now_ns),
                mono_since=change.since_ns,
                mono_publish=moment.now_ns,
                label=change.label,
                previous=change.previous,
                labels=self._manifest.labels,
                probs=[float(p) for p in change.probs],
                confidence=float(change.confidence),
            )
        )
        self._steady_states += 1

    def report(self, moment: Moment) -> None:
        """Publish the stream's status on a change and once a second, as soon as it is known."""
        now_ns = moment.now_ns
        if self._is_stopped or now_ns - self._checked_ns < CHECK_NS or self._stream.is_awaited(moment.judged_ns):
            return
        self._checked_ns = now_ns
        audio, video = self._judge(moment)
        states = audio, video, self._stream.hop_ns
        if states != self._states or now_ns - self._status_ns >= HEARTBEAT_NS:
            derived: StreamState = "online"
            if "lost" in (audio, video):
                derived = "degraded" if audio in ALIVE or video in ALIVE else "lost"
            self._publish_status(moment, derived, audio, video)
            self._states, self._status_ns = states, now_ns

    def stop(self, moment: Moment) -> None:
        """Publish, once, that the stream has ended."""
        if not self._is_stopped:
            self._publish_status(moment, "stopped", *self._judge(moment))
            self._is_stopped = True

    def fail(self, moment: Moment) -> None:
        """Publish, once, that the stream has ended by an error, without judging its devices."""
        if not self._is_stopped:
            audio: AudioState = "lost" if self._stream.audio else "off"
            video: VideoState = "lost" if self._stream.video else "off"
            self._publish_status(moment, "stopped", audio, video)
            self._is_stopped = True

    def _judge(self, moment: Moment) -> tuple[AudioState, VideoState]:
        """Return the states of the stream's modalities."""
        audio = self._with_speech(self._stream.audio_state(moment.judged_ns))
        return audio, self._stream.video_state(moment.judged_ns)

    def _publish_status(self, moment: Moment, state: StreamState, audio: AudioState, video: VideoState) -> None:
        self._publish(
            Status(
                schema=SCHEMA,
                session=self._session,
                stream=self.name,
                seq=self._statuses,
                t_publish=moment.unix_ns(moment.now_ns),
                mono_publish=moment.now_ns,
                state=state,
                audio=audio,
                video=video,
                hop_s=self._stream.hop_ns / SECOND_NS,
                dropped=self._all_dropped(moment),
            )
        )
        self._statuses += 1

    def _all_dropped(self, moment: Moment) -> dict[str, int]:
        self.all_dropped = {
            reason: self.drops.counts[reason] + moment.dropped.get(reason, 0) for reason in DROP_REASONS
        }
        return self.all_dropped


def is_finite(*numbers: float | None) -> bool:
    """Return whether all numbers can be published; None stands for a missing one."""
    return all(number is None or math.isfinite(number) for number in numbers)
