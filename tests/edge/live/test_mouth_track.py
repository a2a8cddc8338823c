"""Steps of a mouth that follow a voice's level by a known skew, or follow another one."""

import numpy as np
import pytest

from edge.clock import to_ns
from edge.live.mouth_track import LEAST_STEPS, Comparison, MouthTrack, Step, around, correlation
from edge.live.voice_level import VoiceLevel
from tests.edge.live.test_voice_level import BEGIN_NS, at, ring
from tests.edge.made_talker import FACE, openings, talking_face, voice

RATE_HZ = 15


def steps_of(opening: np.ndarray, late_s: float = 0.0, begin_s: float = 0.2, end_s: float = 5.8) -> list[Step]:
    """Steps of a mouth that is so far open, `[n]` in steps of 10 ms, some time later."""
    ends = np.arange(begin_s, end_s, 1 / RATE_HZ)
    places = np.interp(ends - late_s, np.arange(len(opening)) / 100, opening)
    return [
        Step(at(end - 1 / RATE_HZ), at(end), abs(moved) + 0.02, moved)
        for end, moved in zip(ends[1:], np.diff(places), strict=True)
    ]


@pytest.fixture(scope="module")
def spoken() -> tuple[np.ndarray, VoiceLevel]:
    rng = np.random.default_rng(1)
    opening = openings(rng, 6.0)
    return opening, VoiceLevel(ring(voice(rng, opening)), at(6.0))


@pytest.mark.parametrize("late_s", [-0.1, 0.0, 0.1])
def test_a_mouth_goes_with_its_own_voice_at_any_skew(spoken: tuple[np.ndarray, VoiceLevel], late_s: float) -> None:
    opening, level = spoken
    other = openings(np.random.default_rng(2), 6.0)
    own, foreign = (Comparison(steps_of(each, late_s), level).at(at(3.0)) for each in (opening, other))
    assert own is not None
    assert foreign is not None
    assert own.synchrony > foreign.synchrony + 0.15
    assert own.long_synchrony > foreign.long_synchrony + 0.15


def test_a_mouth_is_compared_about_the_time_that_is_asked_for(spoken: tuple[np.ndarray, VoiceLevel]) -> None:
    opening, level = spoken
    steps = steps_of(opening)
    still = [step._replace(change=0.01, lower=0.0) if step.end_ns > at(3.0) else step for step in steps]
    compared = Comparison(still, level)
    before, after = compared.at(at(1.5)), compared.at(at(5.0))
    assert before is not None
    assert after is not None
    assert before.moving > after.moving + 0.4
    assert before.synchrony > after.synchrony + 0.3


def test_too_few_steps_are_no_evidence(spoken: tuple[np.ndarray, VoiceLevel]) -> None:
    opening, level = spoken
    assert Comparison(steps_of(opening, end_s=1.0), level).at(at(0.5)) is not None
    assert Comparison(steps_of(opening, begin_s=4.9, end_s=5.8), level).at(at(1.0)) is None
    assert Comparison(steps_of(opening), level, least=2 * 2 * RATE_HZ).at(at(3.0)) is None


def test_a_track_keeps_what_it_sees_and_forgets(spoken: tuple[np.ndarray, VoiceLevel]) -> None:
    _, level = spoken
    track = MouthTrack()
    assert track.compare(level) is None
    for number in range(LEAST_STEPS + 1):
        track.see(talking_face(0.5 * (number % 2)), FACE, BEGIN_NS + number * to_ns(0.0625))
    assert track.compare(level) is not None
    assert track.compare(level, LEAST_STEPS + 1) is None
    assert track.was_seen(at(0.3))
    assert not track.was_seen(at(5.0))
    assert track.is_seen_since(at(0.5))
    assert not track.is_seen_since(at(0.51))
    track.see(talking_face(0.0), FACE, at(20.0))
    track.see(talking_face(0.0), FACE, at(20.1))
    assert not track.was_seen(at(0.3))
    assert track.compare(level) is None


def test_means_and_correlations_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    one, others = rng.standard_normal(20), rng.standard_normal((3, 20))
    expected = [np.corrcoef(one, other)[0, 1] for other in others]
    assert correlation(one, others) == pytest.approx(expected, abs=1e-6)  # of what keeps constant values from 0 / 0
    assert correlation(one, np.ones((1, 20))) == pytest.approx([0.0], abs=1e-6)
    times = np.array([to_ns(seconds) for seconds in (0.0, 0.3, 0.6, 5.0)])
    assert around(times, np.array([1.0, 2.0, 6.0, 9.0])).tolist() == [1.5, 3.0, 4.0, 9.0]
