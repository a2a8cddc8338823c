"""The loop in the middle: events in, predictions out. The same for devices, paced files and recordings.

`Predictor` holds what both ways of running share; `run_live` waits for captured events, `run_fast` takes a
recording's as quickly as they can be decoded.
"""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

from .clock import SECOND_NS, Clock
from .inbox import Inbox
from .loudness import rms_dbfs, speech_share
from .messages import SCHEMA, AudioEvidence, Latency, Message, Prediction, Status, StreamState, VideoEvidence
from .recognizer import Recognition, Recognizer
from .samples import Event
from .sources.base import Recording
from .sources.capture import Capture
from .stream import Stream, Window

HEARTBEAT_NS = SECOND_NS


class Predictor:
    """One stream on one recogniser: feeds it events, and publishes a prediction for each window that is due."""

    def __init__(
        self,
        name: str,
        stream: Stream,
        recognizer: Recognizer,
        unix_ns: Callable[[int], int],
        dropped: Counter[str],
        publish: Callable[[Message], None],
    ) -> None:
        self.name, self.stream, self.recognizer, self.dropped = name, stream, recognizer, dropped
        self.session = uuid.uuid4().hex
        self.predictions = 0
        self._unix_ns, self._publish = unix_ns, publish
        self._encode_video_s = 0.0
        self._states: tuple[str, str] | None = None
        self._status_ns = 0

    def add(self, events: Sequence[Event]) -> None:
        """Take in events; new frames are framed and encoded here, ahead of the window that needs them."""
        started = time.perf_counter()
        for event in events:
            self.stream.add(event)
        self.stream.encode(self.recognizer)
        self._encode_video_s += time.perf_counter() - started

    def predict_due(self, now_ns: int, *, latest_only: bool) -> None:
        """Publish what is due at `now_ns`; of several windows only the last, where `latest_only`."""
        end_ns = None
        while self.stream.due(now_ns):
            if end_ns is not None:
                if latest_only:
                    self.dropped["windows_late"] += 1
                else:
                    self._predict(end_ns, now_ns)
            end_ns = self.stream.grid.next_ns
            self.stream.grid.advance()
        if end_ns is not None:
            self._predict(end_ns, now_ns)
        self._report(now_ns)

    def _predict(self, end_ns: int, now_ns: int) -> None:
        window = self.stream.cut(end_ns)
        if window is None:
            self.dropped["windows_empty"] += 1
            return
        recognition = self.recognizer.recognize([window])[0]
        self._publish(self._message(window, recognition, now_ns))
        self.predictions += 1
        self._encode_video_s = 0.0

    def _message(self, window: Window, recognition: Recognition, now_ns: int) -> Prediction:
        manifest = self.recognizer.manifest
        best = int(recognition.probs.argmax())
        framed = window.framed
        return Prediction(
            schema=SCHEMA,
            session=self.session,
            stream=self.name,
            seq=self.predictions,
            t_start=self._unix_ns(window.start_ns),
            t_end=self._unix_ns(window.end_ns),
            t_publish=self._unix_ns(now_ns),
            mono_start=window.start_ns,
            mono_end=window.end_ns,
            mono_publish=now_ns,
            label=manifest.labels[best],
            labels=manifest.labels,
            probs=[float(p) for p in recognition.probs],
            confidence=float(recognition.probs[best]),
            agreement=recognition.agreement,
            audio=AudioEvidence(
                window.audio, rms_dbfs(window.samples), speech_share(window.samples, manifest.sound.rate_hz)
            ),
            video=VideoEvidence(
                window.video,
                framed.faces if framed else None,
                framed.box if framed else None,
                len(window.embeddings),
            ),
            latency_ms=Latency(
                self._encode_video_s * 1e3,
                recognition.encode_audio_ms,
                recognition.fuse_ms,
                (now_ns - window.end_ns) / 1e6,
            ),
            dropped=dict(self.dropped),
            bundle=f"{manifest.name} {manifest.version}",
            backend=self.recognizer.backend.name,
        )

    def _report(self, now_ns: int) -> None:
        """Publish the stream's status where it has changed, and once a second."""
        status = self._make_status(now_ns)
        states = (status.audio, status.video)
        if states != self._states or now_ns - self._status_ns >= HEARTBEAT_NS:
            self._publish(status)
            self._states, self._status_ns = states, now_ns

    def stop(self, now_ns: int) -> None:
        """Publish that the stream has ended."""
        self._publish(self._make_status(now_ns, "stopped"))

    def _make_status(self, now_ns: int, state: StreamState | None = None) -> Status:
        audio, video = self.stream.audio_state(now_ns), self.stream.video_state(now_ns)
        lost = [audio == "lost", video == "lost"]
        alive = [audio in ("ok", "silent"), video in ("ok", "no_face")]
        derived: StreamState = "online" if not any(lost) else "degraded" if any(alive) else "lost"
        return Status(
            schema=SCHEMA,
            session=self.session,
            stream=self.name,
            t_publish=self._unix_ns(now_ns),
            mono_publish=now_ns,
            state=state or derived,
            audio=audio,
            video=video,
            dropped=dict(self.dropped),
        )


def run_live(
    predictor: Predictor, inbox: Inbox, captures: Sequence[Capture], clock: Clock, stop: threading.Event
) -> None:
    """Predict until the inbox closes or `stop` is set; raises what broke a capture.

    What is due or lost is judged as of the moment the inbox was emptied: a slow machine must not take what it has
    not looked at yet for lost.
    """
    for capture in captures:
        capture.start()
    taken_ns = clock.now_ns()
    while not stop.is_set():
        now_ns = clock.now_ns()
        events = inbox.take((predictor.stream.deadline(now_ns) - now_ns) / SECOND_NS)
        taken_ns, ended = clock.now_ns(), inbox.closed
        predictor.add(events)
        predictor.predict_due(taken_ns, latest_only=True)
        if ended:
            break
    predictor.stop(taken_ns)
    for capture in captures:
        capture.finish()


def run_fast(predictor: Predictor, recording: Recording, stop: threading.Event) -> None:
    """Predict every window of a recording, whatever its pace; deterministic."""
    now_ns = 0
    try:
        for event in recording.events():
            if stop.is_set():
                break
            now_ns = event.end_ns
            predictor.add([event])
            predictor.predict_due(now_ns, latest_only=False)
    finally:
        predictor.stop(now_ns)
