"""Messages of one stream: predictions, steady states and statuses, each kind numbered."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..bundle.manifest import Manifest
from ..clock import SECOND_NS
from ..wire.drop_reasons import DROP_REASONS, WINDOWS_NOT_FINITE
from ..wire.evidence import AudioState, VideoState
from ..wire.messages import SCHEMA, Message, PersonPrediction, Prediction, Status, SteadyState, StreamState
from .inbox import Moment
from .main_person import MainPerson
from .people import seen
from .prediction_fields import Part, make_part, prediction_fields, with_speech
from .recognizer import Recognition
from .steady_state_config import SteadyStateConfig
from .steady_states import SteadyStates
from .stream import Stream
from .window import Window

HEARTBEAT_NS = SECOND_NS
CHECK_NS = SECOND_NS // 5
"""Distance between two checks of the states of a stream's modalities."""
REMEMBERED_PEOPLE = 1000
"""Number of people, those seen last, whose messages go on being numbered should they come back."""
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
        self._main = MainPerson()
        self._steady = SteadyStates(manifest.labels, steady_state)
        self._steady_states = self._statuses = 0
        self._person_seqs: dict[int, int] = {}
        self._people: tuple[int, ...] = ()
        self._states: tuple[str, str, int, tuple[int, ...]] | None = None
        self._checked_ns = self._status_ns = -HEARTBEAT_NS
        self._is_stopped = self._is_speechless = False

    def predict(self, window: Window, recognitions: Sequence[Recognition], moment: Moment) -> None:
        """Publish the predictions of a window, given the recognition of each part, and the steady state if it changes.

        Nothing is published of a part of which a number is not finite.
        """
        self._is_speechless = len(window.samples) > 0 and not any(each.is_heard for each in recognitions)
        parts = [make_part(self._manifest, *each) for each in zip(window.parts, recognitions, strict=True)]
        for part in parts:
            if not part.is_finite:
                self.drops.add(WINDOWS_NOT_FINITE, f"not all of a window is finite: {part.figures}")
        parts = [part for part in parts if part.is_finite]
        if not parts:
            return
        main = self._main.choose([part.window for part in parts])
        self._publish_prediction(parts, main, moment)
        self._steady.keep([part.person for part in parts])
        for part in parts:
            label = self._steady.update(part)
            if part.person is not None:
                self._publish_person(part, part.person, label, moment)
        self._report_change(main, moment)

    def _publish_prediction(self, parts: Sequence[Part], main: Window, moment: Moment) -> None:
        people = [
            seen(part.person, part.window.framing.box if part.window.framing else None, part.window.speaker)
            for part in parts
            if part.person is not None
        ]
        part = next(part for part in parts if part.window is main)
        fields = prediction_fields(part, self._manifest.labels, moment, people)
        self._publish(Prediction(**self._fields(moment), **fields, seq=self.predictions, person=main.person))
        self.predictions += 1

    def _publish_person(self, part: Part, person: int, label: str, moment: Moment) -> None:
        fields = prediction_fields(part, self._manifest.labels, moment)
        seq = self._person_seqs[person] = self._person_seqs.pop(person, -1) + 1
        if len(self._person_seqs) > REMEMBERED_PEOPLE:
            del self._person_seqs[next(iter(self._person_seqs))]
        self._publish(PersonPrediction(**self._fields(moment), **fields, seq=seq, person=person, steady=label))

    def _fields(self, moment: Moment) -> dict[str, Any]:
        """Return the fields that all messages of the stream's predictions share."""
        return {
            "schema": SCHEMA,
            "session": self._session,
            "stream": self.name,
            "dropped": self._all_dropped(moment),
            "bundle": self._bundle,
        }

    def _report_change(self, main: Window, moment: Moment) -> None:
        change = self._steady.change(main.person, main.end_ns)
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
        states = audio, video, self._stream.hop_ns, self._stream.present(moment.judged_ns)
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
        audio = with_speech(self._stream.audio_state(moment.judged_ns), is_speechless=self._is_speechless)
        return audio, self._stream.video_state(moment.judged_ns)

    def _publish_status(self, moment: Moment, state: StreamState, audio: AudioState, video: VideoState) -> None:
        before, self._people = self._people, () if state == "stopped" else self._stream.present(moment.judged_ns)
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
                people=list(self._people),
                came=[person for person in self._people if person not in before],
                left=[person for person in before if person not in self._people],
            )
        )
        self._statuses += 1

    def _all_dropped(self, moment: Moment) -> dict[str, int]:
        self.all_dropped = {
            reason: self.drops.counts[reason] + moment.dropped.get(reason, 0) for reason in DROP_REASONS
        }
        return self.all_dropped
