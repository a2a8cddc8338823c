"""Copies: recordings that a corpus holds twice, found by their content."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from edge.bundle.load import sha256

from .utterance import Utterance


def find_copies(utterances: Sequence[Utterance]) -> Mapping[str, Utterance]:
    """Return the original of each exact copy that has another fold or label, by the copy's name."""
    found: dict[str, Utterance] = {}
    for alike in same_content(utterances):
        first = alike[0]
        for later in alike[1:]:
            if (later.fold, later.label) != (first.fold, first.label):
                found[later.name] = first
    return found


def same_content(utterances: Iterable[Utterance]) -> list[list[Utterance]]:
    """Return groups of utterances whose files are equal byte for byte; only files of equal size are read.

    Utterances that are segments of one file are not copies of each other.
    """
    by_size: dict[int, dict[Path, Utterance]] = defaultdict(dict)
    for utterance in utterances:
        if os.access(utterance.path, os.R_OK) and utterance.path.is_file():
            by_size[utterance.path.stat().st_size].setdefault(utterance.path, utterance)
    by_content: dict[str, list[Utterance]] = defaultdict(list)
    for alike in by_size.values():
        if len(alike) > 1:
            for path, utterance in alike.items():
                by_content[sha256(path)].append(utterance)
    return [group for group in by_content.values() if len(group) > 1]
