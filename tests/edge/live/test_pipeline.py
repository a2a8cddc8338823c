"""The streams of a run and the loop over them, as their course says."""

import msgspec
import pytest

from edge.live.pipeline import Course, Lane, line_up
from edge.live.recognizer import Recognizer
from edge.live.step import Arrival, Step
from edge.wire.messages import Prediction
from tests.edge.made_run import MS, course, recorded


def test_a_course_survives_being_written_down() -> None:
    written = course("lobby", "door")
    assert msgspec.json.decode(msgspec.json.encode(written), type=Course) == written


def test_each_lane_hears_and_sees_what_it_is_to(manifest, numpy_backend) -> None:
    lanes = (Lane("a", True, False), Lane("b", False, True))
    published: list[Prediction] = []
    made = line_up(
        msgspec.structs.replace(course("a", "b"), lanes=lanes), Recognizer(manifest, numpy_backend), published.append
    )
    arrivals = [Arrival(index, event) for index in (0, 1) for event in recorded(500)]
    made.loop.step(Step(500 * MS, 0, 500 * MS, arrivals, [{}, {}]))
    states = {m.stream: (m.audio.state, m.video.state) for m in published if isinstance(m, Prediction)}
    assert states == {"a": ("ok", "off"), "b": ("off", "ok")}
    assert made.predictions == [1, 1]
    made.loop.close()


@pytest.mark.parametrize(("latest_only", "count"), [(True, 1), (False, 4)])
def test_a_course_says_whether_every_window_counts(manifest, numpy_backend, latest_only: bool, count: int) -> None:
    made = line_up(course("a", latest_only=latest_only), Recognizer(manifest, numpy_backend), lambda message: None)
    arrivals = [Arrival(0, event) for event in recorded(2000)]
    made.loop.step(Step(2000 * MS, 0, 500 * MS, arrivals, [{}]))
    assert made.predictions == [count]
