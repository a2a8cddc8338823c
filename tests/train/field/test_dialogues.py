"""Scripts: nobody interrupts, silent mouths are not heard, and each kind of film has the truth that it says."""

from itertools import pairwise

import numpy as np
import pytest

from edge.preprocess.media import Samples
from tests.train.field.made_films import made_material
from train.field.dialogues import CLIPS, LENGTH_S, PHOTOGRAPHS, Cast, noise_beside
from train.field.noises import rms
from train.field.talkers import Said


def cast(people: int, seed: int = 0) -> Cast:
    rng = np.random.default_rng(seed)
    utterances: list[list[Samples]] = [[(0.1 * rng.standard_normal(12000)).astype(np.float32)] for _ in range(people)]
    return Cast(utterances, rng)


@pytest.mark.parametrize("people", [2, 4])
def test_people_take_turns_and_do_not_interrupt(people: int) -> None:
    spoken = cast(people).turns()
    assert {number for number, _ in spoken} <= set(range(1, people + 1))
    assert len({number for number, _ in spoken}) > 1
    for (_, said), (_, following) in pairwise(spoken):
        assert said.end_s <= following.start_s
    assert all(0 < said.start_s < LENGTH_S for _, said in spoken)


def test_a_monologue_has_short_pauses() -> None:
    spoken = cast(1).monologue(0)
    pauses = [following.start_s - said.end_s for said, following in pairwise(spoken)]
    assert len(spoken) > 3
    assert min(pauses) >= 0
    assert max(pauses) <= 0.5


@pytest.mark.parametrize(("name", "compose"), list((CLIPS | PHOTOGRAPHS).items()))
def test_every_kind_of_film_says_who_speaks(name: str, compose) -> None:  # type: ignore[no-untyped-def]
    film = compose(made_material(), np.random.default_rng(3))
    assert film.seconds == LENGTH_S
    assert film.draw(1.0).shape == (film.size[1], film.size[0], 3)
    speakers = set(film.truth[film.heard].tolist())
    if "nobody" in name:
        assert not film.heard.any()
    elif "a voice off screen" in name:
        assert speakers == {0}
    elif "somebody off screen" in name:
        assert len(speakers) > 1
        assert speakers <= {0, 1, 2}
    else:
        assert 0 not in speakers
        assert len(speakers) == 1 if "both" in name else len(speakers) > 1
        assert max(speakers) <= len(film.talkers)


def test_babble_is_so_far_below_the_voices() -> None:
    material = made_material()
    said = Said(0.0, material.voices[0][0])
    noise = noise_beside(material, [(1, said)], 10.0, np.random.default_rng(0))
    assert 20 * np.log10(rms(said.samples) / rms(noise)) == pytest.approx(10, abs=0.1)
