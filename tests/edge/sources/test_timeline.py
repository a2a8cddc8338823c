"""Where packets lie, against clocks that jump."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from edge.sources.timeline import Stretch, Timeline

SECOND_NS = 1_000_000_000
SOUND, PICTURE = 0, 1


def follow(timeline: Timeline, track: int, at_s: float | None, lasts_s: float = 1.0) -> float | None:
    """Where a packet of a millisecond clock comes to lie, in seconds."""
    ticks = None if at_s is None else round(at_s * 1000)
    duration, time_base = round(lasts_s * 1000), Fraction(1, 1000)
    number = timeline.follow(
        SimpleNamespace(stream_index=track, pts=ticks, dts=ticks, duration=duration, time_base=time_base)
    )
    return None if at_s is None else at_s + timeline.stretches[number].shift_ns / SECOND_NS


def of_one_track(times_s: list[float], lasts_s: float = 1.0) -> list[float | None]:
    timeline = Timeline([Stretch(0)])
    return [follow(timeline, SOUND, at_s, lasts_s) for at_s in times_s]


@pytest.mark.parametrize(
    ("times_s", "expected_s"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([0, 1, 9, 10], [0, 1, 9, 10]),
        ([0, 1, 31, 32], [0, 1, 31, 32]),
        ([0, 1, 7200, 7201], [0, 1, 2, 3]),
        ([0, 1, 0, 1], [0, 1, 2, 3]),
        ([0, 1, 2, 1.6, 2.6], [0, 1, 2, 1.6, 2.6]),
        ([0, 1, 95443.7, 0, 1], [0, 1, 2, 3, 4]),
        ([7200, 7201], [0, 1]),
    ],
)
def test_a_clock_that_jumps_goes_on_where_it_was(times_s: list[float], expected_s: list[float]) -> None:
    assert of_one_track(times_s) == pytest.approx(expected_s)


def test_tracks_of_one_clock_stay_together() -> None:
    """The sound begins 0.2 s before the picture both times; the picture's last packet is stored late."""
    timeline = Timeline([Stretch(0)])
    first = [follow(timeline, SOUND, 0), follow(timeline, PICTURE, 0.2), follow(timeline, SOUND, 1)]
    again = [follow(timeline, SOUND, 0), follow(timeline, PICTURE, 1.2), follow(timeline, PICTURE, 0.2)]
    assert first == pytest.approx([0, 0.2, 1])
    assert again == pytest.approx([2, 1.2, 2.2])
    assert [stretch.begin_ns for stretch in timeline.stretches] == [0, 2 * SECOND_NS]
    assert (timeline.end_ns(0), timeline.end_ns(1)) == (2 * SECOND_NS, None)


def test_sound_that_is_missing_while_the_picture_goes_on_is_no_jump() -> None:
    timeline = Timeline([Stretch(0)])
    follow(timeline, SOUND, 0)
    for at_s in range(100):
        follow(timeline, PICTURE, at_s)
    assert follow(timeline, SOUND, 100) == 100


def test_what_says_no_time_lies_where_its_track_is() -> None:
    timeline = Timeline([Stretch(0)])
    assert timeline.follow(SimpleNamespace(stream_index=0, pts=None, dts=None, duration=None, time_base=None)) == 0
    follow(timeline, SOUND, 7200)
    assert timeline.follow(SimpleNamespace(stream_index=0, pts=None, dts=None, duration=None, time_base=None)) == 1


def test_after_seeking_the_first_packet_of_a_track_tells_where_it_is() -> None:
    timeline = Timeline([Stretch(0)], is_sought=True)
    assert follow(timeline, PICTURE, 300) == 300
    assert follow(timeline, SOUND, 299) == 299
    assert follow(timeline, SOUND, 0) == pytest.approx(301)


def test_the_clock_is_told_as_the_file_has_it() -> None:
    timeline = Timeline([Stretch(-5 * SECOND_NS)])
    for at_s in (5, 6, 7200):
        follow(timeline, SOUND, at_s)
    assert timeline.clock_ns == 7196 * SECOND_NS
