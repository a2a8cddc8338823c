"""A made film before the runtime's own detection of the active speaker.

Each person's face is tracked in their own part of the image, so that nobody is taken for somebody else: how often that
happens is another measurement's.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.clock import SECOND_NS, to_ns
from edge.live.active_speaker import MOUTH_RATE_HZ, UNCLEAR, ActiveSpeaker
from edge.preprocess.detector_choice import DetectorName
from edge.preprocess.detectors import open_detector
from edge.preprocess.face_search import FaceTracker
from edge.preprocess.images import Image, cut
from edge.preprocess.media import BLOCK_S, Block
from edge.preprocess.people_tracker import TrackedFace
from edge.preprocess.pictures import Picture
from edge.preprocess.rings import SampleRing
from edge.preprocess.windowing import FrameGrid

from .speech_films import CAMERA_HZ, Film
from .talkers import RATE_HZ, STEP_S

BEGIN_NS = to_ns(100.0)
HOP_NS = to_ns(0.5)
IMAGES_HZ = 5.0
"""Images a second in which people are looked for."""
WINDOW_S = 6.0

Verdicts = NDArray[np.int64]
"""For each step of 10 ms the number of a talker, NOBODY or UNCLEAR."""


class Watcher(Protocol):
    """Audience of a film: an `ActiveSpeaker`, or something that is shown as much."""

    def see(self, picture: Picture, faces: Sequence[TrackedFace], end_ns: int) -> None:
        """Take the next frame, with everybody's face where it was last found."""
        ...

    def judge(self, samples: SampleRing, end_ns: int) -> None:
        """Take the end of a hop."""
        ...


class Watched(NamedTuple):
    """Verdicts on a film."""

    at_once: Verdicts
    """Verdicts at the hop after each step."""
    settled: Verdicts
    """Verdicts once what comes after each step is known."""


class Projector:
    """Player of a film to a watcher, hop by hop, as a stream would see it."""

    def __init__(self, film: Film, detector: DetectorName, mouth_hz: float = MOUTH_RATE_HZ) -> None:
        self._film = film
        self._trackers = [FaceTracker(open_detector(detector)) for _ in film.talkers]
        self._images, self._mouths = FrameGrid(IMAGES_HZ), FrameGrid(mouth_hz)
        self._faces: Sequence[TrackedFace] = []
        self._samples = SampleRing(RATE_HZ, round(WINDOW_S * RATE_HZ))
        self._frame = self._sample = 0

    def play(self, watcher: Watcher, end_ns: int) -> None:
        """Show the watcher what comes before the end of a hop, and the end."""
        while BEGIN_NS + (frame_ns := self._frame * SECOND_NS // CAMERA_HZ) < end_ns:
            self._show(watcher, self._frame / CAMERA_HZ, BEGIN_NS + frame_ns)
            self._frame += 1
        size = round(BLOCK_S * RATE_HZ)
        while self._sample < (end_ns - BEGIN_NS) * RATE_HZ // SECOND_NS:
            block = self._film.samples[self._sample : self._sample + size]
            self._sample += len(block)
            self._samples.extend(Block(block, BEGIN_NS + self._sample * SECOND_NS // RATE_HZ))
        watcher.judge(self._samples, end_ns)

    def _show(self, watcher: Watcher, time_s: float, time_ns: int) -> None:
        is_searched, is_seen = self._images.wants(time_ns), self._mouths.wants(time_ns)
        if not (is_searched or is_seen):
            return
        image = self._film.draw(time_s)
        if is_searched:
            self._faces = list(self._search(image))
        if is_seen:
            watcher.see(image, self._faces, time_ns)

    def _search(self, image: Image) -> Iterator[TrackedFace]:
        for number, track in enumerate(self._trackers):
            tile = self._film.tile(number)
            face = track(np.ascontiguousarray(cut(image, tile)))
            if face:
                yield TrackedFace(number + 1, face._replace(box=face.box._replace(x=face.box.x + tile.x)))


def watch(film: Film, detector: DetectorName, mouth_hz: float = MOUTH_RATE_HZ) -> Watched:
    """Return the runtime's verdicts on a film, of which mouths are looked at so often."""
    projector, speaker = Projector(film, detector, mouth_hz), ActiveSpeaker(mouth_hz)
    times_ns = BEGIN_NS + (np.arange(len(film.truth)) * to_ns(STEP_S) + to_ns(STEP_S / 2)).astype(np.int64)
    at_once = np.full(len(times_ns), UNCLEAR, np.int64)
    for end_ns in hops(film):
        projector.play(speaker, end_ns)
        newest = (times_ns >= end_ns - HOP_NS) & (times_ns < end_ns)
        at_once[newest] = speaker.owners(times_ns[newest])
    return Watched(at_once, speaker.owners(times_ns))


def hops(film: Film) -> range:
    """Return the ends of a film's hops."""
    return range(BEGIN_NS + HOP_NS, BEGIN_NS + to_ns(film.seconds) + 1, HOP_NS)
