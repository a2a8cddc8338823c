"""Each of several people in a made film beside the same person alone."""

from dataclasses import replace

import numpy as np
import pytest

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import SHIPPED, load
from edge.clock import SECOND_NS
from edge.live.active_speaker import MOUTH_RATE_HZ
from edge.preprocess.media import Block, Frame
from tests.train.field.made_films import made_film
from train.field.company import Company, Empty, Projection, companies, compose, judge_people
from train.field.figures import Subject
from train.field.judge import SILENT, Judge
from train.field.recordings import Face

LABELS = ("angry", "happy", "neutral", "sad")


@pytest.fixture(scope="module")
def judge() -> Judge:
    bundle = load(SHIPPED)
    return Judge(bundle.manifest, OrtBackend(bundle, threads=1), "cascade")


def made_faces(count: int) -> list[Face]:
    grey = np.full((128, 128, 3), 90, np.uint8)
    return [Face(grey + number, Subject(LABELS[number % 4], f"p{number}", {})) for number in range(count)]


def test_everybody_is_in_one_company_at_most() -> None:
    drawn = list(companies(made_faces(11), [], 3, seed=0))
    names = [face.subject.speaker for company in drawn for face in company.faces]
    assert len(drawn) == 3
    assert len(set(names)) == len(names) == 9
    again = list(companies(made_faces(11), [], 3, seed=0))
    assert names == [face.subject.speaker for company in again for face in company.faces]


def test_a_film_shows_its_people_and_nobody_speaks_without_a_voice() -> None:
    film = compose(Company(made_faces(2), None), np.random.default_rng(0), (0.3, 0.5))
    assert len(film.talkers) == 2
    assert not film.heard.any()


def test_a_film_is_played_in_the_order_of_its_times() -> None:
    film = made_film(1, 1.0)
    media = list(Projection(film, has_audio=True).read())
    assert [item.end_ns for item in media] == sorted(item.end_ns for item in media)
    assert sum(isinstance(item, Frame) for item in media) == MOUTH_RATE_HZ
    assert isinstance(media[-1], Block)
    assert media[-1].end_ns == SECOND_NS
    assert np.concatenate([item.samples for item in media if isinstance(item, Block)]).tolist() == film.samples.tolist()
    assert not any(isinstance(item, Block) for item in Projection(film, has_audio=False).read())


def test_each_is_judged_in_their_own_tile(judge: Judge) -> None:
    film = made_film(3, 1.6)
    together = judge_people(judge, film, 2, has_audio=False)
    assert SILENT not in together
    assert [film.tile(number).holds_centre_of(each.box) for number, each in enumerate(together)] == [True, True]
    only = replace(film, talkers=[Empty(), film.talkers[1]])
    nobody, alone = judge_people(judge, only, 1, has_audio=False)
    assert nobody is SILENT
    assert alone.label is not None
