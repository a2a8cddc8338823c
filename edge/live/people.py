"""Evidence of several people before one camera: the frames of each, and the sound while it is theirs.

Dimensions: Ta tokens of a window, Dv width of a frame's embedding.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..bundle.manifest import Manifest
from ..clock import SECOND_NS, to_ns
from ..geometry import Box
from ..preprocess.face_detector import Face
from ..preprocess.framing import Framing, FramingResult
from ..preprocess.media import Embedding
from ..preprocess.people_tracker import TrackedFace
from ..preprocess.pictures import Picture
from ..preprocess.rings import EmbeddingRing, SampleRing
from ..preprocess.windowing import FrameGrid
from ..wire.evidence import PersonSeen
from .active_speaker import MOUTH_RATE_HZ, UNCLEAR, ActiveSpeaker
from .speaker_turns import NOBODY
from .window import Window, audio_span

LEFT_NS = 2 * SECOND_NS
"""Time after which a person who is not seen has left: ten images at 5 a second."""
NEWEST_S = 1.0
"""Length of the newest audio by which it is said who speaks, in seconds."""


@dataclass
class Person:
    """Person who is followed."""

    embeddings: EmbeddingRing
    face: Face
    """Face where it was seen last."""
    seen_ns: int
    """Capture time of the frame in which it was."""


class People:
    """Several people before one camera: what is known of each, and whose the voice is.

    Of a person who has left nothing is kept.
    """

    def __init__(self, manifest: Manifest, framing: Framing, speaker: ActiveSpeaker, begin_ns: int = 0) -> None:
        """Know nobody yet; the stream begins at `begin_ns`, from which on the slots of its frames are counted."""
        self._framing, self._manifest, self._speaker = framing, manifest, speaker
        self._grid = FrameGrid(manifest.video.rate_hz, begin_ns)
        self._people: dict[int, Person] = {}
        self._faces: list[TrackedFace] = []
        self._newest_ns = 0
        self.speaker = NOBODY
        """Speaker in the second before the last window: a person's number, NOBODY or UNCLEAR."""

    def clear(self) -> None:
        """Forget what was seen; whoever is seen again keeps their number."""
        self._people.clear()
        self._faces, self.speaker = [], NOBODY
        self._speaker.clear()

    def frame(self, picture: Picture, end_ns: int) -> FramingResult | None:
        """Find the people in a frame; None where it lies between those that are encoded, and shows mouths alone."""
        framed = self._framing(picture) if self._grid.wants(end_ns) else None
        if framed is not None:
            self._newest_ns = end_ns
            self._faces = [TrackedFace(each.person, each.face) for each in framed.people]
            for each in self._faces:
                self._note(each, end_ns)
        self._speaker.see(picture, self._faces, end_ns)
        return framed

    def _note(self, seen: TrackedFace, end_ns: int) -> None:
        known = self._people.get(seen.person)
        if known is None:
            width = self._manifest.graphs.image_encoder.outputs[0].shape[-1]
            ring = EmbeddingRing(self._manifest.frames, int(width))
            self._people[seen.person] = Person(ring, seen.face, end_ns)
        else:
            known.face, known.seen_ns = seen.face, end_ns

    def append(self, person: int, embedding: Embedding, end_ns: int) -> None:
        """Add the embedding `[Dv]` of a person's frame captured at `end_ns`."""
        if person in self._people:
            self._people[person].embeddings.append(embedding, end_ns)

    def present(self, now_ns: int) -> tuple[int, ...]:
        """Return the numbers of the people who are there at a time, in order."""
        return tuple(sorted(number for number, each in self._people.items() if now_ns - each.seen_ns <= LEFT_NS))

    def forget_the_left(self, now_ns: int) -> None:
        """Forget those who have left by a time."""
        self._people = {number: self._people[number] for number in self.present(now_ns)}

    def times(self, begin_ns: int, end_ns: int) -> NDArray[np.int64]:
        """Return the capture times of the frames of anyone between two times, in order."""
        found = [each.embeddings.between(begin_ns, end_ns)[1] for each in self._people.values()]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)

    def windows(self, window: Window, ring: SampleRing, end_ns: int) -> tuple[Window, ...]:
        """Return a window for each person who is there, in the order of their numbers; all share the stream's audio."""
        self.forget_the_left(end_ns)
        self._speaker.judge(ring, end_ns)
        owners = self._speaker.owners(token_times(self._manifest, window, ring, end_ns))
        self.speaker = newest_owner(self._speaker, end_ns)
        faces = window.framing.faces if window.framing else None
        begin_ns = end_ns - to_ns(self._manifest.audio.window_s)
        windows = []
        for number, person in sorted(self._people.items()):
            embeddings, times = person.embeddings.between(begin_ns, end_ns)
            if len(times):
                windows.append(
                    replace(
                        window,
                        embeddings=embeddings,
                        framing=FramingResult(None, faces, self._box(person)),
                        person=number,
                        heard=owners == number,
                        speaker=self.speaker,
                    )
                )
        return tuple(windows)

    def _box(self, person: Person) -> Box | None:
        """Return the box of a person's face in the newest frame; None where it is hidden there."""
        return person.face.box if person.seen_ns == self._newest_ns else None


def seen(person: int, box: Box | None, speaker: int | None) -> PersonSeen:
    """Return where a person is, and whether they are the one who speaks."""
    return PersonSeen(person, box, None if speaker == UNCLEAR else speaker == person)


def token_times(manifest: Manifest, window: Window, ring: SampleRing, end_ns: int) -> NDArray[np.int64]:
    """Return the capture times `[Ta]` of the middles of a window's tokens, none after its end."""
    rate_hz = manifest.audio.rate_hz
    size, first = manifest.token_s * rate_hz, float(-len(window.samples))
    if window.tokens is not None:
        first = window.tokens.first * size - ring.position(end_ns)
    middles = first + (np.arange(manifest.window_tokens) + 0.5) * size
    _, audio_end_ns = audio_span(window.samples, ring, end_ns)
    return audio_end_ns + np.minimum(middles / rate_hz * SECOND_NS, -1).astype(np.int64)


def newest_owner(speaker: ActiveSpeaker, end_ns: int) -> int:
    """Return whose the voice is in the newest second: a person's number, NOBODY or UNCLEAR, whichever is most of it."""
    step_ns = SECOND_NS // MOUTH_RATE_HZ
    times = np.arange(end_ns - to_ns(NEWEST_S) + step_ns // 2, end_ns, step_ns)
    return most_common(speaker.owners(times))


def most_common(owners: NDArray[np.int64]) -> int:
    """Return the most common verdict of `[n]` where there is a voice in half of them or more, else NOBODY."""
    voices = owners[owners != NOBODY].tolist()
    return Counter[int](voices).most_common(1)[0][0] if 2 * len(voices) >= len(owners) > 0 else NOBODY
