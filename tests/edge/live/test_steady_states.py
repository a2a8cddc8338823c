"""Each person has a steady state; the stream's is that of its main person, whoever that is."""

import numpy as np
import pytest

from edge.live.prediction_fields import Part
from edge.live.recognizer import Recognition
from edge.live.steady_state_config import SteadyStateConfig
from edge.live.steady_states import SteadyStates
from edge.live.window import Window
from edge.wire.evidence import AudioEvidence
from edge.wire.messages import UNCERTAIN

HOP_NS = 500_000_000
EMPTY = np.zeros(0, np.float32)
AT_ONCE = SteadyStateConfig(smoothing_s=0, dwell_s=0)


@pytest.fixture
def states() -> SteadyStates:
    return SteadyStates(["calm", "glad"], AT_ONCE)


def part(hop: int, person: int | None, calm: float) -> Part:
    window = Window(EMPTY, EMPTY.reshape(0, 3), None, 0, hop * HOP_NS, "off", "ok", None, 0.0, person=person)
    found = Recognition(np.array([calm, 1 - calm]), None, False, True, None, 0.0, 0.0, "numpy")
    return Part(window, found, AudioEvidence("off", None, None))


def test_each_person_has_a_state(states: SteadyStates) -> None:
    assert [states.update(part(1, 1, 0.9)), states.update(part(1, 2, 0.2))] == ["calm", "glad"]
    assert [states.update(part(2, 1, 0.1)), states.update(part(2, 2, 0.5))] == ["glad", "glad"]


def test_the_stream_changes_with_its_main_person(states: SteadyStates) -> None:
    for person, calm in ((1, 0.9), (2, 0.2)):
        states.update(part(1, person, calm))
    first = states.change(1, HOP_NS)
    assert (first.label, first.previous, first.since_ns, first.confidence) == ("calm", None, HOP_NS, 0.9)
    for person, calm in ((1, 0.9), (2, 0.2)):
        states.update(part(2, person, calm))
    assert states.change(1, 2 * HOP_NS) is None
    switched = states.change(2, 2 * HOP_NS)
    assert (switched.label, switched.previous, switched.since_ns) == ("glad", "calm", 2 * HOP_NS)
    assert switched.probs.tolist() == pytest.approx([0.2, 0.8])
    assert states.change(2, 3 * HOP_NS) is None


def test_another_of_the_same_label_is_no_change(states: SteadyStates) -> None:
    for person in (1, 2):
        states.update(part(1, person, 0.8))
    assert states.change(1, HOP_NS) is not None
    assert states.change(2, HOP_NS) is None


def test_of_who_left_nothing_is_kept() -> None:
    states = SteadyStates(["calm", "glad"], SteadyStateConfig(smoothing_s=60, dwell_s=0))
    states.update(part(1, 1, 1.0))
    states.keep([2])
    states.keep([1])
    assert states.update(part(2, 1, 0.0)) == "glad"
    assert states.update(part(3, None, 0.5)) != UNCERTAIN
