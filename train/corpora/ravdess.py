"""RAVDESS, acted English speech (Livingstone & Russo 2018, doi 10.1371/journal.pone.0196391).

File names are `modality-channel-emotion-intensity-statement-repetition-actor`.
"""

from pathlib import Path

from .utterance import Utterance, recordings

ABOUT = "RAVDESS, acted English speech (Livingstone & Russo 2018), CC BY-NC-SA 4.0"
EMOTIONS = {"01": "neutral", "03": "happy", "04": "sad", "05": "angry"}


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings of the four classes; calm, fearful, disgusted and surprised ones are left out."""
    found = []
    for path in recordings(root / "ravdess", "Actor_*/*.flac"):
        fields = path.stem.split("-")
        if fields[2] in EMOTIONS:
            found.append(Utterance(path.stem, path, EMOTIONS[fields[2]], f"ravdess-{fields[6]}", "ravdess"))
    return found
