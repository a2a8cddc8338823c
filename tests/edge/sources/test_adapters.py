"""Audio offset and real-time playback: times, order, and the media held back."""

import heapq
import math
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.preprocess.media import Block, Discontinuity, Frame
from edge.preprocess.windowing import Due
from edge.sources.adapters import MAX_LATE_NS, Paced, Shifted, ShiftedRecording, joined
from edge.sources.demo import Demo

MS = 1_000_000
RATE_HZ = 200
"""Rate of `block`."""


def block(end_ms: int) -> Block:
    """Return a block of 20 ms."""
    return Block(np.full(4, end_ms, np.float32), end_ms * MS)


def frame(end_ms: int) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), end_ms * MS)


def times_ms(media) -> list[tuple[str, int]]:
    return [(type(item).__name__, item.end_ns // MS) for item in media]


def test_a_live_source_is_passed_on_with_its_blocks_moved(scripted_source) -> None:
    source = scripted_source([block(1000), frame(1010), block(1020)])
    shifted = Shifted(source, -120 * MS)
    shifted.open()
    media = list(shifted.read())
    shifted.close()
    assert times_ms(media) == [("Block", 880), ("Frame", 1010), ("Block", 900)]
    assert media[0].samples[0] == 1000
    assert (shifted.name, source.opened, source.closed) == ("scripted source", 1, 1)


@pytest.mark.parametrize("offset_ms", [80, -120])
def test_a_live_block_does_not_wait_for_the_next(offset_ms: int) -> None:
    def endless():
        yield block(1000)
        raise AssertionError("nobody asked for more")

    shifted = Shifted(SimpleNamespace(name="microphone", read=endless), offset_ms * MS)
    assert next(shifted.read()).end_ns == (1000 + offset_ms) * MS


@pytest.mark.parametrize("offset_ms", [0, 7, 80, 3000, -7, -120, -3000])
def test_a_recordings_media_stay_in_order(offset_ms: int) -> None:
    demo = Demo(AudioSpec(16000, 6.0), VideoSpec(5.0, 8, 8, "whole"))
    shifted = list(ShiftedRecording(demo, offset_ms * MS).read())
    blocks = [replace(item, end_ns=item.end_ns + offset_ms * MS) for item in demo.read() if isinstance(item, Block)]
    frames = [item for item in demo.read() if isinstance(item, Frame)]
    kept = [item for item in blocks if item.end_ns >= 0]
    assert times_ms(shifted) == times_ms(heapq.merge(kept, frames, key=lambda item: item.end_ns))
    heard = [item for item in shifted if isinstance(item, Block)]
    assert all((a.samples == b.samples).all() for a, b in zip(heard, kept, strict=True))


@pytest.mark.parametrize("offset_ms", [200, -200])
def test_no_more_of_a_recording_waits_than_the_offset(offset_ms: int) -> None:
    asked_ms = 0

    def read():
        nonlocal asked_ms
        for asked_ms in range(0, 10000, 20):
            yield block(asked_ms)
            yield frame(asked_ms)

    for item in ShiftedRecording(SimpleNamespace(name="recording", read=read), offset_ms * MS).read():
        if asked_ms < 9980:
            assert asked_ms - item.end_ns // MS <= 220
    assert item.end_ns // MS == max(9980, 9980 + offset_ms)


BLOCK, FRAME = Block(np.ones(3, np.float32), 20), Frame(np.zeros((1, 1, 3), np.uint8), 500)


class Recorded:
    name = "two events"

    def read(self):
        return iter([BLOCK, FRAME])


def test_each_item_comes_at_its_own_time(clock) -> None:
    arrived = []
    for item in Paced(Recorded(), clock, lambda: 1_000_000, threading.Event(), RATE_HZ).read():
        arrived.append((type(item), item.end_ns, clock.now_ns()))
    assert arrived == [(Block, 1_000_020, 1_000_020), (Frame, 1_000_500, 1_000_500)]
    assert clock.waited == [1_000_020, 1_000_500]


def test_a_recording_that_begins_to_come_late_is_played_from_then_on(clock) -> None:
    class Late(Recorded):
        def read(self):
            clock.time_ns += 5_000_000_000  # that long a server took to answer
            return super().read()

    begun_ns = clock.now_ns()
    start, *media = Paced(Late(), clock, lambda: begun_ns, threading.Event(), RATE_HZ).read()
    assert start == Discontinuity(begun_ns + 5_000_000_000)
    assert [item.end_ns for item in media] == [begun_ns + 5_000_000_020, begun_ns + 5_000_000_500]


@pytest.mark.parametrize(("late_ms", "begin_ms"), [(0, 0), (1, 20), (200, 200), (230, 240)])
def test_one_that_comes_late_begins_where_blocks_lie(clock, late_ms: int, begin_ms: int) -> None:
    class Late(Recorded):
        def read(self):
            clock.time_ns += late_ms * MS
            yield from (frame(0), frame(200))

    begun_ns = clock.now_ns()
    media = list(Paced(Late(), clock, lambda: begun_ns, threading.Event(), RATE_HZ).read())
    starts = [item for item in media if isinstance(item, Discontinuity)]
    assert starts == [Discontinuity(begun_ns + begin_ms * MS)] * (late_ms > 0)
    times = [item.end_ns - begun_ns for item in media if isinstance(item, Frame)]
    assert times == [begin_ms * MS, (begin_ms + 200) * MS]


def test_nothing_is_played_where_the_begin_never_comes(clock) -> None:
    assert list(Paced(Recorded(), clock, lambda: None, threading.Event(), RATE_HZ).read()) == []


def test_where_reading_falls_behind_playback_pauses_and_says_so(clock, caplog) -> None:
    late_by_ns = {2: MAX_LATE_NS, 4: 2 * MAX_LATE_NS, 6: 3 * MAX_LATE_NS}
    """What reading each frame takes; the first delay is caught up with in part, and is no pause."""

    class Slow(Recorded):
        def read(self):
            for number in range(8):
                clock.time_ns += late_by_ns.get(number, 0)
                yield frame(200 * number)

    media = list(Paced(Slow(), clock, lambda: 0, threading.Event(), RATE_HZ).read())
    pauses = [3 * MAX_LATE_NS - 600 * MS, 3 * MAX_LATE_NS - 200 * MS]
    times = [item.end_ns for item in media if isinstance(item, Frame)]
    starts = [item.end_ns for item in media if isinstance(item, Discontinuity)]
    assert times == [200 * number * MS + sum(pauses[: (number >= 4) + (number >= 6)]) for number in range(8)]
    assert starts == [times[4], times[6]]
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "two events pauses",
        f"two events has paused 2 times, for {sum(pauses) / 1e9:.1f} s in all",
    ]


def test_of_one_pause_it_says_once(clock, caplog) -> None:
    class Slow(Recorded):
        def read(self):
            yield frame(0)
            clock.time_ns += 2 * MAX_LATE_NS
            yield frame(200)

    list(Paced(Slow(), clock, lambda: 0, threading.Event(), RATE_HZ).read())
    assert "has paused once, for 3.8 s in all" in caplog.messages[-1]


def test_what_nobody_waits_for_comes_with_what_is_waited_for(clock) -> None:
    class Talk(Recorded):
        def read(self):
            yield from (block(20 * number) for number in range(1, 6))
            yield frame(110)
            yield from (block(20 * number) for number in range(6, 11))
            yield frame(210)
            yield from (block(20 * number) for number in range(11, 31))

    begun_ns = clock.now_ns()
    due = Due(begun_ns + 300 * MS, begun_ns + 210 * MS)
    arrived = [
        (type(item).__name__, (item.end_ns - begun_ns) // MS, (clock.now_ns() - begun_ns) // MS)
        for item in Paced(Talk(), clock, lambda: begun_ns, threading.Event(), RATE_HZ, lambda: due).read()
    ]
    with_the_frame = [("Block", 100, 210), ("Frame", 110, 210), ("Block", 200, 210), ("Frame", 210, 210)]
    with_the_wanted = [("Block", 300, 300)]
    wanted = [("Block", 20 * number, 20 * number) for number in range(16, 31)]
    assert arrived == [*with_the_frame, *with_the_wanted, *wanted]


def test_blocks_are_held_for_two_fifths_of_a_second_and_none_is_lost_at_the_end(clock) -> None:
    class Talk(Recorded):
        def read(self):
            return (block(20 * number) for number in range(1, 46))

    begun_ns = clock.now_ns()
    arrived = [
        ((item.end_ns - begun_ns) // MS, (clock.now_ns() - begun_ns) // MS, item.samples)
        for item in Paced(
            Talk(), clock, lambda: begun_ns, threading.Event(), RATE_HZ, lambda: Due(math.inf, math.inf)
        ).read()
    ]
    assert [(end_ms, at_ms) for end_ms, at_ms, _ in arrived] == [(420, 420), (840, 840), (900, 900)]
    samples = np.concatenate([samples for _, _, samples in arrived])
    assert (samples == np.repeat(np.arange(20, 901, 20), 4)).all()


def test_only_blocks_without_a_gap_between_them_are_joined() -> None:
    media = [block(20), block(40), frame(45), block(60), block(81), block(101), Discontinuity(101 * MS), block(121)]
    assert times_ms(joined(media, RATE_HZ)) == [
        ("Block", 40),
        ("Frame", 45),
        ("Block", 60),
        ("Block", 101),
        ("Discontinuity", 101),
        ("Block", 121),
    ]
    assert list(joined([], RATE_HZ)) == []


def test_blocks_before_a_hole_do_not_wait_for_what_follows_it(clock) -> None:
    """At 30000/1001 Hz frames come at 1401 and 1602 ms: a window that ends at 1500 ms waits until 1600 ms."""

    class Talk(Recorded):
        def read(self):
            yield frame(1401)
            yield from (block(1400 + 20 * number) for number in range(1, 5))
            yield frame(1602)

    begun_ns = clock.now_ns()
    arrived = [
        (type(item).__name__, (item.end_ns - begun_ns) // MS, (clock.now_ns() - begun_ns) // MS)
        for item in Paced(
            Talk(), clock, lambda: begun_ns, threading.Event(), RATE_HZ, lambda: Due(begun_ns + 1500 * MS)
        ).read()
    ]
    assert arrived == [("Frame", 1401, 1401), ("Block", 1480, 1480), ("Frame", 1602, 1602)]


def test_only_the_time_of_an_item_is_changed(clock) -> None:
    block, frame = Paced(Recorded(), clock, lambda: 7, threading.Event(), RATE_HZ).read()
    assert block.samples is BLOCK.samples
    assert frame.image is FRAME.image


def test_it_ends_where_it_is_stopped(clock) -> None:
    stop = threading.Event()
    media = Paced(Recorded(), clock, lambda: 0, stop, RATE_HZ).read()
    assert next(media).end_ns == 20
    stop.set()
    assert list(media) == []


def test_it_is_named_as_the_recording(clock) -> None:
    assert Paced(Recorded(), clock, lambda: 0, threading.Event(), RATE_HZ).name == "two events"
