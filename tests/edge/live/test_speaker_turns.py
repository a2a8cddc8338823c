"""Probabilities of states beside those of all sequences of states, one by one."""

from itertools import pairwise, product
from math import exp, prod

import numpy as np
import pytest

from edge.live.speaker_turns import CHANGE, NEWS, NOBODY, UNSEEN_ODDS, probabilities


def test_probabilities_are_those_of_all_sequences() -> None:
    odds = [{1: 2.0, 2: -9.0}, None, {1: -1.0}, {}, {1: -3.0, 2: 12.0}]
    likelihoods = [
        {NOBODY: 1.0} | {p: 1.0 if each is None else exp(NEWS * each.get(p, UNSEEN_ODDS)) for p in (1, 2)}
        for each in odds
    ]
    sums = [dict.fromkeys((NOBODY, 1, 2), 0.0) for _ in odds]
    for states in product((NOBODY, 1, 2), repeat=len(odds)):
        weight = prod(each[state] for each, state in zip(likelihoods, states, strict=True))
        weight *= prod((one == other) + CHANGE for one, other in pairwise(states))
        for each, state in zip(sums, states, strict=True):
            each[state] += weight
    for found, each in zip(probabilities(odds), sums, strict=True):
        assert found == pytest.approx({state: value / sum(each.values()) for state, value in each.items()}, rel=1e-9)


def test_nobody_is_sure_where_nobody_is_there() -> None:
    assert probabilities([]) == []
    assert probabilities([{}, None, {}]) == [{NOBODY: 1.0}] * 3


def test_strong_evidence_over_a_long_time_stays_finite() -> None:
    for found in probabilities([{1: 300.0, 2: -300.0}] * 80 + [{1: -300.0, 2: 300.0}] * 80):
        assert np.isfinite(list(found.values())).all()
        assert sum(found.values()) == pytest.approx(1.0)
