"""Bridge to the Lab Streaming Layer: outlets of predictions and of markers, stamped with the capture times.

Both are irregular (a nominal rate of 0): with a rate, receivers smooth the stamps as if no message were ever missing.
"""

import logging
from collections.abc import Callable

import pylsl

from ..errors import FoalError
from ..wire.clock_offset import ClockOffset
from ..wire.messages import Message, PersonPrediction, Prediction, SteadyState
from .base import Bridge
from .lsl_channels import PERSON, channels, person_sample, sample

MEASURE_EVERY_NS = 300 * 10**9
"""Time after which the offset of another machine's clock is measured again: clocks drift."""

MOST_SESSIONS = 16
"""Number of sessions whose clocks are kept, those measured last: publishers and proxies are started anew."""

log = logging.getLogger(__name__)


class LslClock:
    """Capture times of the publishing machines as times of LSL, which are this machine's CLOCK_MONOTONIC in seconds.

    `measure` returns the offset of the clocks of the machine that a session publishes from.
    """

    def __init__(self, measure: Callable[[str], ClockOffset]) -> None:
        self._measure = measure
        self._offsets: dict[str, tuple[int, ClockOffset]] = {}
        """Time of the last attempt to measure, by the session's machine, and the offset, of each session."""

    def stamp_s(self, mono_ns: int, session: str) -> float:
        """Return a CLOCK_MONOTONIC time of the publishing machine in LSL's seconds.

        Never 0, which LSL takes for "now", though a replay begins there. Raises FoalError if the offset was never
        measured and cannot be.
        """
        return max(mono_ns - self._offset_ns(mono_ns, session), 1) / 1e9

    def _offset_ns(self, mono_ns: int, session: str) -> int:
        known = self._offsets.get(session)
        if known is not None and mono_ns - known[0] < MEASURE_EVERY_NS:
            return known[1].mono_ns
        try:
            offset = self._measure(session)
        except FoalError as error:
            if known is None:
                raise
            log.warning("the clock is not measured again: %s", error)
            offset = known[1]
        self._offsets.pop(session, None)
        self._offsets[session] = mono_ns, offset
        if len(self._offsets) > MOST_SESSIONS:
            del self._offsets[next(iter(self._offsets))]
        return offset.mono_ns


class LslBridge(Bridge):
    """Bridge to outlets: for each stream one of its predictions, one of its steady label (markers), and one of people.

    All people of a stream share that outlet, which comes with the first of them; each sample begins with whose it is.
    Outlets that come and go with people would be missed by a recorder, which takes the outlets that it finds.
    They are made with the first message. What is pushed while no inlet listens is gone, as LSL has it; it is counted
    and said at the end.
    """

    def __init__(self, clock: LslClock) -> None:
        super().__init__()
        self._clock = clock
        self._predictions: dict[str, tuple[list[str], str, pylsl.StreamOutlet]] = {}
        """Labels, bundle and outlet, by the outlet's name."""
        self._markers: dict[str, pylsl.StreamOutlet] = {}
        self._unheard = 0

    def send(self, message: Message) -> None:
        """Push a prediction or a change of the steady label. Raises FoalError if no clock offset can be measured."""
        if isinstance(message, Prediction):
            self._push(self._prediction_outlet(message), sample(message), message.mono_end, message)
        elif isinstance(message, PersonPrediction):
            self._push(self._prediction_outlet(message), person_sample(message), message.mono_end, message)
        elif isinstance(message, SteadyState):
            if message.stream not in self._markers:
                self._markers[message.stream] = marker_outlet(message.stream)
            self._push(self._markers[message.stream], [message.label], message.mono_since, message)

    def _prediction_outlet(self, message: Prediction | PersonPrediction) -> pylsl.StreamOutlet:
        name = outlet_name(message)
        known = self._predictions.get(name)
        if known is None or known[:2] != (message.labels, message.bundle):
            known = message.labels, message.bundle, prediction_outlet(message)
            self._predictions[name] = known
            log.info("LSL outlet %s with the labels %s", name, ", ".join(message.labels))
        return known[2]

    def _push(
        self,
        outlet: pylsl.StreamOutlet,
        values: list[float] | list[str],
        mono_ns: int,
        message: Prediction | PersonPrediction | SteadyState,
    ) -> None:
        node = message.node
        if node is None:
            stamp_s = self._clock.stamp_s(mono_ns, message.session)
        elif node.mono_offset_ns is not None:  # in the time of the proxy's machine, whose clock is measured
            stamp_s = self._clock.stamp_s(mono_ns - node.mono_offset_ns, node.proxy)
        else:
            self.dropped["clock_unknown"] += 1
            return
        self._unheard += not outlet.have_consumers()
        outlet.push_sample(values, stamp_s)

    def close(self) -> None:
        """Close all outlets."""
        self._predictions.clear()
        self._markers.clear()
        if self._unheard:
            log.info("%d samples were pushed while no LSL inlet listened", self._unheard)


def outlet_name(message: Prediction | PersonPrediction) -> str:
    """Return the name of the outlet of a prediction: that of its stream, or of the people of its stream."""
    return f"foal-edge {message.stream}{' people' if isinstance(message, PersonPrediction) else ''}"


def prediction_outlet(message: Prediction | PersonPrediction) -> pylsl.StreamOutlet:
    """Return a new outlet with the channels of a stream's predictions, or of those of its people.

    Its source identifier is the same after a restart with the same labels: inlets find the new outlet by themselves.
    """
    described = channels(message.labels)
    if isinstance(message, PersonPrediction):
        described = [*PERSON, *described]
    name = outlet_name(message)
    source = f"{name} {','.join(message.labels)}"
    info = pylsl.StreamInfo(name, "Emotion", len(described), pylsl.IRREGULAR_RATE, pylsl.cf_double64, source)
    info.set_channel_labels([channel.label for channel in described])
    info.set_channel_units([channel.unit for channel in described])
    info.set_channel_types([channel.kind for channel in described])
    about = info.desc()
    about.append_child_value("manufacturer", "foal-edge")
    about.append_child_value("bundle", message.bundle)
    about.append_child_value("backend", message.backend)
    return pylsl.StreamOutlet(info)


def marker_outlet(stream: str) -> pylsl.StreamOutlet:
    """Return a new outlet of the steady labels of a stream."""
    name = f"foal-edge {stream} label"
    info = pylsl.StreamInfo(name, "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, name)
    info.desc().append_child_value("manufacturer", "foal-edge")
    return pylsl.StreamOutlet(info)
