"""Rows made from messages."""

from fractions import Fraction

import pytest
from msgspec.structs import replace

from edge.annotation.rows import RowCollector, frame_at
from tests.edge.made_messages import EVENT, PREDICTION, STATUS

S = 1_000_000_000


def test_a_row_has_the_times_of_the_recording_and_what_the_prediction_says() -> None:
    collector = RowCollector(Fraction(25))
    collector.add(replace(PREDICTION, mono_start=S // 4, mono_end=3 * S // 2))
    (row,) = collector.rows
    assert (row.start_s, row.end_s, row.frame, row.face_id) == (0.25, 1.5, 37, 0)
    assert (row.label, row.confidence, row.probs) == ("glad", 0.75, {"calm": 0.25, "glad": 0.75})
    assert (row.audio, row.speech, row.video, row.faces, row.box, row.frames) == (
        *("silent", None, "ok", 1, (1, 2, 300, 4), 30),
    )


def test_a_steady_state_is_that_of_the_window_that_brought_it_and_those_after_it() -> None:
    collector = RowCollector(None)
    for message in (PREDICTION, replace(EVENT, label="glad"), STATUS, PREDICTION, PREDICTION, EVENT, PREDICTION):
        collector.add(message)
    assert [row.steady_label for row in collector.rows] == ["glad", "glad", "uncertain", "uncertain"]


def test_a_window_without_video_has_no_frame_and_no_face() -> None:
    collector = RowCollector(None)
    collector.add(replace(PREDICTION, video=replace(PREDICTION.video, state="off", box=None)))
    assert (collector.rows[0].frame, collector.rows[0].face_id) == (None, None)


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(60)])
def test_the_frame_is_the_one_shown_even_where_times_are_rounded_to_milliseconds(rate: Fraction) -> None:
    for number in range(0, 100_000, 37):
        exact_ns = int(number / rate * S)
        assert frame_at(round(exact_ns, -6), rate) == number
        assert frame_at(exact_ns + int(S / rate / 2), rate) == number
