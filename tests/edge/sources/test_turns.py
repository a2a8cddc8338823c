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
        ([frame(0), frame(200), frame(400)], [[0, 200], [400]]),
        ([frame(0), block(20), block(40), frame(40), block(60)], [[0, 20, 40, 40], [60]]),
        ([block(20 * k) for k in range(44)], [[*range(0, 420, 20)], [*range(420, 840, 20)], [840, 860]]),
        ([block(0), block(5000), block(5020)], [[0, 5000], [5020]]),
        ([], []),
    ],
)
def test_a_turn_ends_with_its_second_frame_or_after_the_distance_of_three(
    media: list[Media], turns_ms: list[list[int]]
) -> None:
    asked: list[int] = []

    def noted() -> Iterator[Media]:
        for item in media:
            asked.append(item.end_ns)
            yield item

    found: list[list[int]] = []
    for item in in_turn(noted()):
        if asked:
            found.append([])
            asked.clear()
        found[-1].append(item.end_ns // 1_000_000)
    assert found == turns_ms


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
