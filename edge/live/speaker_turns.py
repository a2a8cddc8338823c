"""Hidden Markov model of turns: its states are the people in the picture, and nobody of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp

NOBODY = 0
"""State in which no face here speaks; the others are the numbers of people."""

NEWS = 0.25
"""Share of a slot's log odds that its neighbours have not told: all are of much the same seconds."""
CHANGE = 0.004
"""Odds of another state in the next slot of time, for each state, beside the same one."""
UNSEEN_ODDS = -3.0
"""Log odds that somebody speaks whose mouth is not seen while a voice is heard."""


def probabilities(odds: Sequence[Mapping[int, float] | None]) -> list[dict[int, float]]:
    """Return for each slot of time how likely each state is, by what comes before and after it (forward-backward).

    `odds` has for each slot the log odds that a person speaks, beside nobody; None where no voice is heard.
    """
    people = sorted({person for each in odds if each for person in each})
    silent = [1.0] * (len(people) + 1)
    likelihoods = [
        silent if each is None else [1.0, *(exp(NEWS * each.get(person, UNSEEN_ODDS)) for person in people)]
        for each in odds
    ]
    before, after = list(beliefs(likelihoods)), reversed(list(beliefs(reversed(likelihoods))))
    found = []
    for slot in zip(before, likelihoods, after, strict=True):
        weights = [earlier * now * later for earlier, now, later in zip(*slot, strict=True)]
        total = sum(weights)
        found.append({state: weight / total for state, weight in zip([NOBODY, *people], weights, strict=True)})
    return found


def beliefs(likelihoods: Iterable[Sequence[float]]) -> Iterator[list[float]]:
    """Yield before each slot how likely each state is by the slots until then, not normalised."""
    belief: list[float] = []
    for now in likelihoods:
        belief = belief or [1.0] * len(now)
        yield belief
        told = [earlier * likelihood for earlier, likelihood in zip(belief, now, strict=True)]
        total = sum(told)
        belief = [each / total + CHANGE for each in told]
