"""Times of packets under clocks that jump."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from edge.sources.timeline import Segment, Timeline

SECOND_NS = 1_000_000_000
SOUND, PICTURE = 0, 1


def packet(track: int, at_s: float | None, lasts_s: float = 1.0, *, is_discard: bool = False) -> SimpleNamespace:
    """A packet of a millisecond clock."""
    ticks = None if at_s is None else round(at_s * 1000)
    return SimpleNamespace(
        stream_index=track,
        pts=ticks,
        dts=ticks,
        duration=round(lasts_s * 1000),
        time_base=Fraction(1, 1000),
        is_discard=is_discard,
    )


def follow(timeline: Timeline, track: int, at_s: float, lasts_s: float = 1.0) -> float:
    """Where a packet comes to lie, in seconds."""
    number = timeline.follow(packet(track, at_s, lasts_s))
    return at_s + timeline.segments[number].shift_ns / SECOND_NS


def of_one_track(times_s: list[float], lasts_s: float = 1.0) -> list[float]:
    timeline = Timeline([Segment(0)])
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
    timeline = Timeline([Segment(0)])
    first = [follow(timeline, SOUND, 0), follow(timeline, PICTURE, 0.2), follow(timeline, SOUND, 1)]
    again = [follow(timeline, SOUND, 0), follow(timeline, PICTURE, 1.2), follow(timeline, PICTURE, 0.2)]
    assert first == pytest.approx([0, 0.2, 1])
    assert again == pytest.approx([2, 1.2, 2.2])
    assert [segment.begin_ns for segment in timeline.segments] == [0, 2 * SECOND_NS]
    assert (timeline.end_ns(0), timeline.end_ns(1)) == (2 * SECOND_NS, None)


def test_a_gap_of_audio_while_video_goes_on_is_no_jump() -> None:
    timeline = Timeline([Segment(0)])
    follow(timeline, SOUND, 0)
    for at_s in range(100):
        follow(timeline, PICTURE, at_s)
    assert follow(timeline, SOUND, 100) == 100


def test_a_packet_without_a_timestamp_stays_on_its_tracks_segment() -> None:
    timeline = Timeline([Segment(0)])
    assert timeline.follow(packet(SOUND, None)) == 0
    follow(timeline, SOUND, 7200)
    assert timeline.follow(packet(SOUND, None)) == 1


def test_after_seeking_the_first_packet_of_a_track_tells_where_it_is() -> None:
    timeline = Timeline([Segment(0)], is_sought=True)
    assert follow(timeline, PICTURE, 300) == 300
    assert follow(timeline, SOUND, 299) == 299
    assert follow(timeline, SOUND, 0) == pytest.approx(301)


def test_the_latest_timestamp_is_that_of_the_file() -> None:
    timeline = Timeline([Segment(-5 * SECOND_NS)])
    for at_s in (5, 6, 7200):
        follow(timeline, SOUND, at_s)
    assert timeline.clock_ns == 7196 * SECOND_NS


def test_packets_discarded_by_an_edit_list_are_no_jump() -> None:
    timeline = Timeline([Segment(0)])
    for at_s in (-2.5, -1.5, -0.5):
        assert timeline.follow(packet(PICTURE, at_s, is_discard=True)) == 0
    assert [follow(timeline, PICTURE, 0), follow(timeline, PICTURE, 1)] == [0, 1]


def test_a_track_that_jumps_by_too_little_to_notice_follows_the_others() -> None:
    """The sound goes back by 0.75 s, the picture by 0.5 s."""
    timeline = Timeline([Segment(0)])
    for at_s in (0, 0.25, 0.5, 0.75):
        follow(timeline, SOUND, at_s, 0.25)
    for at_s in (0, 0.25, 0.5):
        follow(timeline, PICTURE, at_s, 0.25)
    assert follow(timeline, SOUND, 0, 0.25) == 1.0
    lies_s = [follow(timeline, PICTURE, quarter / 4, 0.25) for quarter in range(12)]
    assert lies_s[:8] == [quarter / 4 for quarter in range(8)]
    assert lies_s[8:] == [quarter / 4 + 1.0 for quarter in range(8, 12)]
    assert len(timeline.segments) == 2


@pytest.mark.parametrize("first", [SOUND, PICTURE])
def test_pictures_that_are_decoded_seconds_before_the_begin_are_no_jump(first: int) -> None:
    """As of one frame a second whose first refers to the fourth."""
    timeline = Timeline([Segment(0)])
    other = PICTURE + SOUND - first
    begins_s = {SOUND: 0.0, PICTURE: -2.0}
    assert [follow(timeline, track, begins_s[track]) for track in (first, other)] == [begins_s[first], begins_s[other]]
    assert [follow(timeline, PICTURE, at_s) for at_s in (-1.0, 0.0, 1.0)] == [-1.0, 0.0, 1.0]
    assert follow(timeline, SOUND, 1.0) == 1.0
    assert len(timeline.segments) == 1


@pytest.mark.parametrize("period_s", [0.04, 1.0, 5.0])
def test_pictures_out_of_order_whose_decoding_times_are_guessed_are_no_jump(period_s: float) -> None:
    """As FFmpeg guesses them for two B-frames in Matroska: in order, none, and from then on back by one."""
    timeline = Timeline([Segment(0)])
    for decoded, presented in ((0, 0), (1, 1), (2, 2), (4, 4), (None, 3), (3, 5), (5, 6), (6, 8), (7, 7)):
        stored = packet(PICTURE, presented * period_s, period_s)
        stored.dts = None if decoded is None else round(decoded * period_s * 1000)
        assert timeline.follow(stored) == 0
    assert timeline.reached_ns == pytest.approx(9 * period_s * SECOND_NS)
