"""Weights of `ActiveSpeaker`: a logistic regression from evidence to whether a person speaks.

`python -m train.field.speaker_fit --data corpora` makes the numbers that stand in `edge/live/active_speaker.py`, of
people, voices and a clip that the field test does not take.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from edge.clock import to_ns
from edge.live.mouth_track import Evidence, MouthTrack
from edge.live.voice_level import VoiceLevel
from edge.preprocess.people_tracker import TrackedFace
from edge.preprocess.pictures import Picture
from edge.preprocess.rings import SampleRing

from ..config import load, voices_and_faces
from ..corpora.noises import of_kind
from ..corpora.registry import VOICES
from ..corpora.utterance import matching_files
from ..log import console, progress
from .dialogues import CLIPS, PHOTOGRAPHS, Material
from .draws import generator
from .recordings import decoded, is_kept_for_tests, read_image
from .speakers import FITTED_CLIPS, SOUNDS, clip_paths
from .speech_films import Film
from .talkers import RATE_HZ, STEP_S, footage, trimmed
from .watching import BEGIN_NS, Projector, hops

SPEAKING_SHARE = 0.35
"""Share of the weight of those who speak: of a voice that is heard, somebody in the picture has a third or so."""
RIDGE = 1e-3
EVERY_NS = to_ns(0.125)
JUDGED_NS = to_ns(1.0)
UTTERANCES = 6
SPEAKERS = 24
PHOTOGRAPHED = 60
ROUNDS = 30


class Example(NamedTuple):
    """Evidence about one person at one time."""

    evidence: Evidence
    speaks: bool
    kind: str
    """Kind of the film: all of them weigh alike, long or short."""


class EvidenceCollector:
    """Watcher of a film that collects the evidence where a voice is heard."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._tracks: dict[int, MouthTrack] = {}
        self.found: list[tuple[int, Evidence, int]] = []
        """Person, evidence and the number of the talker who speaks, 0 for nobody."""

    def see(self, picture: Picture, faces: Sequence[TrackedFace], end_ns: int) -> None:
        """Take the next frame."""
        for person, face in faces:
            self._tracks.setdefault(person, MouthTrack()).see(picture, face, end_ns)

    def judge(self, samples: SampleRing, end_ns: int) -> None:
        """Collect the evidence about the second before the end of a hop."""
        voice = VoiceLevel(samples, end_ns)
        all_ns = range(max(BEGIN_NS, end_ns - JUDGED_NS) + EVERY_NS // 2, end_ns, EVERY_NS)
        times_ns = [time_ns for time_ns in all_ns if self._is_asked(time_ns) and voice.is_voiced(time_ns)]
        for person, track in self._tracks.items():
            comparison = track.compare(voice) if times_ns else None
            found = comparison.at(np.array(times_ns, np.int64)) if comparison else []
            self.found += [
                (person, evidence, int(self._film.truth[step_at(time_ns)]))
                for time_ns, evidence in zip(times_ns, found, strict=False)
                if evidence
            ]

    def _is_asked(self, time_ns: int) -> bool:
        return bool(self._film.heard[step_at(time_ns)]) or not self._film.heard.any()


def step_at(time_ns: int) -> int:
    """Return the step of a film at a time."""
    return (time_ns - BEGIN_NS) // to_ns(STEP_S)


def examples_of(film: Film, kind: str) -> Iterator[Example]:
    """Yield the evidence in a film with the truth."""
    collector, projector = EvidenceCollector(film), Projector(film, "cascade")
    for end_ns in hops(film):
        projector.play(collector, end_ns)
    for person, evidence, talker in collector.found:
        yield Example(evidence, person == talker, kind)


def regression(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Return the weights and the offset, `[4]`, by Newton's method."""
    signs = np.array([[*example.evidence, 1.0] for example in examples])
    speaks = np.array([example.speaks for example in examples], float)
    weights = weights_of(examples)
    found = np.zeros(signs.shape[1])
    for _ in range(ROUNDS):
        odds = 1 / (1 + np.exp(-signs @ found))
        slope = signs.T @ (weights * (odds - speaks)) + RIDGE * found
        bend = (signs.T * (weights * odds * (1 - odds))) @ signs + RIDGE * np.eye(len(found))
        found -= np.linalg.solve(bend, slope)
    return found


def weights_of(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Return the weights `[n]` of examples: those who speak have their share, and of both all kinds of film as much."""
    counts = Counter((example.kind, example.speaks) for example in examples)
    kinds = Counter(speaks for _, speaks in counts)
    shares = {True: SPEAKING_SHARE / kinds[True], False: (1 - SPEAKING_SHARE) / kinds[False]}
    return np.array([shares[each.speaks] / counts[each.kind, each.speaks] for each in examples])


def material_of(data: Path, config: Path, seed: int) -> Material:
    """Return the first clip, and photographs, voices and noises that the field test does not take."""
    recipe = voices_and_faces(load(config))
    kept = {*recipe.validation_speakers, *recipe.test_speakers}
    utterances: dict[str, list[Path]] = {}
    for corpus in recipe.voices:
        for voice in VOICES[corpus].utterances(data):
            if voice.speaker not in kept:
                utterances.setdefault(voice.speaker, []).append(voice.path)
    rng = generator(seed, "speaker fit")
    speakers = [list(utterances.values())[index] for index in rng.permutation(len(utterances))[:SPEAKERS]]
    photographs = [
        path for path in matching_files(data / "lfw_expressions", "*/*.jpg") if not is_kept_for_tests(path.stem[:-5])
    ]
    return Material(
        [footage(path) for path in clip_paths(data)[:FITTED_CLIPS]],
        [read_image(photographs[index]) for index in rng.permutation(len(photographs))[:PHOTOGRAPHED]],
        [
            [trimmed(decoded(paths[index], RATE_HZ)) for index in rng.permutation(len(paths))[:UTTERANCES]]
            for paths in speakers
        ],
        [decoded(path, RATE_HZ) for kind in SOUNDS for path in of_kind(data, kind)[::2]],
    )


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="FOAL_DATA", required=True, help="Folder of the corpora."
)
@click.option("--config", type=click.Path(path_type=Path), default=Path("configs/nano.yaml"), show_default=True)
@click.option("--films", default=6, show_default=True, help="Films of each kind.")
@click.option("--seed", default=1234, show_default=True)
def fit(data: Path, config: Path, films: int, seed: int) -> None:
    """Fit the weights and print them."""
    material = material_of(data, config, seed)
    drawn = [(*kind, number) for kind in (CLIPS | PHOTOGRAPHS).items() for number in range(films)]
    examples = [
        example
        for name, compose, number in progress(drawn, "films", shown=console.is_terminal)
        for example in examples_of(compose(material, generator(seed, "fit", name, str(number))), name)
    ]
    *weights, offset = regression(examples).round(2).tolist()
    console.print(f"WEIGHTS, OFFSET = Evidence({', '.join(map(str, weights))}), {offset}  # {len(examples)} examples")


if __name__ == "__main__":
    fit()
