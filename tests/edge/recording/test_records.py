"""Nothing is lost between a step and its bytes; bytes that lie are refused before they take memory."""

import tracemalloc
import zlib

import cv2
import msgspec
import numpy as np
import pytest

from edge.preprocess.media import Block, Discontinuity, Frame
from edge.recording.records import (
    BlockRecord,
    End,
    FrameRecord,
    Gap,
    LoopInputRecord,
    SentMessage,
    pack,
    pack_media,
    unpack_image,
    unpack_input,
    unpack_media,
    unpack_samples,
)
from edge.wire.messages import encode
from tests.edge.recording.made_recordings import assert_same, loop_input, loop_inputs, noise, status

ODD = np.array([0.0, -0.0, np.nan, -np.inf, 1e-45, 1 / 3, 3e38], np.float32)
SIGNALLING = np.array([0x7F800001, 0xFFC12345], np.uint32).view(np.float32)


def through_bytes(one):
    return unpack_input(msgspec.msgpack.decode(pack(one, "msgpack"), type=LoopInputRecord))


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        ODD,
        SIGNALLING,
        np.arange(100, dtype=np.float32)[::3],
        np.random.default_rng(1).normal(size=320).astype(np.float32),
    ],
)
def test_sound_is_kept_bit_by_bit(samples: np.ndarray) -> None:
    one = loop_input(3, Block(samples, 17))
    assert_same(through_bytes(one), one)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (24, 31), (480, 640)])
def test_pictures_are_kept_bit_by_bit(shape: tuple[int, int]) -> None:
    frame = noise(1, *shape)
    turned = Frame(frame.image[::-1, ::-1], 5)
    one = loop_input(3, frame, turned)
    assert_same(through_bytes(one), one)


def test_red_is_red_in_the_png_as_well() -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    packed = pack_media(Frame(red, 0))
    assert (cv2.imdecode(np.frombuffer(packed.png, np.uint8), cv2.IMREAD_COLOR)[0, 0] == [0, 0, 255]).all()


def test_steps_of_several_streams_with_their_ends() -> None:
    for one in loop_inputs(8):
        assert_same(through_bytes(one), one)


@pytest.mark.parametrize("wire_format", ["msgpack", "json"])
def test_a_message_is_kept_as_it_was_sent(wire_format) -> None:
    record = msgspec.msgpack.decode(pack(status(7), wire_format), type=SentMessage | Gap | End)
    assert record == SentMessage(7, b"status.cam1.", encode(status(7), wire_format))


@pytest.mark.parametrize("mark", [Gap(3), End()])
def test_marks_are_kept(mark) -> None:
    assert msgspec.msgpack.decode(pack(mark, "msgpack"), type=LoopInputRecord | Gap | End) == mark


@pytest.mark.parametrize(
    ("count", "deflated"),
    [
        (3, zlib.compress(bytes(16))),
        (5, zlib.compress(bytes(16))),
        (4, zlib.compress(bytes(16))[:-1]),
        (4, b"not zlib"),
        (0, zlib.compress(b"x")),
        (4, b""),
    ],
)
def test_sound_that_is_not_what_it_is_said_to_be_is_refused(count: int, deflated: bytes) -> None:
    with pytest.raises(ValueError, match=r"its audio (is not|cannot be inflated)"):
        unpack_samples(BlockRecord(0, count, deflated))


def test_a_bomb_of_sound_is_not_inflated() -> None:
    bomb = BlockRecord(0, 4, zlib.compress(bytes(1 << 27)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="not 4 samples"):
        unpack_samples(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_picture_that_is_not_what_it_is_said_to_be_is_refused_by_its_first_bytes() -> None:
    packed = pack_media(noise(1, 6, 7))
    huge = packed.png[:16] + (30_000).to_bytes(4, "big") * 2 + packed.png[24:]
    for wrong in (b"", packed.png[:20], huge, b"x" * 100):
        with pytest.raises(ValueError, match="no PNG of 7 x 6 pixels"):
            unpack_image(FrameRecord(0, 6, 7, wrong))
    with pytest.raises(ValueError, match="no PNG of 6 x 7 pixels"):
        unpack_image(FrameRecord(0, 7, 6, packed.png))
    with pytest.raises(ValueError, match="no PNG of 7 x 6 pixels"):
        unpack_image(FrameRecord(0, 6, 7, packed.png[:24] + b"rubbish"))


def test_what_comes_back_may_be_written_to() -> None:
    for item in (Block(ODD, 0), noise(2)):
        again = unpack_media(pack_media(item))
        array = again.samples if isinstance(again, Block) else again.image
        assert array.flags.writeable
        assert array.flags.c_contiguous


def test_a_discontinuity_comes_back_as_it_was() -> None:
    assert unpack_media(pack_media(Discontinuity(123))) == Discontinuity(123)
