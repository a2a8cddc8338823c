"""A step finds its pictures by their numbers, whatever stands between; what does not fit is refused."""

import msgspec
import pytest

from edge.live.inbox import Delivery, LoopInput
from edge.preprocess.media import Discontinuity
from edge.recording import unpacking as module
from edge.recording.foxglove import to_image
from edge.recording.records import Step, StepDelivery
from edge.recording.unpacking import Pictures, to_input
from tests.edge.recording.made_recordings import assert_same, noise

TOPIC = "video.cam1."


def step(*deliveries: StepDelivery, streams: int = 1) -> Step:
    return Step(1, 2, 10**6, list(deliveries), [{}] * streams)


def picture(seed: int) -> bytes:
    return msgspec.json.encode(to_image(noise(seed), 0, "cam1"))


def test_pictures_are_found_by_their_numbers_in_any_order() -> None:
    pictures = Pictures()
    for number in (1, 2, 0):
        pictures.add(TOPIC, number, picture(number))
    for number in (0, 2, 1):
        delivered = StepDelivery(0, "frame", noise(number).end_ns, sequence=number)
        expected = LoopInput(1, 2, 10**6, [Delivery(0, noise(number))], [{}])
        assert_same(to_input(step(delivered), ["cam1"], pictures), expected)


def test_what_is_no_media_comes_back() -> None:
    taken = to_input(step(StepDelivery(0, "discontinuity", 123), StepDelivery(0, "end")), ["cam1"], Pictures())
    assert [delivery.media for delivery in taken.deliveries] == [Discontinuity(123), None]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (step(streams=2), "it is not a step of 1 streams"),
        (step(StepDelivery(1, "end")), "it is not a step of 1 streams"),
        (step(StepDelivery(0, "frame", sequence=4)), r"its frame 4 of video\.cam1\. is missing"),
        (step(StepDelivery(0, "frame", sequence=5)), r"its frame 5 of video\.cam1\. cannot be decoded \(it lacks"),
        (step(StepDelivery(0, "frame", sequence=6)), "no PNG of at most"),
        (step(StepDelivery(0, "frame"), StepDelivery(0, "frame")), r"its frame 0 of video\.cam1\. is missing"),
        (step(StepDelivery(0, "block", samples=b"12345")), "must be a multiple"),
    ],
)
def test_what_cannot_be_is_refused(wrong: Step, problem: str) -> None:
    pictures = Pictures()
    pictures.add(TOPIC, 0, picture(0))
    pictures.add(TOPIC, 5, b"{}")
    pictures.add(TOPIC, 6, msgspec.json.encode(msgspec.structs.replace(to_image(noise(0), 0, ""), data=b"x")))
    with pytest.raises(ValueError, match=problem):
        to_input(wrong, ["cam1"], pictures)


def test_pictures_without_steps_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 100)
    pictures = Pictures()
    pictures.add(TOPIC, 0, bytes(60))
    with pytest.raises(ValueError, match="the last of 120 bytes of frames that belong to no step"):
        pictures.add(TOPIC, 1, bytes(60))
