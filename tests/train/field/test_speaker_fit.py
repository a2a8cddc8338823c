"""Weights found again, and evidence collected from a film of drawn faces."""

import numpy as np
import pytest

from edge.live.mouth_track import Evidence
from tests.train.field.made_films import made_film
from train.field.speaker_fit import SPEAKING_SHARE, Example, examples_of, regression, weights_of


def test_the_weights_of_made_evidence_are_found_again() -> None:
    rng = np.random.default_rng(0)
    true = np.array([3.0, 1.0, 2.0])
    signs = rng.uniform(-1, 1, (20000, 3))
    speaks = rng.uniform(size=len(signs)) < 1 / (1 + np.exp(-signs @ true))
    examples = [
        Example(Evidence(*row), bool(is_true), "made") for row, is_true in zip(signs.tolist(), speaks, strict=True)
    ]
    found = regression(examples)
    offset = np.log(SPEAKING_SHARE / (1 - SPEAKING_SHARE))  # half of the examples speak, and weigh as much
    assert np.abs(found - [*true, offset]).max() < 0.25  # of 20,000 examples, and a little ridge


def test_all_kinds_of_film_weigh_alike_and_those_who_speak_have_their_share() -> None:
    facts = [(True, "turns"), (True, "turns"), (True, "both"), (False, "both"), (False, "both"), (False, "off")]
    weights = weights_of([Example(Evidence(0, 0, 0), *each) for each in facts])
    speaks, silent = SPEAKING_SHARE / 2, (1 - SPEAKING_SHARE) / 2
    assert weights == pytest.approx([speaks / 2, speaks / 2, speaks, silent / 2, silent / 2, silent])


def test_whoever_speaks_has_more_evidence() -> None:
    examples = list(examples_of(made_film(9, 4.0), "made"))
    means = [np.mean([each.evidence for each in examples if each.speaks == speaks], axis=0) for speaks in (True, False)]
    assert (means[0][:2] > means[1][:2] + 0.3).all()  # noise alone moves a still mouth a little, too
