"""Leave-one-fold-out cross-validation: who trains, who chooses the epoch, who is tested.

*Published* protocol: all other folds train, and the best epoch on the left-out fold itself counts. *Strict*: the
fold before the left-out one chooses the epoch and trains nothing; the left-out fold is tested once.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from edge.errors import UsageError

from ..corpora.utterance import Utterance

Protocol = Literal["published", "strict"]
PROTOCOLS: tuple[Protocol, ...] = ("published", "strict")


class Split(NamedTuple):
    """Rows of the examples, int64 each."""

    train: Tensor
    validation: Tensor
    """What the epoch is chosen by."""
    test: Tensor


def folds(utterances: Sequence[Utterance]) -> list[str]:
    """The corpus's folds in its own order; UsageError where there are too few to train, choose and test."""
    found = list(dict.fromkeys(utterance.fold for utterance in utterances))
    if len(found) < 3:
        raise UsageError(f"the corpus has the folds {', '.join(found)}; cross-validation needs at least three")
    return found


def split(utterances: Sequence[Utterance], left_out: str, protocol: Protocol) -> Split:
    """The rows of one fold's run."""
    names = folds(utterances)
    validation = left_out if protocol == "published" else names[names.index(left_out) - 1]
    of = {name: [row for row, utterance in enumerate(utterances) if utterance.fold == name] for name in names}
    train = [row for name in names if name not in (left_out, validation) for row in of[name]]
    return Split(torch.tensor(sorted(train)), torch.tensor(of[validation]), torch.tensor(of[left_out]))


def shared_speakers(utterances: Sequence[Utterance]) -> list[str]:
    """Speakers who are in several folds: what they show is not that new people are recognised."""
    folds_of: dict[str, set[str]] = {}
    for utterance in utterances:
        folds_of.setdefault(utterance.speaker, set()).add(utterance.fold)
    return sorted(speaker for speaker, names in folds_of.items() if len(names) > 1)
