"""A stream and what is done to it, in milliseconds."""

import numpy as np

from edge.bundle.manifest import Manifest
from edge.geometry import Box
from edge.live.recognizer import Recognizer
from edge.live.stream import Stream
from edge.preprocess.framing import FramingResult
from edge.preprocess.images import Image
from edge.preprocess.media import Block, Frame

MS = 1_000_000
HOP_MS = 500
FAINTEST = 100
"""Grey of the first frame; each is a shade lighter than the one before."""


class Framer:
    """The picture as it is; its face may be out of sight, or not looked for."""

    wants_video = True
    looks_for_faces = True

    def __call__(self, image: Image) -> FramingResult:
        if not self.looks_for_faces:
            return FramingResult(image, None, None)
        return FramingResult(image, 1, Box(1, 2, 3, 4)) if self.wants_video else FramingResult(None, 0, None)


class Watched:
    """A stream and what is done to it, in milliseconds."""

    def __init__(self, manifest: Manifest, recognizer: Recognizer, *, audio: bool = True, video: bool = True) -> None:
        self.framer, self.recognizer = Framer(), recognizer
        self.drops: list[str] = []
        self.stream = Stream(
            manifest,
            self.framer,
            audio=audio,
            video=video,
            begin_ns=0,
            hop_ns=HOP_MS * MS,
            on_drop=lambda reason, _: self.drops.append(reason),
        )

    def hear(self, begin_ms: int, end_ms: int, level: float = 0.5) -> None:
        for at in range(begin_ms, end_ms, 20):
            self.stream.add(Block(np.tile(np.float32([level, -level]), 10), (at + 20) * MS))

    def see(self, begin_ms: int, end_ms: int, light: int = FAINTEST) -> None:
        for at in range(begin_ms, end_ms, 200):
            self.stream.add(Frame(np.full((8, 8, 3), light + at // 200, np.uint8), at * MS))
        self.stream.crop_frames()
        self.stream.add_embeddings(self.recognizer.embed(self.stream.crops))

    def states(self, end_ms: int) -> tuple[str, str]:
        return self.stream.audio_state(end_ms * MS), self.stream.video_state(end_ms * MS)
