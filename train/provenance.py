"""Corpora that a configuration trains on, with the terms of each."""

from .config import Clips, Config
from .corpora import fer2013
from .corpora.registry import CLIPS, VOICES


def trained_on(config: Config) -> list[str]:
    """Return a line for each corpus: its name, citation and terms."""
    if isinstance(config.recipe, Clips):
        return [CLIPS[config.recipe.corpus].ABOUT]
    return [*(VOICES[corpus].ABOUT for corpus in config.recipe.voices), fer2013.ABOUT]
