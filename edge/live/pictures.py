"""Small pictures of what a camera sees, for a run whose user has asked to show them."""

from collections.abc import Callable

import cv2

from ..clock import SECOND_NS
from ..preprocess.framing import FramingResult
from ..preprocess.images import Image
from ..preprocess.pictures import Picture, rgb_image
from ..wire.messages import SCHEMA, CameraPicture, Message
from .people import People, seen

LONGEST_SIDE_PX = 320
QUALITY = 75
"""JPEG's quality: some 10 KB for a picture."""
PERIOD_NS = SECOND_NS // 2
"""Shortest time between two pictures of a stream."""


class PicturePublisher:
    """Publisher of the pictures of one stream, at most two a second."""

    def __init__(
        self, session: str, stream: str, publish: Callable[[Message], None], people: People | None = None
    ) -> None:
        """Make a publisher; with `people`, pictures say who speaks."""
        self._session, self._stream, self._publish, self._people = session, stream, publish, people
        self._taken_ns: int | None = None
        self._count = 0

    def add(self, picture: Picture, framed: FramingResult, end_ns: int) -> None:
        """Publish a frame with what was found in it, unless the last was published just now."""
        if self._taken_ns is not None and abs(end_ns - self._taken_ns) < PERIOD_NS:
            return
        self._taken_ns = end_ns
        height, width = picture.shape[:2]
        speaker = self._people.speaker if self._people else None
        self._publish(
            CameraPicture(
                schema=SCHEMA,
                session=self._session,
                stream=self._stream,
                seq=self._count,
                t_capture=end_ns,
                t_publish=end_ns,
                mono_capture=end_ns,
                mono_publish=end_ns,
                jpeg=jpeg(rgb_image(picture)),
                width=width,
                height=height,
                faces=framed.faces,
                box=framed.box,
                people=[seen(each.person, each.face.box, speaker) for each in framed.people],
            )
        )
        self._count += 1


def jpeg(image: Image) -> bytes:
    """Return an image, uint8 `[H, W, 3]` RGB, as a JPEG with sides of at most 320 pixels."""
    height, width = image.shape[:2]
    scale = min(1.0, LONGEST_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()
