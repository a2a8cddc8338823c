"""Clips of two people side by side in one picture, whose mouths move as told: crops show who is who."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from tests.edge.made_talker import openings, talking_face, voice
from tests.train import made
from tests.train.made_clips import FPS, write_video
from train import config
from train.config import Config
from train.corpora.utterance import Utterance, VideoSegment

SECONDS = 2.4
SIZE = (640, 240)
SIDES = ("left", "right")


def for_people(people: int) -> Config:
    """`configs/own-clips.yaml` for clips with so many people."""
    own = config.load(made.SHIPPED.with_name("own-clips.yaml"))
    return replace(own, recipe=replace(config.clips(own), people=people))


def mouths() -> tuple[np.ndarray, np.ndarray]:
    """Two mouths that open at different times, each `[n]` in steps of 10 ms."""
    rng = np.random.default_rng(8)
    return openings(rng, SECONDS), openings(rng, SECONDS)


def two_talkers(path: Path, left: np.ndarray, right: np.ndarray, heard: np.ndarray | None) -> Utterance:
    """A clip of both, with the voice of a mouth; without sound where that is None."""
    audio = None if heard is None else voice(np.random.default_rng(3), heard)
    write_video(path, side_by_side(left, right), audio, size=SIZE)
    return Utterance(path.stem, path, "happy", "table-a", "table", video=VideoSegment(path))


def one_who_talks(path: Path, side: str) -> Utterance:
    """A clip of both, whose voice is that of one side; the other one's mouth moves, too."""
    spoken, other = mouths()
    return two_talkers(path, *((spoken, other) if side == "left" else (other, spoken)), heard=spoken)


def side_by_side(left: np.ndarray, right: np.ndarray) -> Iterator[np.ndarray]:
    """uint8 `[240, 640, 3]`; the face on the right has red and blue exchanged."""
    for number in range(round(SECONDS * FPS)):
        step = round(100 * number / FPS)
        faces = talking_face(left[step], step % 4), talking_face(right[step], step % 4)[..., ::-1]
        yield np.concatenate(faces, axis=1)


def sides_of(crops: Sequence[np.ndarray]) -> set[str]:
    """The sides whose faces are in crops `[H, W, 3]`."""
    return {SIDES[int(crop[..., 2].mean() > crop[..., 0].mean())] for crop in crops}
