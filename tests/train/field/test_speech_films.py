"""Films of plain pictures: where each is, what is heard, and who speaks."""

import numpy as np
import pytest

from tests.train.field.made_films import PLAIN, DrawnTalker, made_film
from train.field.speech_films import MOST_SWAY, draw_look, make_film, placed
from train.field.talkers import RATE_HZ, Said


def test_talkers_stand_side_by_side() -> None:
    film = made_film(0, 1.0)
    image = film.draw(0.5)
    assert image.shape == (240, 640, 3)
    assert [film.tile(number) for number in range(2)] == [(0, 0, 320, 240), (320, 0, 320, 240)]
    upper = image[:150].astype(int)
    assert np.abs(upper[:, :320] - upper[:, 320:]).mean() < 3  # the same face, but for its mouth, noise and JPEG


def test_what_is_said_is_heard_and_true_when_it_is_said() -> None:
    rng = np.random.default_rng(0)
    said = (0.1 * rng.standard_normal(RATE_HZ)).astype(np.float32)
    talkers = [DrawnTalker(np.zeros(1))] * 2
    film = make_film(talkers, [(2, Said(1.0, said)), (0, Said(3.0, said))], 5.0, rng, (1.0, 1.0))
    assert film.seconds == 5.0
    assert (film.truth[100:200] == 2).all()
    assert not film.truth[:100].any()
    assert not film.truth[200:].any()
    assert np.flatnonzero(film.heard).tolist() == [*range(100, 200), *range(300, 400)]
    power = np.square(film.samples).reshape(5, -1).mean(axis=1)
    assert min(power[1], power[3]) > 100 * max(power[0], power[2], power[4])


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_head_sways_and_light_flickers_a_little(is_mirrored: bool) -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[40:60, 20:40] = 200
    film = made_film(0, 1.0)
    look = PLAIN._replace(is_mirrored=is_mirrored, sway=MOST_SWAY, phases=(0.1, 0.3, 0.5, 0.7))
    centres, lights = [], []
    for time_s in np.arange(0, 10, 0.5):
        image = placed(picture, look, film.tile(0), time_s)
        rows, columns = np.nonzero(image[..., 0] > 100)
        centres.append((columns.mean(), rows.mean()))
        lights.append(image.max())
    expected = 160 + (1 if not is_mirrored else -1) * (30 - 50) * 2.4
    across, down = np.transpose(centres)
    assert across.mean() == pytest.approx(expected, abs=5)
    assert 5 < np.ptp(across) < 40
    assert 5 < np.ptp(down) < 40
    assert 170 < min(lights) < max(lights) <= 220


def test_looks_are_those_of_their_seed() -> None:
    def look(seed: int) -> object:
        return draw_look(np.random.default_rng(seed), (0.5, 1.0))

    assert look(1) == look(1)
    assert look(1) != look(2)
