"""Turns: how many are taken while an item is made, between items, at the end and after an error."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.preprocess.media import Media
from edge.sources.media import MediaFile
from edge.sources.turns import MOST_AT_ONCE, in_turn, turns

from .made_media import write


def free_turns() -> int:
    """Return the number of turns that nobody has taken."""
    taken = sum(turns.acquire(blocking=False) for _ in range(MOST_AT_ONCE))
    for _ in range(taken):
        turns.release()
    return taken


def test_an_item_is_made_in_a_turn_and_used_outside_it() -> None:
    def items() -> Iterator[int]:
        for _ in range(3):
            yield free_turns()

    for within in in_turn(items()):
        assert (within, free_turns()) == (MOST_AT_ONCE - 1, MOST_AT_ONCE)
    assert free_turns() == MOST_AT_ONCE


def test_an_error_gives_the_turn_back() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("read error")

    made = in_turn(items())
    assert next(made) == 1
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
