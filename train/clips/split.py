"""Leave-one-fold-out cross-validation: the folds for training, validation and test.

*Published* protocol: all other folds are trained on, and the epoch is chosen on the left-out fold itself. *Strict*: the
fold before the left-out one is the validation fold, which chooses the epoch; the left-out fold is tested once.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from edge.errors import UsageError

from ..ablation import slug
from ..corpora.utterance import Utterance

Protocol = Literal["published", "strict"]
PROTOCOLS: tuple[Protocol, ...] = ("published", "strict")


class Split(NamedTuple):
    """Row numbers of the examples in each fold, int64."""

    train: Tensor
    validation: Tensor
    """Fold that chooses the epoch."""
    test: Tensor


def folds(utterances: Sequence[Utterance]) -> list[str]:
    """Return the corpus's folds in its own order; UsageError if there are too few, or two share a file name."""
    found = list(dict.fromkeys(utterance.fold for utterance in utterances))
    if len(found) < 3:
        raise UsageError(f"the corpus has the folds {', '.join(found)}; cross-validation needs at least three")
    named: dict[str, str] = {}
    for fold in found:
        name = slug(fold)
        if not name or name in named:
            other = f"that of {named[name]!r} is the same" if name else "nothing is left of it"
            raise UsageError(f"the fold {fold!r} has no file name of its own, as {other}; name it in other letters")
        named[name] = fold
    return found


def split(utterances: Sequence[Utterance], left_out: str, protocol: Protocol) -> Split:
    """Return the rows for training, validation and test if one fold is left out."""
    names = folds(utterances)
    validation = left_out if protocol == "published" else names[names.index(left_out) - 1]
    of = {name: [row for row, utterance in enumerate(utterances) if utterance.fold == name] for name in names}
    train = [row for name in names if name not in (left_out, validation) for row in of[name]]
    return Split(torch.tensor(sorted(train)), torch.tensor(of[validation]), torch.tensor(of[left_out]))


def shared_speakers(utterances: Sequence[Utterance]) -> list[str]:
    """Return the speakers who are in several folds; for these the figures say nothing about new people."""
    folds_of: dict[str, set[str]] = {}
    for utterance in utterances:
        folds_of.setdefault(utterance.speaker, set()).add(utterance.fold)
    return sorted(speaker for speaker, names in folds_of.items() if len(names) > 1)
