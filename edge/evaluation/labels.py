"""Labels of tables by the words that corpora use, matched to those of a bundle."""

from collections.abc import Sequence

WORDS = (
    ("angry", "anger", "ang"),
    ("happy", "happiness", "hap", "joy", "joyful"),
    ("neutral", "neutrality", "neu"),
    ("sad", "sadness"),
    ("fear", "fearful", "fea", "afraid"),
    ("disgust", "disgusted", "dis"),
    ("surprise", "surprised", "sur"),
)
"""Words for one emotion each, in lower case. What corpora merge (excited with happy, calm with neutral) is not here."""


def match(label: str, labels: Sequence[str]) -> str | None:
    """Return the one of `labels` that a table's label means: the same, but for its case, or a synonym; else None."""
    if label in labels:
        return label
    word = label.strip().casefold()
    same = next((words for words in WORDS if word in words), (word,))
    found = [each for each in labels if each.casefold() in same]
    return found[0] if len(found) == 1 else None
