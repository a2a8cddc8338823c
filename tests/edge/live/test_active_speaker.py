"""Drawn faces side by side, whose mouths follow one voice or another: whose it is."""

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from edge.clock import SECOND_NS, to_ns
from edge.geometry import Box
from edge.live.active_speaker import MOUTH_RATE_HZ, UNCLEAR, ActiveSpeaker, Heard, verdict_on, verdicts_on
from edge.live.speaker_turns import NOBODY
from edge.preprocess.face_detector import Face
from edge.preprocess.media import Block
from edge.preprocess.people_tracker import TrackedFace
from edge.preprocess.rings import SampleRing
from edge.sources.media import read_audio
from tests.edge.made_talker import FACE, openings, talking_face, voice

RATE_HZ = 16000
BEGIN_NS = to_ns(50.0)
SECONDS = 6.0

Draw = Callable[[float], np.ndarray]


def show(
    draw: Draw,
    faces: Sequence[TrackedFace],
    samples: np.ndarray,
    seconds: float = SECONDS,
    rate_hz: int = MOUTH_RATE_HZ,
    begin_ns: int = BEGIN_NS,
) -> ActiveSpeaker:
    """A detector that has seen and heard it, hop by hop."""
    speaker, ring = ActiveSpeaker(rate_hz, begin_ns), SampleRing(RATE_HZ, 6 * RATE_HZ)
    frame = sample = 0
    for hop in range(1, round(2 * seconds) + 1):
        while frame / rate_hz < hop / 2:
            speaker.see(draw(frame / rate_hz), faces, begin_ns + frame * SECOND_NS // rate_hz)
            frame += 1
        while sample < min(len(samples), hop * RATE_HZ // 2):
            block = samples[sample : sample + 320]
            sample += len(block)
            ring.extend(Block(block, begin_ns + sample * SECOND_NS // RATE_HZ))
        speaker.judge(ring, begin_ns + hop * SECOND_NS // 2)
    return speaker


def side_by_side(*mouths: np.ndarray) -> tuple[Draw, list[TrackedFace]]:
    """Faces whose mouths are so far open, each `[n]` in steps of 10 ms."""

    def draw(time_s: float) -> np.ndarray:
        step = round(100 * time_s)
        return np.concatenate([talking_face(mouth[min(step, len(mouth) - 1)], step % 4) for mouth in mouths], axis=1)

    boxes = [FACE.box._replace(x=FACE.box.x + 320 * number) for number in range(len(mouths))]
    return draw, [TrackedFace(number + 1, Face(box)) for number, box in enumerate(boxes)]


def owners(speaker: ActiveSpeaker, *seconds: float, begin_ns: int = BEGIN_NS) -> list[int]:
    return speaker.owners(np.array([begin_ns + to_ns(s) for s in seconds])).tolist()


TIMES = tuple(np.arange(1.5, 5.5, 0.25))
STILL = np.zeros(600)


def test_it_is_the_same_whenever_a_stream_begins() -> None:
    rng = np.random.default_rng(10)
    spoken, other = openings(rng, SECONDS), openings(rng, SECONDS)
    samples, times = voice(rng, spoken), np.arange(0, SECONDS, 0.01)
    found = [
        owners(show(*side_by_side(spoken, other), samples, begin_ns=begin_ns), *times, begin_ns=begin_ns)
        for begin_ns in (0, BEGIN_NS + to_ns(0.037))
    ]
    assert found[0] == found[1]
    assert 1 in found[0]


@pytest.mark.parametrize("late_s", [-0.08, 0.0, 0.1])
def test_the_voice_is_the_face_s_whose_mouth_goes_with_it(late_s: float) -> None:
    rng = np.random.default_rng(10)
    spoken, other = openings(rng, SECONDS), openings(rng, SECONDS)
    samples = np.roll(voice(rng, spoken), round(late_s * RATE_HZ))
    for mouths, person in (((spoken, other), 1), ((other, spoken), 2), ((spoken, STILL), 1)):
        found = owners(show(*side_by_side(*mouths), samples), *TIMES)
        assert found.count(person) >= 0.9 * len(found)
        assert set(found) <= {person, UNCLEAR, NOBODY}


def test_turns_are_told_apart() -> None:
    rng = np.random.default_rng(9)
    spoken = openings(rng, SECONDS)
    is_first = np.arange(600) < 300
    speaker = show(*side_by_side(spoken * is_first, spoken * ~is_first), voice(rng, spoken))
    first, second = (owners(speaker, *np.arange(begin, begin + 1.8, 0.125)) for begin in (0.7, 3.7))
    assert first.count(1) > 0.8 * len(first)
    assert second.count(2) > 0.8 * len(second)
    assert 2 not in first
    assert 1 not in second


def test_a_voice_with_which_no_mouth_goes_is_nobody_s() -> None:
    rng = np.random.default_rng(6)
    samples = voice(rng, openings(rng, SECONDS))
    assert set(owners(show(*side_by_side(STILL, STILL), samples), *TIMES)) == {NOBODY}
    assert set(owners(show(lambda _: talking_face(0.0), [], samples), *TIMES)) == {NOBODY}


def test_without_a_voice_nobody_speaks() -> None:
    rng = np.random.default_rng(7)
    hiss = 0.01 * rng.standard_normal(round(SECONDS * RATE_HZ)).astype(np.float32)
    for samples in (hiss, 0 * hiss, hiss[:0]):
        assert set(owners(show(*side_by_side(openings(rng, SECONDS), STILL), samples), *TIMES)) == {NOBODY}


def test_it_is_unclear_of_two_mouths_that_move_alike_or_of_small_faces_or_before_anything_is_known() -> None:
    rng = np.random.default_rng(8)
    spoken = openings(rng, SECONDS)
    samples = voice(rng, spoken)
    draw, faces = side_by_side(spoken, spoken)
    speaker = show(draw, faces, samples)
    assert set(owners(speaker, *TIMES)) <= {UNCLEAR, NOBODY}
    small = [TrackedFace(1, Face(Box(100, 60, 30, 30)))]
    assert set(owners(show(draw, small, samples), *TIMES)) == {UNCLEAR}
    assert owners(speaker, -5.0, 60.0) == [UNCLEAR, UNCLEAR]
    speaker.clear()
    assert owners(speaker, 4.0) == [UNCLEAR]
    assert owners(ActiveSpeaker(15), 0.0) == [UNCLEAR]


def test_a_verdict_on_a_time_may_change_while_what_follows_it_comes() -> None:
    rng = np.random.default_rng(9)
    spoken = openings(rng, SECONDS)
    draw, faces = side_by_side(spoken, STILL)
    samples = voice(rng, spoken)
    early, late = show(draw, faces, samples, 4.0), show(draw, faces, samples)
    settled = np.arange(0.5, 2.5, 0.125)
    assert owners(early, *settled) == owners(late, *settled)


def test_whoever_is_most_likely_has_the_verdict() -> None:
    heard = Heard({1: 0.0, 2: 0.0})
    assert verdict_on(None, {NOBODY: 0.1, 1: 0.9}) == NOBODY
    assert verdict_on(heard, {NOBODY: 0.1, 1: 0.6, 2: 0.3}) == 1
    assert verdict_on(heard, {NOBODY: 0.2, 1: 0.4, 2: 0.4}) == UNCLEAR
    assert verdict_on(heard, {NOBODY: 0.7, 1: 0.2, 2: 0.1}) == NOBODY
    unseen = heard._replace(is_all=False)
    assert verdict_on(unseen, {NOBODY: 0.7, 1: 0.2, 2: 0.1}) == UNCLEAR
    assert verdict_on(unseen, {NOBODY: 0.3, 1: 0.6, 2: 0.1}) == 1


def test_a_moment_of_agreement_is_no_turn_and_a_moment_without_ends_none() -> None:
    fits, does_not = Heard({1: 3.0, 2: -3.0}), Heard({1: -3.0, 2: -3.0})
    for usual, rare, verdict in ((does_not, fits, NOBODY), (fits, does_not, 1)):
        slots = dict(enumerate([*[usual] * 16, rare, *[usual] * 16, None]))
        assert list(verdicts_on(slots).values()) == [verdict] * 33 + [NOBODY]


def test_a_real_clip_speaks_and_its_first_frame_beside_it_does_not(recordings: list[Path]) -> None:
    shares = []
    for path in recordings:
        with av.open(str(path)) as container:
            frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        times = np.array([time for time, _ in frames])
        still = frames[0][1]

        def draw(time_s: float, frames=frames, times=times, still=still) -> np.ndarray:  # type: ignore[no-untyped-def]
            return np.concatenate([still, frames[int(np.abs(times - time_s % times[-1]).argmin())][1]], axis=1)

        face = Face(Box(157, 60, 115, 115))
        faces = [TrackedFace(1, face), TrackedFace(2, Face(face.box._replace(x=637)))]
        samples = np.tile(read_audio(path, RATE_HZ)[: round(times[-1] * RATE_HZ)], 2)
        speaker = show(draw, faces, samples, 2 * times[-1])
        powers = np.square(samples[: len(samples) // 1600 * 1600]).reshape(-1, 1600).mean(axis=1)
        spoken = np.flatnonzero(powers > 0.02 * powers.max()) / 10 + 0.05
        found = owners(speaker, *spoken)
        assert 1 not in found
        shares.append(found.count(2) / len(found))
    assert np.mean(shares) >= 0.85
