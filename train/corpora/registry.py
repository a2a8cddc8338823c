"""Registry of the corpora by their names in configurations and on the command line."""

from pathlib import Path
from typing import Protocol

from edge.errors import UsageError

from . import ased, crema_d, emodb, emospeech_in, emotiontts_ko, emovo, iemocap, meld, nemo, ravdess, ravdess_av, table
from .utterance import Utterance


class Corpus(Protocol):
    """Interface of a corpus's module."""

    ABOUT: str
    """Name, citation and terms of the corpus, in a line."""

    def utterances(self, root: Path) -> list[Utterance]:
        """Return the utterances of the corpus in the folder that it was unpacked to."""
        ...


VOICES: dict[str, Corpus] = {
    "ravdess": ravdess,
    "emodb": emodb,
    "nemo": nemo,
    "ased": ased,
    "emospeech_in": emospeech_in,
    "emotiontts_ko": emotiontts_ko,
    "emovo": emovo,
}
"""Corpora of audio only."""
CLIPS: dict[str, Corpus] = {
    "iemocap": iemocap,
    "crema-d": crema_d,
    "ravdess-av": ravdess_av,
    "meld": meld,
    "table": table,
}
"""Corpora of audio and video."""


def one_track_is_enough(corpus: Corpus) -> bool:
    """Return whether the files of the corpus may lack audio or video."""
    return getattr(corpus, "ONE_TRACK_IS_ENOUGH", False)


def find(name: str) -> Corpus:
    """Return the corpus of that name; UsageError if there is none."""
    corpora = VOICES | CLIPS
    if name not in corpora:
        raise UsageError(f"no corpus is named {name}; there are {', '.join(corpora)}")
    return corpora[name]
