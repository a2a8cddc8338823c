"""Pictures without loss, sound in 16 bits; a picture that lies is refused before it takes memory."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from edge.preprocess.media import Block, Frame
from edge.recording.foxglove import LARGEST_SIDE, CompressedImage, RawAudio, Time, to_audio, to_image, to_pixels
from edge.recording.schemas import json_schema
from tests.edge.recording.made_recordings import noise

WELL_KNOWN = {
    RawAudio: {
        "timestamp": "time",
        "data": "bytes",
        "format": "string",
        "sample_rate": "integer",
        "number_of_channels": "integer",
    },
    CompressedImage: {"timestamp": "time", "frame_id": "string", "data": "bytes", "format": "string"},
}
"""The fields as docs.foxglove.dev/docs/sdk/schemas lists them."""


@pytest.mark.parametrize("kind", WELL_KNOWN, ids=lambda kind: kind.__name__)
def test_the_fields_are_the_well_known_ones(kind: type) -> None:
    found = {}
    for name, field in json_schema(kind)["properties"].items():
        is_time = field["type"] == "object" and list(field["properties"]) == ["sec", "nsec"]
        is_bytes = field.get("contentEncoding") == "base64"
        found[name] = "time" if is_time else "bytes" if is_bytes else field["type"]
    assert found == WELL_KNOWN[kind]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (24, 31), (480, 640)])
def test_pictures_are_kept_bit_by_bit(shape: tuple[int, int]) -> None:
    frame = noise(1, *shape)
    for image in (frame.image, frame.image[::-1, ::-1]):
        back = to_pixels(to_image(Frame(image, 5), 0, "cam1").data)
        assert np.array_equal(back, image)
        assert back.dtype == np.uint8
        assert back.flags.writeable
        assert back.flags.c_contiguous


def test_a_picture_says_when_and_whose_it_is_and_red_is_red() -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    picture = to_image(Frame(red, 5), 1_700_000_000_000_000_123, "cam1")
    assert (picture.timestamp, picture.frame_id, picture.format) == (Time(1_700_000_000, 123), "cam1", "png")
    assert (cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)[0, 0] == [0, 0, 255]).all()


def test_sound_is_rounded_to_16_bits_and_what_is_beyond_is_cut() -> None:
    samples = np.array(
        [0, -0.0, 0.5, -0.5, 1, -1, 3e38, -3e38, np.inf, -np.inf, np.nan, 1 / 65536, 3 / 65536], np.float32
    )
    audio = to_audio(Block(samples, 0), -5, 16_000)
    most, least = 32767, -32768
    expected = [0, 0, 16384, -16384, most, least, most, least, most, least, 0, 0, 2]
    assert list(struct.unpack(f"<{len(samples)}h", audio.data)) == expected
    assert audio == RawAudio(Time(0, 0), audio.data, "pcm-s16", 16_000, 1)


def header(width: int, height: int, rest: bytes = b"") -> bytes:
    content = b"IHDR" + struct.pack(">II", width, height) + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + content + struct.pack(">I", zlib.crc32(content)) + rest


@pytest.mark.parametrize(
    "png", [b"", header(7, 6)[:20], header(30_000, 30_000), header(0, 6), header(7, LARGEST_SIDE + 1)]
)
def test_a_picture_of_an_incredible_size_is_refused_by_its_first_bytes(png: bytes) -> None:
    with pytest.raises(ValueError, match="no PNG of at most 8192 x 8192 pixels"):
        to_pixels(png)


@pytest.mark.parametrize(
    "png", [header(7, 6), header(7, 6, b"rubbish" * 9), b"x" * 16 + bytes([0, 0, 0, 7] * 2) + b"x" * 9]
)
def test_what_is_no_picture_is_refused(png: bytes) -> None:
    with pytest.raises(ValueError, match="no PNG that can be decoded"):
        to_pixels(png)
