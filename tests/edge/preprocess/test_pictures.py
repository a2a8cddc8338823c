"""Parts of pictures, whatever they are kept in, and the faces in them."""

import cv2
import numpy as np

from edge.geometry import Box
from edge.preprocess.framing import make_framing
from edge.preprocess.images import cut, resize
from edge.preprocess.pictures import grey_part, resized_part, rgb_image, whole
from edge.sources.demo import MOODS, face
from tests.edge.preprocess.test_yuv_image import in_yuv

DRAWN = face(MOODS[0])
BOX = Box(81, 46, 150, 150)


def test_parts_of_an_image_are_its_own() -> None:
    assert rgb_image(DRAWN) is DRAWN
    assert whole(DRAWN) == Box(0, 0, 320, 240)
    np.testing.assert_array_equal(grey_part(DRAWN, BOX), cv2.cvtColor(cut(DRAWN, BOX), cv2.COLOR_RGB2GRAY))
    np.testing.assert_array_equal(resized_part(DRAWN, BOX, 64, 64), resize(cut(DRAWN, BOX), 64, 64))


def test_parts_of_a_decoded_image_are_taken_before_it_is_converted() -> None:
    picture = in_yuv(DRAWN, 2, 2)
    assert whole(picture) == Box(0, 0, 320, 240)
    np.testing.assert_array_equal(grey_part(picture, BOX), picture.grey(BOX))
    np.testing.assert_array_equal(resized_part(picture, BOX, 64, 64), picture.resized(BOX, 64, 64))


def test_a_face_is_framed_in_yuv_as_in_rgb() -> None:
    picture = in_yuv(DRAWN, 2, 2)
    framed, expected = make_framing("face", 64, 64)(picture), make_framing("face", 64, 64)(DRAWN)
    assert framed.faces == expected.faces == 1
    assert framed.box
    assert expected.box
    assert framed.box.is_near(expected.box)
    assert np.abs(framed.crop.astype(float) - resize(cut(DRAWN, framed.box), 64, 64)).mean() < 3


def test_a_face_that_leans_is_levelled_out_of_the_whole_image() -> None:
    matrix = cv2.getRotationMatrix2D((160, 125), 30, 1.0)
    leaning = np.asarray(cv2.warpAffine(DRAWN, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    framed, expected = make_framing("face", 64, 64)(in_yuv(leaning, 2, 2)), make_framing("face", 64, 64)(leaning)
    assert framed.box
    assert expected.box
    assert framed.box.is_near(expected.box)
    assert framed.crop is not None


def test_of_a_part_in_grey_every_second_row_and_column_may_be_taken() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    box = Box(3, 2, 21, 15)
    assert np.array_equal(grey_part(image, box, 2), grey_part(image, box)[::2, ::2])
