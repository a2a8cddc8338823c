"""Weights found again, and evidence collected from a film of drawn faces."""

import numpy as np

from edge.live.mouth_track import Evidence
from tests.train.field.made_films import made_film
from train.field.speaker_fit import Example, examples_of, regression


def test_the_weights_of_made_evidence_are_found_again() -> None:
    rng = np.random.default_rng(0)
    true = np.array([3.0, 1.0, 2.0])
    signs = rng.uniform(-1, 1, (20000, 3))
    speaks = rng.uniform(size=len(signs)) < 1 / (1 + np.exp(-signs @ true))
    examples = [
        Example(Evidence(*row), bool(is_true), 1.0) for row, is_true in zip(signs.tolist(), speaks, strict=True)
    ]
    found = regression(examples)
    assert np.abs(found - [*true, 0.0]).max() < 0.25  # of 20,000 examples, and a little ridge


def test_whoever_speaks_has_more_evidence() -> None:
    examples = list(examples_of(made_film(9, 4.0), 1.0))
    means = [np.mean([each.evidence for each in examples if each.speaks == speaks], axis=0) for speaks in (True, False)]
    assert (means[0][:2] > means[1][:2] + 0.3).all()  # noise alone moves a still mouth a little, too
