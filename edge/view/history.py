"""History of one stream: its last ten minutes, bounded, as the page draws them."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import quantiles
from typing import NamedTuple

from ..clock import SECOND_NS
from ..wire.evidence import Latency
from ..wire.messages import CameraPicture, PersonPrediction, Prediction, Status, SteadyState
from ..wire.present_people import PresentPeople

OfStream = Prediction | PersonPrediction | SteadyState | Status | CameraPicture
"""Message of one stream."""
KEPT_NS = 600 * SECOND_NS
"""Length of the history."""
MOST_POINTS = 12_000
"""Largest number of points: ten minutes at the shortest hop, 0.05 s."""
MOST_CHANGES = 200
"""Largest number of changes of devices and sessions that are kept."""
MINUTE_NS = 60 * SECOND_NS


@dataclass(slots=True)
class Point:
    """One prediction, and what else was true at its time."""

    prediction: Prediction
    steady: str | None
    """Label of the steady state; None before the first."""
    revision: int
    """Number of the history's change that made or altered the point."""

    @property
    def time_ns(self) -> int:
        """End of the window, in nanoseconds of Unix time."""
        return self.prediction.t_end


class Change(NamedTuple):
    """Change of a device, of the stream or of the session."""

    time_ns: int
    """Unix time; as in the message that told it."""
    text: str


class Percentiles(NamedTuple):
    """Time spent in one stage, in milliseconds."""

    last: float
    p50: float
    p99: float


class StreamHistory:
    """Last ten minutes of one stream, in the order of its windows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.points: deque[Point] = deque(maxlen=MOST_POINTS)
        self.changes: deque[Change] = deque(maxlen=MOST_CHANGES)
        """Changes, the oldest first."""
        self.status: Status | None = None
        self.steady: SteadyState | None = None
        self.picture: CameraPicture | None = None
        """Newest picture; None unless the run shows them."""
        self.people = PresentPeople()
        """People who are there; none unless the run follows several."""
        self.dropped: dict[str, int] = {}
        """Drops since the start of the session, by reason."""
        self.revision = 0
        """Number of changes of the points so far."""
        self._session: str | None = None

    @property
    def newest(self) -> Prediction | None:
        """Newest prediction; None before the first."""
        return self.points[-1].prediction if self.points else None

    def add(self, message: OfStream) -> None:
        """Take a message of the stream."""
        if message.session != self._session:
            self._begin_session(message)
        if not isinstance(message, CameraPicture):
            self.people.add(message)
        if isinstance(message, Prediction):
            self._add_prediction(message)
        elif isinstance(message, SteadyState):
            self._add_steady_state(message)
        elif isinstance(message, Status):
            self._add_status(message)
        elif isinstance(message, CameraPicture):
            self.picture = message

    def _begin_session(self, message: OfStream) -> None:
        if self._session is not None:
            self.changes.append(Change(message.t_publish, "started anew"))
        self._session, self.dropped = message.session, {}
        self.status = self.steady = self.picture = None
        self.people = PresentPeople()

    def _add_prediction(self, prediction: Prediction) -> None:
        if self.points and self.points[-1].prediction.labels != prediction.labels:
            self.points.clear()
        while self.points and self.points[-1].time_ns >= prediction.t_end:  # a recording played again, a clock put back
            self.points.pop()
        self.revision += 1
        self.points.append(Point(prediction, self.steady.label if self.steady else None, self.revision))
        while self.points[0].time_ns < prediction.t_end - KEPT_NS:
            self.points.popleft()
        self.dropped = prediction.dropped

    def _add_steady_state(self, steady: SteadyState) -> None:
        """Take a steady state, which is published after the prediction that caused it."""
        self.steady = steady
        for point in reversed(self.points):
            if point.time_ns < steady.t_since:
                break
            self.revision += 1
            point.steady, point.revision = steady.label, self.revision

    def _add_status(self, status: Status) -> None:
        before = self.status
        for what in ("state", "audio", "video"):
            new, old = getattr(status, what), getattr(before, what, None)
            if new != old:
                name = "stream" if what == "state" else what
                self.changes.append(Change(status.t_publish, f"{name}: {f'{old} → ' if old else ''}{new}"))
        told = [f"person {person} came" for person in status.came] + [f"person {person} left" for person in status.left]
        self.changes.extend(Change(status.t_publish, text) for text in told)
        self.status, self.dropped = status, status.dropped

    def since(self, revision: int) -> list[Point]:
        """Return the points from the first that was made or altered after a revision, the oldest first."""
        newer: list[Point] = []
        for point in reversed(self.points):
            if point.revision <= revision:
                break
            newer.append(point)
        return newer[::-1]

    def latency(self) -> dict[str, Percentiles]:
        """Return the percentiles of each stage over the newest minute; empty before the first prediction."""
        minute = list(self._newest_minute())
        if not minute:
            return {}
        return {stage: percentiles([getattr(each, stage) for each in minute]) for stage in Latency.__struct_fields__}

    def _newest_minute(self) -> Iterator[Latency]:
        for point in reversed(self.points):
            if point.time_ns < self.points[-1].time_ns - MINUTE_NS:
                return
            yield point.prediction.latency_ms


def percentiles(newest_first: Iterable[float]) -> Percentiles:
    """Return the newest value, the median and the 99th percentile, interpolated between neighbours."""
    values = list(newest_first)
    cuts = quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
    return Percentiles(values[0], cuts[49], cuts[98])
