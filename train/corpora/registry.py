"""Every corpus by its name in configurations and on the command line."""

from pathlib import Path
from typing import Protocol

from edge.errors import UsageError

from . import crema_d, emodb, iemocap, meld, nemo, ravdess, ravdess_av, table
from .utterance import Utterance


class Corpus(Protocol):
    """What a corpus's module has."""

    ABOUT: str
    """Its name, citation and terms, in a line."""

    def utterances(self, root: Path) -> list[Utterance]:
        """Its utterances, from the folder that it was unpacked to."""
        ...


VOICES: dict[str, Corpus] = {"ravdess": ravdess, "emodb": emodb, "nemo": nemo}
"""Sound only."""
CLIPS: dict[str, Corpus] = {
    "iemocap": iemocap,
    "crema-d": crema_d,
    "ravdess-av": ravdess_av,
    "meld": meld,
    "table": table,
}
"""Sound and picture."""


def one_track_is_enough(corpus: Corpus) -> bool:
    """Whether its files may lack sound or picture."""
    return getattr(corpus, "ONE_TRACK_IS_ENOUGH", False)


def find(name: str) -> Corpus:
    """The corpus of that name; UsageError where there is none."""
    corpora = VOICES | CLIPS
    if name not in corpora:
        raise UsageError(f"no corpus is named {name}; there are {', '.join(corpora)}")
    return corpora[name]
