"""A person who goes from one emotion to another at known times, and how well the labels follow."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from msgspec.structs import replace

from edge.clock import SECOND_NS
from edge.live.loop import run_fast
from edge.live.pipeline import RunSpec, StreamSpec, build_pipeline
from edge.live.recognizer import Recognizer
from edge.live.steady_state_config import SteadyStateConfig
from edge.preprocess.media import Block, Media
from edge.wire.messages import Message, Prediction, SteadyState

HOP_NS = SECOND_NS // 2
MINUTE_S = 60


@dataclass(frozen=True)
class Turn:
    """One emotion for a while."""

    label: str
    pieces: tuple[tuple[Media, ...], ...]
    """What is heard and seen, one after the other, each from time 0 on."""


class Conversation:
    """A recording of turns."""

    name = "conversation"

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.turns = turns

    def read(self) -> Iterator[Media]:
        """Each piece is as long as its sound; what is seen after that is left out."""
        begin_ns = 0
        for turn in self.turns:
            for piece in turn.pieces:
                length_ns = end_of(piece)
                yield from (replace(item, end_ns=begin_ns + item.end_ns) for item in piece if item.end_ns <= length_ns)
                begin_ns += length_ns

    def ends_ns(self) -> list[int]:
        """Of the turns."""
        return np.cumsum([sum(map(end_of, turn.pieces)) for turn in self.turns]).tolist()


def end_of(piece: Sequence[Media]) -> int:
    return max(item.end_ns for item in piece if isinstance(item, Block))


@dataclass(frozen=True)
class Following:
    """Labels over time, beside the true ones."""

    times_ns: list[int]
    labels: list[str]
    turns: list[tuple[int, int, str]]
    """Begin, end, label."""

    @property
    def changes(self) -> int:
        """How often the label is another than before."""
        return sum(before != after for before, after in pairwise(self.labels))

    @property
    def right(self) -> int:
        """At how many times the label is the true one."""
        return sum(
            begin_ns < time_ns <= end_ns and label == true
            for time_ns, label in zip(self.times_ns, self.labels, strict=True)
            for begin_ns, end_ns, true in self.turns
        )

    @property
    def delays_s(self) -> list[float]:
        """From the begin of each turn but the first to when its label is there; none where it never is."""
        firsts = [
            next(
                (t for t, label in zip(self.times_ns, self.labels, strict=True) if begin < t <= end and label == true),
                None,
            )
            for begin, end, true in self.turns
        ]
        delays = zip(firsts[1:], self.turns[1:], strict=True)
        return [(first - begin) / SECOND_NS for first, (begin, _, _) in delays if first is not None]


def follow(conversation: Conversation, recognizer: Recognizer, *, image: bool) -> tuple[Following, Following]:
    """Each prediction's label, and the steady state at the same times, by the runtime's own way through a recording."""
    run_spec = RunSpec("0" * 32, (StreamSpec("main", True, image),), "face", 0, HOP_NS, False, SteadyStateConfig())
    published: list[Message] = []
    loop = build_pipeline(run_spec, recognizer, published.append).loop
    run_fast(loop, [conversation], HOP_NS, threading.Event(), lambda _step: None)
    times_ns, raw, steady = [], [], ["none yet"]
    for message in published:
        if isinstance(message, Prediction):
            times_ns.append(message.mono_end)
            raw.append(message.label)
            steady.append(steady[-1])
        elif isinstance(message, SteadyState):
            steady[-1] = message.label
    ends_ns = conversation.ends_ns()
    labels = [turn.label for turn in conversation.turns]
    turns = list(zip([0, *ends_ns], ends_ns, labels, strict=False))
    return Following(times_ns, raw, turns), Following(times_ns, steady[1:], turns)


def figures(name: str, followings: Sequence[Following]) -> str:
    """One line over several conversations."""
    minutes = sum(following.times_ns[-1] - following.times_ns[0] for following in followings) / SECOND_NS / MINUTE_S
    changes = sum(following.changes for following in followings)
    true = sum(len(following.turns) - 1 for following in followings)
    right = sum(following.right for following in followings) / sum(len(following.labels) for following in followings)
    delays_s = [delay_s for following in followings for delay_s in following.delays_s]
    return (
        f"{name}: {changes / minutes:.1f} changes a minute ({true / minutes:.1f} true), right {right:.0%} of the time, "
        f"{len(delays_s)} of {true} new emotions found, after {np.median(delays_s):.1f} s (median)"
    )
