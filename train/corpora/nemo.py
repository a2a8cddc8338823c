"""nEMO, acted Polish speech (Christop 2024, arXiv 2404.06292). File names are `speaker_emotion_number`."""

from pathlib import Path

from .utterance import Utterance, recordings

ABOUT = "nEMO, acted Polish speech (Christop 2024), CC BY-NC-SA 4.0"
EMOTIONS = {"anger": "angry", "happiness": "happy", "neutral": "neutral", "sadness": "sad"}


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings of the four classes."""
    found = []
    for path in recordings(root / "nemo", "*.opus"):
        speaker, emotion, _ = path.stem.split("_")
        if emotion in EMOTIONS:
            found.append(Utterance(path.stem, path, EMOTIONS[emotion], f"nemo-{speaker}", "nemo"))
    return found
