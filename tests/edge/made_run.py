"""A run of tiny streams: recorded events, the loop over them, and what it published."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge.live.inbox import Delivery, LoopInput
from edge.live.pipeline import RunSpec, StreamSpec, build_pipeline
from edge.live.recognizer import Recognizer
from edge.live.steady_state_config import SteadyStateConfig
from edge.preprocess.media import Block, Frame, Media
from edge.wire.messages import Message

MS = 1_000_000
WALL_NS = 10**15
GREY = 99


def recorded(end_ms: int, *, sound_ms: int | None = None, picture_ms: int | None = None) -> list[Media]:
    """Sound and picture from 0 on, each to its own end where one is given."""
    blocks = [Block(np.tile(np.float32([0.5, -0.5]), 10), at * MS) for at in range(20, (sound_ms or end_ms) + 1, 20)]
    frames = [Frame(np.full((8, 8, 3), GREY, np.uint8), at * MS) for at in range(0, picture_ms or end_ms, 200)]
    return sorted([*blocks, *frames], key=lambda item: item.end_ns)


class Script:
    """A recording of events that are there, and perhaps an error."""

    name = "script"

    def __init__(self, media: list[Media], error: Exception | None = None) -> None:
        self._media, self._error = media, error

    def read(self) -> Iterator[Media]:
        yield from self._media
        if self._error:
            raise self._error


def run_spec(*names: str, latest_only: bool = True, recorded: bool = False) -> RunSpec:
    stream_specs = tuple(StreamSpec(name, True, True, recorded=recorded) for name in names)
    return RunSpec("0" * 32, stream_specs, "whole", 0, 500 * MS, latest_only, SteadyStateConfig())


@dataclass
class MadeRun:
    """A loop over streams of these names; `step` feeds it."""

    recognizer: Recognizer
    names: tuple[str, ...] = ("cam1",)
    latest_only: bool = True
    published: list[Any] = field(default_factory=list)
    hop_ms: int = 500
    recorded: bool = False

    def __post_init__(self) -> None:
        made = build_pipeline(
            run_spec(*self.names, latest_only=self.latest_only, recorded=self.recorded),
            self.recognizer,
            self.published.append,
        )
        self.loop, self.streams, self.failures = made.loop, made.streams, made.failures
        self.reporters = [stream.reporter for stream in made.streams]

    def step(self, now_ms: int, *streams: list[Media], dropped: list[dict[str, int]] | None = None) -> None:
        """All events of each stream at once, judged as of `now_ms`."""
        deliveries = [Delivery(index, item) for index, media in enumerate(streams) for item in media]
        self.take(now_ms * MS, deliveries, dropped)

    def take(self, now_ns: int, deliveries: list[Delivery], dropped: list[dict[str, int]] | None = None) -> None:
        self.loop.run_once(
            LoopInput(now_ns, WALL_NS, self.hop_ms * MS, deliveries, dropped or [{} for _ in self.names])
        )

    def play(self, media: list[Media]) -> None:
        """One stream's events, a step each."""
        for item in media:
            self.take(item.end_ns, [Delivery(0, item)])

    def of_kind(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.published if isinstance(message, kind)]
