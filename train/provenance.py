"""Corpora that a network was trained on, with the terms of each."""

from .checkpoint import Ancestor
from .config import Clips, Config
from .corpora import fer2013
from .corpora.registry import CLIPS, VOICES


def trained_on(config: Config, ancestor: Ancestor | None = None) -> list[str]:
    """Return a line for each corpus of a configuration, and of the network that it went on from, each line once."""
    inherited = ancestor.trained_on if ancestor else []
    if isinstance(config.recipe, Clips):
        own = [CLIPS[config.recipe.corpus].ABOUT]
    else:
        own = [*(VOICES[corpus].ABOUT for corpus in config.recipe.voices), fer2013.ABOUT]
    return list(dict.fromkeys([*own, *inherited]))
