"""Recordings that play again and again: their times go on, and no pass is joined with the next."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.errors import SourceError
from edge.preprocess.media import Block, Discontinuity, Frame, Media
from edge.sources.caption import Caption
from edge.sources.demo import DURATION_S, Demo
from edge.sources.looped import Looped, looped_captions
from edge.sources.media import MediaFile

MS = 1_000_000
AUDIO, VIDEO = AudioSpec(16000, 6.0), VideoSpec(5.0, 48, 48, "face")


def block(end_ms: int) -> Block:
    return Block(np.full(4, end_ms, np.float32), end_ms * MS)


def frame(end_ms: int) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), end_ms * MS)


class Clip:
    """Each pass plays the next of these."""

    name = "clip"

    def __init__(self, *passes: list[Media]) -> None:
        self._passes = list(passes)

    def read(self):
        return iter(self._passes.pop(0) if len(self._passes) > 1 else self._passes[0])


def times_ms(looped: Looped, count: int) -> list[tuple[str, int]]:
    return [(type(item).__name__, item.end_ns // MS) for item in islice(looped.read(), count)]


def test_the_times_go_on_and_each_pass_is_a_new_time_line() -> None:
    looped = Looped(Clip([frame(0), block(20), block(300)]), 5.0)
    assert looped.name == "clip"
    assert times_ms(looped, 10) == [
        *[("Frame", 0), ("Block", 20), ("Block", 300), ("Discontinuity", 300)],
        *[("Frame", 300), ("Block", 320), ("Block", 600), ("Discontinuity", 600)],
        *[("Frame", 600), ("Block", 620)],
    ]


def test_the_last_frame_is_shown_as_long_as_the_others() -> None:
    assert times_ms(Looped(Clip([frame(0), frame(200)]), 5.0), 4)[2:] == [("Discontinuity", 400), ("Frame", 400)]


def test_jumps_of_a_clips_own_clock_go_on_too() -> None:
    clip = Clip([block(20), Discontinuity(20 * MS), block(40)])
    assert times_ms(Looped(clip, 5.0), 6)[3:] == [("Discontinuity", 40), ("Block", 60), ("Discontinuity", 60)]


def test_a_pass_without_media_is_an_error_and_not_an_endless_loop() -> None:
    with pytest.raises(SourceError, match="clip has nothing to play again"):
        list(Looped(Clip([block(20)], []), 5.0).read())


def test_the_demo_repeats_itself_exactly() -> None:
    once = list(Demo(AUDIO, VIDEO).read())
    twice = list(islice(Looped(Demo(AUDIO, VIDEO), VIDEO.rate_hz).read(), 2 * len(once) + 1))
    seam = twice.pop(len(once))
    assert seam == Discontinuity(round(DURATION_S * 1000) * MS)
    for first, again in zip(once, twice[len(once) :], strict=True):
        assert again.end_ns == first.end_ns + seam.end_ns
        assert type(again) is type(first)


def test_a_file_is_opened_anew_for_each_pass(make_clip, tone, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", np.zeros((10, 48, 64, 3), np.uint8), tone(1.0))
    once = list(MediaFile(path, AUDIO, VIDEO).read())
    looped = list(islice(Looped(MediaFile(path, AUDIO, VIDEO), VIDEO.rate_hz).read(), 3 * len(once) + 3))
    seams = [item.end_ns // MS for item in looped if isinstance(item, Discontinuity)]
    assert seams == [1000, 2000, 3000]
    blocks = [item for item in looped if isinstance(item, Block)]
    np.testing.assert_array_equal(blocks[0].samples, blocks[len(blocks) // 3].samples)


def test_captions_come_again_with_each_pass() -> None:
    captions = looped_captions([Caption(0, "a"), Caption(500 * MS, "b")], 1.5)
    assert [(caption.time_ns // MS, caption.text) for caption in islice(captions, 5)] == [
        *[(0, "a"), (500, "b"), (1500, "a"), (2000, "b"), (3000, "a")]
    ]
