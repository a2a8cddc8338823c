"""ASED, acted Amharic sentences (Retta et al. 2022, doi 10.1145/3529759).

File names are `class-sentence-repetition-sex-speaker`, sex 01 female, 02 male, in a folder for each class.
"""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from .utterance import Sex, Utterance, fields, look_up, recordings

ABOUT = (
    "ASED, acted Amharic sentences of 25 women and 40 men (Retta et al. 2022), published for research, no licence "
    "stated"
)
NAMES = "class sentence repetition sex speaker"
EMOTIONS = {"angry": "angry", "fearful": "fear", "happy": "happy", "neutral": "neutral", "sad": "sad"}
SEXES: dict[str, Sex] = {"01": "female", "02": "male"}


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings; the sex of a speaker whose file names contradict each other is left empty."""
    found = []
    sexes: dict[str, set[Sex]] = defaultdict(set)
    for path in recordings(root / "ased", "*/*.opus"):
        _, _, _, sex, speaker = fields(path, "-", NAMES)
        label = look_up(path, path.parent.name, EMOTIONS)
        found.append(Utterance(path.stem, path, label, f"ased-{speaker}", "ased", language="am"))
        sexes[found[-1].speaker].add(look_up(path, sex, SEXES))
    certain = {speaker: next(iter(said)) for speaker, said in sexes.items() if len(said) == 1}
    return [replace(utterance, sex=certain.get(utterance.speaker, "")) for utterance in found]
