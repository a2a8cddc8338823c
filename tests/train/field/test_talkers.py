"""A clip of numbered frames, and a photograph with a dark line for a mouth."""

import numpy as np
import pytest

from tests.edge.made_talker import openings as made_openings
from tests.edge.made_talker import voice
from tests.train.field.made_films import made_footage
from train.field.talkers import RATE_HZ, ClipTalker, PhotoTalker, Said, folded, openings, speaking, trimmed


def bursts(*seconds: tuple[float, float], length_s: float = 3.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    samples = 1e-4 * rng.standard_normal(round(length_s * RATE_HZ))
    for begin, end in seconds:
        samples[round(begin * RATE_HZ) : round(end * RATE_HZ)] *= 1000
    return samples.astype(np.float32)


def test_short_pauses_are_speaking_and_long_ones_are_not() -> None:
    found = speaking(bursts((0.5, 1.0), (1.2, 1.4), (2.0, 2.5)))
    expected = np.zeros(300, bool)
    expected[50:140] = expected[200:250] = True
    assert (found == expected).all()


def test_a_recording_is_trimmed_to_its_voice() -> None:
    assert len(trimmed(bursts((0.5, 1.0)))) / RATE_HZ == pytest.approx(0.6, abs=0.011)  # and 0.05 s on each side


def test_a_clip_plays_while_it_is_said_and_rests_before_and_after() -> None:
    clip = made_footage(0)
    talker = ClipTalker([clip], [Said(3.0, clip.samples)])

    def frame(time_s: float) -> int:
        return int(talker.draw(time_s)[0, 0, 0]) // 10

    assert [frame(time) for time in (3.5, 4.0, 4.5)] == [5, 10, 15]
    spoken = set(range(5, 16))
    assert spoken.isdisjoint(frame(time) for time in np.arange(0, 3.4, 0.05))
    assert spoken.isdisjoint(frame(time) for time in np.arange(4.65, 8, 0.05))
    assert len({frame(time) for time in np.arange(1.6, 3.4, 0.05)}) > 2  # it moves
    assert abs(frame(2.99) - frame(3.0)) <= 1  # without a jump
    assert spoken.isdisjoint({int(ClipTalker([clip], []).draw(time)[0, 0, 0]) // 10 for time in np.arange(0, 5, 0.1)})


def test_a_stretch_is_played_to_and_fro() -> None:
    assert [folded(time, 1.0) for time in (0.0, 0.25, 1.0, 1.25, 2.0, 2.5)] == [0.0, 0.25, 1.0, 0.75, 0.0, 0.5]


def test_a_photograph_opens_its_mouth_with_the_voice_alone() -> None:
    rng = np.random.default_rng(1)
    image = np.full((128, 128, 3), 180, np.uint8)
    image[88:90, 50:78] = 90  # the lips
    said = Said(1.0, voice(rng, made_openings(rng, 1.5)))
    talker = PhotoTalker(image, [said], 4.0, rng)
    assert (talker.draw(0.2) == image).all()
    assert (talker.draw(3.9) == image).all()
    drawn = np.stack([talker.draw(time) for time in np.arange(1.0, 2.5, 0.1)]).astype(int)
    changed = np.abs(drawn - image).max(axis=(0, 3))
    assert changed.max() > 60
    assert not changed[:80].any()  # above the mouth
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows.min() >= 85


def test_a_mouth_opens_more_where_its_voice_is_loud() -> None:
    rng = np.random.default_rng(2)
    opening = made_openings(rng, 3.0)
    made = openings(voice(rng, opening), rng)
    assert made.min() >= 0
    assert made.max() <= 1
    assert 0.4 < np.corrcoef(made, opening[: len(made)])[0, 1] < 0.95  # a part of it is the mouth's own
