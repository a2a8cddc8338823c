"""Films of drawn faces through the runtime's detection, and how verdicts are counted."""

import numpy as np
import pytest

from edge.live.active_speaker import UNCLEAR
from edge.live.speaker_turns import NOBODY
from tests.train.field.made_films import made_film
from train.field.speakers import Shares, count, measure, shares_of
from train.field.watching import watch


def test_a_film_is_watched_as_a_stream_would_see_it() -> None:
    film = made_film(9, 5.0)
    watched = watch(film, "cascade")
    spoken = slice(150, 480)
    assert (watched.settled[spoken] == 2).mean() > 0.9
    assert (watched.at_once[spoken] == 2).mean() > 0.8
    shares = shares_of(film, "cascade")
    assert shares.settled.sum() == shares.at_once.sum() == len(film.truth)


def test_where_nobody_is_heard_all_of_the_time_counts() -> None:
    assert shares_of(made_film(2, 2.0, is_heard=False), "cascade").settled.tolist() == [200, 0, 0, 0]


def test_verdicts_are_right_or_of_a_wrong_face_or_nobody_or_unclear() -> None:
    truth = np.array([1, 1, 1, 1, 0, 0, 0])
    verdicts = np.array([1, 2, NOBODY, UNCLEAR, NOBODY, 1, UNCLEAR])
    assert count(verdicts, truth).tolist() == [2, 2, 1, 2]


def test_figures_are_shares_of_the_time_of_all_films() -> None:
    films = [Shares(np.array([10, 10, 0, 0]), np.array([90, 5, 5, 0])) for _ in range(3)]
    films.append(Shares(np.array([0, 20, 0, 0]), np.array([0, 0, 0, 100])))
    measured = measure(films)
    assert measured.count == 4
    means = {name: figure.mean for name, figure in measured.columns.items()}
    assert means == pytest.approx(
        {
            "right %": 67.5,
            "wrong face %": 3.75,
            "nobody %": 3.75,
            "unclear %": 25.0,
            "at once: right %": 37.5,
            "at once: wrong face %": 62.5,
        }
    )
    right = measured.columns["right %"]
    assert right.low < 67.5 < right.high <= 90
