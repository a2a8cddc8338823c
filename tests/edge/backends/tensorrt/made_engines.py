"""What follows a build, made for tests: it keeps what it is told."""

import contextlib
from dataclasses import dataclass, field

from edge.backends.tensorrt.builder import EngineBuilder


@dataclass
class Followed:
    """An observer that lets a build go on for `patience` steps."""

    patience: int = 1_000_000
    events: list[tuple[str, str, object]] = field(default_factory=list)

    def begin(self, phase: str, parent: str | None, steps: int) -> None:
        self.events.append(("begin", phase, (parent, steps)))

    def step(self, phase: str, done: int) -> bool:
        self.events.append(("step", phase, done))
        self.patience -= 1
        return self.patience > 0

    def end(self, phase: str) -> None:
        self.events.append(("end", phase, None))


def engine_builder(told: list[str], patience: int = 1_000_000) -> EngineBuilder:
    return EngineBuilder(lambda title: contextlib.nullcontext(Followed(patience)), told.append, bool)


def built(told: list[str]) -> list[str]:
    """The graphs that were built, by what the builder told."""
    return [line.split()[1] for line in told if line.startswith("building ")]
