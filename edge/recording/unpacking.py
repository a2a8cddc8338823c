"""Inputs of the loop from their steps and pictures, bit by bit what they were."""

import msgspec

from ..live.inbox import Delivery, LoopInput
from ..preprocess.media import Block, Discontinuity, Frame, Media
from ..validation import UNREADABLE, explain
from .foxglove import CompressedImage, to_pixels
from .records import Step, StepDelivery, to_samples

MOST_WAITING = 1 << 30
"""Largest size of the pictures that wait for their step, in bytes."""


class Pictures:
    """Pictures that wait for their step, by channel and number."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int], bytes] = {}
        self._bytes = 0

    def add(self, topic: str, sequence: int, body: bytes) -> None:
        """Keep a picture, encoded; ValueError where more of them wait than any step has."""
        self._waiting[topic, sequence] = body
        self._bytes += len(body)
        if self._bytes > MOST_WAITING:
            raise ValueError(f"it is the last of {self._bytes} bytes of frames that belong to no step")

    def take(self, topic: str, sequence: int) -> CompressedImage:
        """Return a picture, which is kept no longer; ValueError where it is missing or is none."""
        body = self._waiting.pop((topic, sequence), None)
        if body is None:
            raise ValueError(f"its frame {sequence} of {topic} is missing")
        self._bytes -= len(body)
        try:
            return msgspec.json.decode(body, type=CompressedImage)
        except UNREADABLE as error:
            problem = explain(error, body, CompressedImage)
            raise ValueError(f"its frame {sequence} of {topic} cannot be decoded ({problem})") from error


def to_input(step: Step, names: list[str], pictures: Pictures) -> LoopInput:
    """Return the recorded input of streams of these names; ValueError where the step cannot be theirs."""
    if len(step.dropped) != len(names) or any(delivery.stream >= len(names) for delivery in step.deliveries):
        raise ValueError(f"it is not a step of {len(names)} streams, as the session has")
    deliveries = [Delivery(each.stream, to_media(each, names[each.stream], pictures)) for each in step.deliveries]
    return LoopInput(step.now_ns, step.unix_ahead_ns, step.hop_ns, deliveries, step.dropped)


def to_media(delivery: StepDelivery, name: str, pictures: Pictures) -> Media | None:
    """Return what was delivered to the stream `name`; None for its end."""
    if delivery.kind == "block":
        return Block(to_samples(delivery.samples), delivery.end_ns)
    if delivery.kind == "frame":
        return Frame(to_pixels(pictures.take(f"video.{name}.", delivery.sequence).data), delivery.end_ns)
    return Discontinuity(delivery.end_ns) if delivery.kind == "discontinuity" else None
