"""Section `who speaks`: whose voice is heard in films of several people."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.live.active_speaker import MOUTH_RATE_HZ, UNCLEAR
from edge.live.speaker_turns import NOBODY
from edge.preprocess.detector_choice import DetectorName

from ..corpora.utterance import matching_files
from ..intervals import Interval, draw_counts
from .dialogues import CLIPS, PHOTOGRAPHS, Compose, Material
from .draws import generator
from .recordings import Recordings, Voice
from .rows import OwnFigures, Row, Trial
from .speech_films import Film
from .talkers import RATE_HZ, footage, trimmed
from .watching import Verdicts, watch

SECTION = "who speaks"
FITTED_CLIPS = 1
"""Clips, the first by name, that the weights of `ActiveSpeaker` were fitted on; the others are for tests."""
USUAL_FILMS = 24
"""Films of each kind where as many recordings as usual are asked for."""
AT_OTHER_RATES, OTHER_RATES_HZ = "clips: both mouths move, one is heard", (10.0, 12.5, 25.0)
"""Films that are watched at other rates, too, and these."""
SOUNDS = ("rooms", "streets and trains", "machines", "animals", "rain, sea, fire, clocks")
"""Kinds of noise in which nobody speaks."""
RESAMPLES = 2000


class Shares(NamedTuple):
    """Steps of one film by what became of them, each int64 `[4]`: right, wrong face, nobody though it was, unclear."""

    at_once: NDArray[np.int64]
    settled: NDArray[np.int64]


def clip_paths(root: Path) -> Sequence[Path]:
    """Return the real clips of the data folder; none where it has none."""
    return matching_files(root / "clips", "*.flv")


def material_of(recordings: Recordings, root: Path) -> Material:
    """Return clips, photographs, voices and noises of which nothing was fitted."""
    by_speaker: dict[str, list[Voice]] = {}
    for voice in recordings.voices:
        by_speaker.setdefault(voice.utterance.speaker, []).append(voice)
    return Material(
        [footage(path) for path in clip_paths(root)[FITTED_CLIPS:]],
        [face.image for face in recordings.photographs],
        [[trimmed(voice.samples(RATE_HZ)) for voice in voices] for voices in by_speaker.values()],
        [noise for kind in SOUNDS for noise in recordings.noises(kind, RATE_HZ).values()],
    )


def plan(recordings: Recordings, detector: DetectorName, films: int, seed: int) -> Iterator[Trial]:
    """Yield a trial for each kind of film that there is material for."""
    kinds: dict[str, Compose] = {}
    if len(clip_paths(recordings.root)) > FITTED_CLIPS:
        kinds |= CLIPS
    if len(recordings.photographs) >= 4:
        kinds |= PHOTOGRAPHS
    for name, compose in kinds.items():
        rates_hz = (MOUTH_RATE_HZ, *OTHER_RATES_HZ) if name == AT_OTHER_RATES else (MOUTH_RATE_HZ,)
        for rate_hz in rates_hz:
            title = name if rate_hz == MOUTH_RATE_HZ else f"{name}, {rate_hz:g} frames a second"
            yield Trial(SECTION, title, partial(run, recordings, compose, detector, films, seed, name, title, rate_hz))


def run(
    recordings: Recordings,
    compose: Compose,
    detector: DetectorName,
    films: int,
    seed: int,
    name: str,
    title: str,
    rate_hz: float,
) -> list[Row]:
    """Return the row of films of one kind, of which mouths are looked at so often."""
    material = material_of(recordings, recordings.root)
    drawn = (compose(material, generator(seed, name, str(number))) for number in range(films))
    shares = [shares_of(film, detector, rate_hz) for film in drawn]
    return [Row(SECTION, title, None, {}, {}, own=measure(shares))]


def shares_of(film: Film, detector: DetectorName, rate_hz: float = MOUTH_RATE_HZ) -> Shares:
    """Return what became of the steps in which a voice is heard; of all steps where none is."""
    counted = film.heard if film.heard.any() else np.ones(len(film.heard), bool)
    return Shares(*(count(verdicts[counted], film.truth[counted]) for verdicts in watch(film, detector, rate_hz)))


def count(verdicts: Verdicts, truth: Verdicts) -> NDArray[np.int64]:
    """Return how many verdicts are right, of a wrong face, of nobody though somebody speaks, and unclear, `[4]`."""
    is_right, is_face = verdicts == truth, verdicts > NOBODY
    kinds = (is_right, ~is_right & is_face, ~is_right & (verdicts == NOBODY), verdicts == UNCLEAR)
    return np.array([np.count_nonzero(kind) for kind in kinds], np.int64)


def measure(shares: Sequence[Shares]) -> OwnFigures:
    """Return the figures of films, in percent of the time, with intervals from the bootstrap over the films."""
    settled, at_once = (np.array([getattr(film, name) for film in shares]) for name in ("settled", "at_once"))
    columns = ("right %", "wrong face %", "nobody %", "unclear %")
    figures = {name: interval(settled, number) for number, name in enumerate(columns)}
    figures |= {f"at once: {name}": interval(at_once, number) for number, name in enumerate(columns[:2])}
    return OwnFigures(len(shares), figures)


def interval(counts: NDArray[np.int64], column: int) -> Interval:
    """Return the share of a column in counts `[films, 4]`, in percent."""
    weights = draw_counts(np.random.default_rng(0), RESAMPLES, len(counts)).astype(np.float64) @ counts
    drawn = 100 * weights[:, column] / weights.sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(100 * counts[:, column].sum() / counts.sum()), float(low), float(high))
