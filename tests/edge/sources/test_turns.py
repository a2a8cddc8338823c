"""Turns: how many are taken while media are made, between them, at the end and after an error; how long one is."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.preprocess.media import Block, Frame, Media
from edge.sources.media import MediaFile
from edge.sources.turns import MOST_AT_ONCE, in_turn, turns

from .made_media import write


def free_turns() -> int:
    """Return the number of turns that nobody has taken."""
    taken = sum(turns.acquire(blocking=False) for _ in range(MOST_AT_ONCE))
    for _ in range(taken):
        turns.release()
    return taken


def block(end_ms: int) -> Block:
    return Block(np.zeros(320, np.float32), end_ms * 1_000_000)


def frame(end_ms: int) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), end_ms * 1_000_000)


def test_media_are_made_in_a_turn_and_used_outside_it() -> None:
    def media() -> Iterator[Media]:
        for end_ms in range(3):
            assert free_turns() == MOST_AT_ONCE - 1
            yield block(end_ms)
        assert free_turns() == MOST_AT_ONCE - 1

    for _ in in_turn(media()):
        assert free_turns() == MOST_AT_ONCE
    assert free_turns() == MOST_AT_ONCE


@pytest.mark.parametrize(
    ("media", "turns_ms"),
    [
        ([frame(0), frame(200), frame(400), frame(600)], {0: [0], 1: [200, 400], 2: [600]}),
        ([frame(0), block(20), frame(40), block(40), frame(80), block(90)], {0: [0], 1: [20, 40, 40, 80, 90]}),
        (
            [block(20 * k) for k in range(44)],
            {0: [0], 1: [*range(20, 440, 20)], 17: [*range(440, 860, 20)], 38: [860]},
        ),
        ([block(0), block(5000), block(5020), block(9000)], {0: [0], 1: [5000, 5020, 9000]}),
        ([], {}),
    ],
)
def test_a_turn_ends_with_two_frames_or_after_their_time_and_the_next_is_taken_before_its_last_is_due(
    media: list[Media], turns_ms: dict[int, list[int]]
) -> None:
    """Turns by the number of media that had been given before."""
    given: list[Media] = []
    made_ms: dict[int, list[int]] = {}

    def noted() -> Iterator[Media]:
        for item in media:
            made_ms.setdefault(len(given), []).append(item.end_ns // 1_000_000)
            yield item

    for item in in_turn(noted()):
        given.append(item)
    assert (given, made_ms) == (media, turns_ms)


def test_an_error_is_raised_after_what_was_made_before_it_and_gives_the_turn_back() -> None:
    def media() -> Iterator[Media]:
        yield block(0)
        yield block(20)
        raise OSError("read error")

    made = in_turn(media())
    assert [next(made).end_ns, next(made).end_ns] == [0, 20_000_000]
    with pytest.raises(OSError, match="read error"):
        next(made)
    assert free_turns() == MOST_AT_ONCE


def essence(media: Iterator[Media]) -> list[tuple[str, int]]:
    return [(type(item).__name__, item.end_ns) for item in media]


def test_recordings_read_at_once_are_read_as_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", ("mpeg4", "aac"))

    def opened(*, in_real_time: bool) -> MediaFile:
        return MediaFile(path, AudioSpec(16000, 6.0), VideoSpec(5.0, 8, 8, "whole"), in_real_time=in_real_time)

    alone = essence(opened(in_real_time=False).read())
    found: list[list[tuple[str, int]]] = []
    threads = [
        threading.Thread(target=lambda: found.append(essence(opened(in_real_time=True).read()))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 6
    assert len(alone) > 10
