"""Two streams, one broken in every way there is, at random moments: the other's messages are what they are alone.

`WAYS` is the list. Each run is drawn from a seed, and goes by steps at fixed times, so that all messages can be
compared but for how long their stages took.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.clock import SECOND_NS
from edge.errors import SourceError, UsageError
from edge.live.inbox import Delivery, Inbox, LoopInput
from edge.live.loop import deliveries_of
from edge.live.recognizer import Recognizer
from edge.preprocess.framing import FramingResult
from edge.preprocess.media import Block, Discontinuity, Frame, Media
from edge.wire.messages import Prediction, Status
from tests.edge.made_run import MS, WALL_NS, MadeRun, recorded

END_MS, STEP_MS = 3000, 50
HEALTHY, BROKEN = "healthy", "broken"
SEEDS = range(6)
ERRORS = (
    SourceError("gone"),
    UsageError("no"),
    IndexError("tuple index out of range"),
    ValueError("bad"),
    OSError(5, "Input/output error"),
    RuntimeError("can't start new thread"),
    AssertionError(),
    ArithmeticError("overflow"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
    NotImplementedError(),
    RecursionError(),
)


@dataclass
class Broken:
    """What a stream delivers, and what its framing does."""

    media: list[Any]
    error: Exception | None = None
    framing: Callable[[Any], Any] | None = None
    name: str = BROKEN
    taken: list[Media] = field(default_factory=list)

    def __iter__(self) -> Iterator[Any]:
        yield from self.media
        if self.error:
            raise self.error


def after(seed: random.Random) -> int:
    return seed.randrange(0, END_MS, 20)


def cut_short(seed: random.Random) -> list[Media]:
    at_ms = after(seed)
    return [item for item in recorded(END_MS) if item.end_ns < at_ms * MS]


def with_(seed: random.Random, make: Callable[[int], Any]) -> Broken:
    """Some of the events, from a random moment on, are what `make` makes of their time."""
    at_ns, share = after(seed) * MS, seed.random()
    return Broken(
        [make(item.end_ns) if item.end_ns >= at_ns and seed.random() < share else item for item in recorded(END_MS)]
    )


def raising(error: Exception) -> Callable[[Any], Any]:
    def frame(_video: Any) -> Any:
        raise error

    return frame


def block(samples: Any, end_ns: int) -> Block:
    return Block(samples, end_ns)


def frame(shape: tuple[int, ...], end_ns: int, dtype: type = np.uint8) -> Frame:
    return Frame(np.full(shape, 99, dtype), end_ns)


def audio(value: float) -> Callable[[int], Block]:
    return lambda end_ns: Block(np.full(20, value, np.float32), end_ns)


def shifted(seed: random.Random, by_ns: Callable[[], int]) -> Broken:
    return with_(seed, lambda end_ns: audio(0.5)(end_ns + by_ns()) if seed.random() < 0.5 else moved(end_ns + by_ns()))


def moved(end_ns: int) -> Frame:
    return frame((8, 8, 3), end_ns)


WAYS: dict[str, Callable[[random.Random], Broken]] = {
    "an error of its driver or decoder": lambda seed: Broken(cut_short(seed), seed.choice(ERRORS)),
    "an error at once": lambda seed: Broken([], seed.choice(ERRORS)),
    "an end before its time": lambda seed: Broken(cut_short(seed)),
    "an end at once": lambda seed: Broken([]),
    "nothing but pictures": lambda seed: Broken(recorded(0, sound_ms=1, picture_ms=END_MS)),
    "an error of its framing": lambda seed: Broken(recorded(END_MS), framing=raising(seed.choice(ERRORS))),
    "crops of another size": lambda seed: Broken(
        recorded(END_MS), framing=lambda _: FramingResult(np.zeros((9, 8, 3), np.uint8), 1, None)
    ),
    "crops of another type": lambda seed: Broken(
        recorded(END_MS),
        framing=lambda _: FramingResult(np.zeros((8, 8, 3)), None, None),  # type: ignore[arg-type]
    ),
    "a framing that gives nothing": lambda seed: Broken(recorded(END_MS), framing=lambda _: None),
    "samples that are not a number": lambda seed: with_(seed, audio(np.nan)),
    "infinite samples": lambda seed: with_(seed, audio(-np.inf)),
    "samples as loud as float32 goes": lambda seed: with_(seed, audio(3e38)),
    "empty blocks": lambda seed: with_(seed, lambda end_ns: block(np.zeros(0, np.float32), end_ns)),
    "blocks longer than any window": lambda seed: with_(seed, lambda end_ns: block(np.ones(9999, np.float32), end_ns)),
    "blocks of doubles": lambda seed: with_(seed, lambda end_ns: block(np.zeros(20), end_ns)),
    "stereo blocks": lambda seed: with_(seed, lambda end_ns: block(np.zeros((20, 2), np.float32), end_ns)),
    "blocks of bytes": lambda seed: with_(seed, lambda end_ns: block(b"\0" * 80, end_ns)),
    "pictures of 0 x 0": lambda seed: with_(seed, lambda end_ns: frame((0, 0, 3), end_ns)),
    "pictures of one pixel": lambda seed: with_(seed, lambda end_ns: frame((1, 1, 3), end_ns)),
    "pictures as long as a hair": lambda seed: with_(seed, lambda end_ns: frame((1, 16_000, 3), end_ns)),
    "pictures too large": lambda seed: with_(seed, lambda end_ns: frame((1, 70_000, 3), end_ns)),
    "grey pictures": lambda seed: with_(seed, lambda end_ns: frame((8, 8), end_ns)),
    "pictures with alpha": lambda seed: with_(seed, lambda end_ns: frame((8, 8, 4), end_ns)),
    "pictures of floats": lambda seed: with_(seed, lambda end_ns: frame((8, 8, 3), end_ns, np.float32)),
    "no picture": lambda seed: with_(seed, lambda end_ns: Frame(None, end_ns)),  # type: ignore[arg-type]
    "things that are no events": lambda seed: with_(seed, lambda end_ns: seed.choice([None, 0, "frame", object()])),
    "times that go back": lambda seed: shifted(seed, lambda: -seed.randrange(END_MS) * MS),
    "times far ahead": lambda seed: shifted(seed, lambda: seed.randrange(10**6) * SECOND_NS),
    "times that are all the same": lambda seed: with_(seed, lambda end_ns: audio(0.5)(0)),
    "times beyond 64 bits": lambda seed: with_(seed, lambda end_ns: moved(1 << 70)),
    "times that are no integers": lambda seed: with_(seed, lambda end_ns: moved(None)),  # type: ignore[arg-type]
    "one discontinuity after another": lambda seed: with_(seed, Discontinuity),
    "discontinuities far ahead": lambda seed: with_(seed, lambda end_ns: Discontinuity(end_ns + 10**6 * SECOND_NS)),
}


def by_step(broken: Broken) -> Iterator[list[Delivery]]:
    """What has come of it by each step: as it would through an inbox, by the times that it was to be delivered."""
    inbox, healthy_times = Inbox([1]), iter(item.end_ns for item in recorded(END_MS))
    arriving = (delivery for _, delivery in deliveries_of(0, _AsRecording(broken)))
    now_ns = due_ns = 0
    for _ in range(END_MS // STEP_MS + 2):
        now_ns += STEP_MS * MS
        while due_ns <= now_ns and (delivery := next(arriving, None)) is not None:
            if delivery.media is None:
                inbox.end(0, delivery.error)
            else:
                inbox.put(0, delivery.media)
            due_ns = next(healthy_times, due_ns + STEP_MS * MS)
        yield inbox.take(0)


class _AsRecording:
    def __init__(self, broken: Broken) -> None:
        self.name, self._broken = broken.name, broken

    def read(self) -> Iterator[Media]:
        return iter(self._broken)


def play(recognizer: Recognizer, streams: dict[str, Broken], *, latest_only: bool) -> MadeRun:
    made = MadeRun(recognizer, tuple(streams), latest_only=latest_only)
    for member, broken in zip(made.loop._runners, streams.values(), strict=True):
        if broken.framing:
            member._stream._framing = broken.framing
    arriving = [by_step(broken) for broken in streams.values()]
    for number, deliveries in enumerate(zip(*arriving, strict=True), 1):
        mine = [Delivery(index, each.media, each.error) for index, some in enumerate(deliveries) for each in some]
        made.loop.run_once(LoopInput(number * STEP_MS * MS, WALL_NS, 500 * MS, mine, [{} for _ in streams]))
    made.loop.close()
    return made


def of_stream(made: MadeRun, name: str) -> list[dict[str, Any]]:
    """Its messages, but for how long their stages took."""
    messages = [msgspec.to_builtins(message) for message in made.published if message.stream == name]
    return [message | {"latency_ms": message.get("latency_ms", {}).get("total")} for message in messages]


@pytest.fixture(params=[False, True], ids=["all windows", "latest window"])
def latest_only(request) -> bool:
    return bool(request.param)


@pytest.fixture
def alone(manifest, numpy_backend, latest_only: bool) -> list[dict[str, Any]]:
    made = play(Recognizer(manifest, numpy_backend), {HEALTHY: Broken(recorded(END_MS))}, latest_only=latest_only)
    return of_stream(made, HEALTHY)


@pytest.mark.filterwarnings("ignore:overflow encountered in reduce:RuntimeWarning")  # of the backend in numpy
@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce:RuntimeWarning")
@pytest.mark.parametrize("way", WAYS)
def test_whatever_breaks_one_stream_the_other_is_as_if_alone(manifest, numpy_backend, alone, latest_only, way) -> None:
    assert sum(message["type"] == "prediction" for message in alone) == 6
    for number in SEEDS:
        seed = random.Random(f"{way} {number}")
        order = seed.sample([HEALTHY, BROKEN], 2)
        streams = {name: Broken(recorded(END_MS)) if name == HEALTHY else WAYS[way](seed) for name in order}
        made = play(Recognizer(manifest, numpy_backend), streams, latest_only=latest_only)
        assert of_stream(made, HEALTHY) == alone
        assert_sound(made, BROKEN)


def assert_sound(made: MadeRun, name: str) -> None:
    """It ends once with `stopped`, and nothing that it published is false."""
    messages = [message for message in made.published if message.stream == name]
    assert [message.state for message in messages if isinstance(message, Status)].count("stopped") == 1
    assert messages[-1].state == "stopped"
    for message in messages:
        assert b"null" not in msgspec.json.encode(message.probs) if isinstance(message, Prediction) else True


def spoil(backend: Any, graph: str, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a row of a graph's inputs holds the mark, of either sign, its output is NaN."""
    real = getattr(backend, graph)

    def spoilt(inputs: dict[str, Any]) -> dict[str, Any]:
        found = real(inputs)
        rows = [value.astype(np.float64).reshape(len(value), -1) for value in inputs.values() if value.ndim > 1]
        marked = np.any([(np.abs(np.abs(row) - MARK) < 1).any(axis=1) for row in rows], axis=0)
        found[output] = np.array(found[output], np.float32)
        found[output][marked] = np.nan
        return dict(found)

    monkeypatch.setattr(backend, graph, spoilt)


MARK = 77


@pytest.mark.parametrize(
    ("graph", "output"),
    [
        ("image_encoder", "embedding"),
        ("audio_encoder", "tokens"),
        ("fusion", "logits"),
        ("fusion", "audio_embedding"),
        ("fusion", "video_embedding"),
    ],
)
def test_what_is_not_finite_in_one_stream_is_dropped_and_touches_no_other(
    manifest, numpy_backend, alone, latest_only, monkeypatch, caplog, graph: str, output: str
) -> None:
    spoil(numpy_backend, graph, output, monkeypatch)
    media: list[Media] = [Block(np.tile(np.float32([MARK, -MARK]), 10), at * MS) for at in range(20, END_MS + 1, 20)]
    media += [Frame(np.full((8, 8, 3), MARK, np.uint8), at * MS) for at in range(0, END_MS, 200)]
    marked = Broken(sorted(media, key=lambda item: item.end_ns))
    streams = {BROKEN: marked, HEALTHY: Broken(recorded(END_MS))}
    made = play(Recognizer(manifest, numpy_backend), streams, latest_only=latest_only)
    assert of_stream(made, HEALTHY) == alone
    reason = "frames_not_finite" if graph == "image_encoder" else "windows_not_finite"
    count = [message for message in made.of_kind(Status) if message.stream == BROKEN][-1].dropped[reason]
    assert count == (15 if graph == "image_encoder" else 6)
    assert [reason in record.getMessage() for record in caplog.records] == [True]
    assert all(np.isfinite(message.probs).all() for message in made.of_kind(Prediction))
