"""Rows made from messages."""

from fractions import Fraction

import pytest
from msgspec.structs import replace

from edge.annotation.rows import RowCollector, by_person, frame_at
from tests.edge.annotation.made_rows import ROW, UNSEEN
from tests.edge.made_messages import EVENT, OF_PEOPLE, PERSON, PREDICTION, STATUS

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


def test_each_of_several_people_has_a_row_in_place_of_that_of_the_main_one() -> None:
    collector = RowCollector(None, by_person=True)
    nobody = replace(PREDICTION, video=replace(PREDICTION.video, box=None))
    hidden = replace(PERSON, person=1, steady="glad", video=replace(PERSON.video, box=None))
    for message in (nobody, OF_PEOPLE["prediction"], PERSON, hidden, replace(EVENT, label="calm"), nobody):
        collector.add(message)
    assert [(row.face_id, row.steady_label) for row in collector.rows] == [
        (None, "uncertain"),
        (2, "uncertain"),
        (1, "glad"),
        (None, "calm"),
    ], "the event is of a window in which the stream has no row of its own"
    assert [row.box is None for row in collector.rows] == [True, False, True, True]


def test_a_stream_has_a_row_a_window_unless_rows_of_people_are_asked_for() -> None:
    collector = RowCollector(None)
    for message in (OF_PEOPLE["prediction"], EVENT):
        collector.add(message)
    assert [(row.face_id, row.steady_label) for row in collector.rows] == [(0, "uncertain")]


def test_rows_are_parted_by_person_with_those_of_nobody_first() -> None:
    second, eleventh = replace(ROW, face_id=2), replace(ROW, face_id=11)
    parted = by_person([eleventh, second, UNSEEN, second, ROW])
    assert list(parted.items()) == [(None, [UNSEEN, ROW]), (2, [second, second]), (11, [eleventh])]
    assert by_person([]) == {}


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(60)])
def test_the_frame_is_the_one_shown_even_where_times_are_rounded_to_milliseconds(rate: Fraction) -> None:
    for number in range(0, 100_000, 37):
        exact_ns = int(number / rate * S)
        assert frame_at(round(exact_ns, -6), rate) == number
        assert frame_at(exact_ns + int(S / rate / 2), rate) == number
