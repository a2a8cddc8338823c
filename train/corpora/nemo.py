"""nEMO, acted Polish speech (Christop 2024, arXiv 2404.06292). File names are `speaker_emotion_number`."""

from pathlib import Path

from .utterance import Utterance, fields, look_up, recordings

ABOUT = "nEMO, acted Polish speech of 4 women and 5 men (Christop 2024), CC BY-NC-SA 4.0"
NAMES = "speaker emotion number"
EMOTIONS = {
    "anger": "angry",
    "fear": "fear",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprise",
}
WOMEN = {"EB0", "IC0", "KD0", "MK0"}
"""Speakers who are women by the corpus's table `data.tsv`; the other five are men."""


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings."""
    found = []
    for path in recordings(root / "nemo", "*.opus"):
        speaker, emotion, _ = fields(path, "_", NAMES)
        found.append(
            Utterance(
                name=path.stem,
                path=path,
                label=look_up(path, emotion, EMOTIONS),
                speaker=f"nemo-{speaker}",
                corpus="nemo",
                language="pl",
                sex="female" if speaker in WOMEN else "male",
            )
        )
    return found
