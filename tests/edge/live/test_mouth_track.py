"""Steps of a mouth that follow a voice's level by a known skew, or follow another one."""

import math

import numpy as np
import pytest

from edge.clock import to_ns
from edge.live.mouth_track import (
    LEAST_CHANCE,
    LEAST_STEPS,
    USUAL_CHANCE,
    Comparison,
    Evidence,
    MouthTrack,
    Step,
    around,
    correlations,
)
from edge.live.mouth_track import openings as openings_of
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


def about(compared: Comparison, time_s: float) -> Evidence | None:
    """Evidence about one time."""
    return compared.at(np.array([at(time_s)]))[0]


@pytest.mark.parametrize("late_s", [-0.1, 0.0, 0.1])
def test_a_mouth_goes_with_its_own_voice_at_any_skew(spoken: tuple[np.ndarray, VoiceLevel], late_s: float) -> None:
    opening, level = spoken
    other = openings(np.random.default_rng(2), 6.0)
    own, foreign = (about(Comparison(steps_of(each, late_s), level), 3.0) for each in (opening, other))
    assert own is not None
    assert foreign is not None
    assert own.synchrony > foreign.synchrony + 0.15
    assert own.long_synchrony > foreign.long_synchrony + 0.15


def test_a_mouth_is_compared_about_the_time_that_is_asked_for(spoken: tuple[np.ndarray, VoiceLevel]) -> None:
    opening, level = spoken
    steps = steps_of(opening)
    still = [step._replace(change=0.01, lower=0.0) if step.end_ns > at(3.0) else step for step in steps]
    compared = Comparison(still, level)
    before, after = compared.at(np.array([at(1.5), at(5.0)]))
    assert before is not None
    assert after is not None
    assert before.moving > after.moving + 0.4
    assert before.synchrony > after.synchrony + 0.3


def test_chance_brings_more_to_a_mouth_as_even_as_the_voice_than_to_a_quick_one() -> None:
    rng = np.random.default_rng(3)
    even = 0.5 + 0.5 * np.sin(2 * np.pi * 0.5 * np.arange(600) / 100)
    quick = np.interp(np.arange(600) / 100, np.arange(0, 6.2, 0.1), rng.uniform(0, 1, 62))
    samples = voice(rng, even)
    level = VoiceLevel(ring(samples), at(6.0))
    chances = [Comparison(steps_of(opening), level).chance for opening in (even, quick)]
    assert LEAST_CHANCE < chances[1] < chances[0] - 0.1
    short = Comparison(steps_of(quick, end_s=1.4), VoiceLevel(ring(samples), at(1.5)))
    assert short.chance == pytest.approx(math.hypot(LEAST_CHANCE, USUAL_CHANCE))


def test_too_few_steps_are_no_evidence(spoken: tuple[np.ndarray, VoiceLevel]) -> None:
    opening, level = spoken
    assert about(Comparison(steps_of(opening, end_s=1.0), level), 0.5) is not None
    assert about(Comparison(steps_of(opening, begin_s=4.9, end_s=5.8), level), 1.0) is None
    assert about(Comparison(steps_of(opening), level, least=2 * 2 * RATE_HZ), 3.0) is None


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


def test_correlations_are_those_of_numpy_in_the_chosen_places() -> None:
    rng = np.random.default_rng(0)
    one, others = rng.standard_normal(20), rng.standard_normal((3, 20))
    chosen = np.stack([np.ones(20, np.bool_), np.arange(20) % 3 > 0])
    expected = [[np.corrcoef(one[row], other[row])[0, 1] for other in others] for row in chosen]
    assert correlations(one, others, chosen) == pytest.approx(np.array(expected), abs=1e-6)  # of what keeps 0 / 0 away
    assert correlations(one, np.ones((1, 20)), chosen) == pytest.approx(np.zeros((2, 1)), abs=1e-6)
    assert correlations(one, others, np.zeros((1, 20), np.bool_)).tolist() == [[0.0] * 3]


def test_an_opening_is_what_the_lower_lip_has_moved_without_what_adds_up() -> None:
    lower = np.array([0.3, 1.0, 9.0, -0.5, 0.4])
    chosen = np.array([[True, True, False, True, True]])
    places = np.cumsum(lower[chosen[0]])
    expected = places - np.linspace(places[0], places[-1], 4)
    assert openings_of(lower, chosen)[chosen] == pytest.approx(expected)


def test_means_are_of_the_times_that_are_near() -> None:
    times = np.array([to_ns(seconds) for seconds in (0.0, 0.3, 0.6, 5.0)])
    assert around(times, np.array([1.0, 2.0, 6.0, 9.0])).tolist() == [1.5, 3.0, 4.0, 9.0]
