"""Windows in which nobody speaks: noises, alone and under faces."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

import numpy as np

from edge.preprocess.media import Samples

from ..corpora.noises import KINDS
from ..simulation.noise import repeated
from . import noises
from .draws import generator
from .figures import Subject
from .judge import Judge, Scene
from .recordings import Face, Recordings, balanced
from .rows import Row, Shown, Trial, judge_all, make_row

ALONE = "nobody speaks, alone"
UNDER_FACES = "nobody speaks, under faces"
LEVELS_DBFS = (-80, -60, -40, -20)
DIGITAL = "digital silence"


class Noise:
    """Sounds of one kind without speech, made in code or recorded: `repeats` windows of each at each level."""

    def __init__(self, kind: str, recordings: Recordings, rate_hz: int, samples: int, repeats: int, seed: int) -> None:
        self.kind, self._rate_hz, self._samples, self._seed = kind, rate_hz, samples, seed
        self._recorded = {} if kind in (*noises.MADE, DIGITAL) else recordings.noises(kind, rate_hz)
        names = self._recorded or [str(number) for number in range(repeats)]
        self.windows = [("", 0)] if kind == DIGITAL else list(product(names, LEVELS_DBFS))
        """Name and level in dBFS of each window."""

    def __bool__(self) -> bool:
        return bool(self._recorded) or self.kind in noises.MADE or self.kind == DIGITAL

    def make(self, name: str, level_dbfs: int) -> Samples:
        """Return a window of the noise at a level, float32 `[S]`."""
        if self.kind == DIGITAL:
            return np.zeros(self._samples, np.float32)
        rng = generator(self._seed, self.kind, name, str(level_dbfs))
        if self._recorded:
            made = repeated(self._recorded[name], self._samples, rng)
        else:
            made = noises.MADE[self.kind](rng, self._samples, self._rate_hz)
        return noises.at_dbfs(made, level_dbfs).clip(-1, 1)


def plan(judge: Judge, recordings: Recordings, repeats: int, seed: int) -> Iterator[Trial]:
    """Yield a trial of each kind of noise alone, and of all kinds under faces."""
    audio = judge.manifest.audio
    kinds = [
        Noise(kind, recordings, audio.rate_hz, audio.samples, repeats, seed) for kind in (DIGITAL, *noises.MADE, *KINDS)
    ]
    kinds = [kind for kind in kinds if kind]
    for kind in kinds:
        yield Trial(ALONE, kind.kind, partial(run_alone, judge, kind))
    yield Trial(UNDER_FACES, "faces", partial(run_under_faces, judge, kinds, recordings.faces, seed))


def run_alone(judge: Judge, noise: Noise) -> list[Row]:
    """Return the row of one kind of noise at all levels."""
    shown = (
        Shown(Scene(noise.make(name, level)), Subject(None, name or noise.kind, {"level": f"{level} dBFS"}))
        for name, level in noise.windows
    )
    return [make_row(ALONE, noise.kind, judge_all(judge, shown))]


def run_under_faces(judge: Judge, kinds: Sequence[Noise], faces: Sequence[Face], seed: int) -> list[Row]:
    """Return the rows of faces alone and of the same faces over noise, a window of each kind and level in turn."""
    windows = [(kind, *window) for kind in kinds for window in kind.windows]
    windows = balanced(windows, [kind.kind for kind, _, _ in windows], len(windows), seed)
    alone, under = [], []
    for index, face in enumerate(faces):
        kind, name, level = windows[index % len(windows)]
        groups = {**face.subject.groups, "sound": kind.kind, "level": f"{level} dBFS"}
        alone.append(Shown(Scene(None, face.image, "whole"), face.subject))
        under.append(Shown(Scene(kind.make(name, level), face.image, "whole"), face.subject._replace(groups=groups)))
    picture = make_row(UNDER_FACES, "the faces alone", judge_all(judge, alone))
    both = make_row(UNDER_FACES, "all of these sounds", judge_all(judge, under))
    uas = [row.figures.ua.mean for row in (picture, both) if row.figures and row.figures.ua]  # faces have labels
    lost = uas[0] - uas[1]
    return [picture, Row(both.section, both.name, both.figures, both.by, {"lost against the face alone": lost})]
