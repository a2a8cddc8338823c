"""A recording that is read more slowly than it plays, and one that lacks something."""

import pytest

from edge.live.inbox import Delivery
from edge.live.recognizer import Recognizer
from edge.wire.messages import Prediction, Status
from tests.edge.made_run import MS, MadeRun, recorded


@pytest.fixture
def run(manifest, numpy_backend) -> MadeRun:
    return MadeRun(Recognizer(manifest, numpy_backend), recorded=True)


def read_slowly(run: MadeRun, media: list) -> None:
    """Each at four times its time, and passes of the loop between them."""
    before_ns = 0
    for item in media:
        for now_ns in range(before_ns, 4 * item.end_ns, 100 * MS):
            run.take(now_ns, [])
        before_ns = 4 * item.end_ns
        run.take(before_ns, [Delivery(0, item)])


def states(run: MadeRun) -> set[tuple[str, str]]:
    return {(status.audio, status.video) for status in run.of_kind(Status)}


def test_what_has_not_been_read_yet_is_not_lost(run: MadeRun) -> None:
    read_slowly(run, recorded(5000))
    run.take(60_000 * MS, [])
    assert states(run) == {("ok", "ok")}
    lacking_ms = [500 * (number + 1) - each.mono_end // MS for number, each in enumerate(run.of_kind(Prediction))]
    assert len(lacking_ms) == 10
    assert all(0 <= each <= 100 for each in lacking_ms)


def test_a_device_that_delivers_so_late_is_lost(manifest, numpy_backend) -> None:
    run = MadeRun(Recognizer(manifest, numpy_backend))
    read_slowly(run, recorded(5000))
    assert ("lost", "lost") in states(run)


@pytest.mark.parametrize(
    ("ends", "expected"), [({"sound_ms": 2000}, ("lost", "ok")), ({"picture_ms": 2000}, ("ok", "lost"))]
)
def test_what_a_recording_does_not_have_is_lost(run: MadeRun, ends: dict[str, int], expected) -> None:
    read_slowly(run, recorded(5000, **ends))
    assert states(run) == {("ok", "ok"), expected}


def test_no_pass_is_due_before_more_has_been_read(run: MadeRun) -> None:
    run.take(300 * MS, [Delivery(0, item) for item in recorded(200)])
    assert run.loop.deadline(300 * MS) == 500 * MS
    assert run.loop.deadline(2000 * MS) == 2200 * MS


def test_while_a_recording_is_awaited_its_status_is_published_every_second(run: MadeRun) -> None:
    run.take(1000 * MS, [Delivery(0, item) for item in recorded(1000)])
    for now_ms in range(1100, 6000, 100):
        run.take(now_ms * MS, [])
    assert [status.mono_publish // MS for status in run.of_kind(Status)] == [1000, 2000, 3000, 4000, 5000]
    assert states(run) == {("ok", "ok")}


def test_what_is_published_late_for_want_of_data_says_so(run: MadeRun) -> None:
    run.take(300 * MS, [Delivery(0, item) for item in recorded(300)])
    run.take(2400 * MS, [Delivery(0, item) for item in recorded(600)[-5:]])
    (prediction,) = run.of_kind(Prediction)
    assert prediction.mono_publish == 2400 * MS
    assert prediction.latency_ms.total == (prediction.mono_publish - prediction.mono_end) / MS
