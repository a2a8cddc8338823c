"""RAVDESS, acted English speech (Livingstone & Russo 2018, doi 10.1371/journal.pone.0196391).

File names are `modality-channel-emotion-intensity-statement-repetition-actor`; actors of odd numbers are men.
"""

from pathlib import Path

from .utterance import Utterance, fields, look_up, recordings

ABOUT = "RAVDESS, acted English speech of 12 women and 12 men (Livingstone & Russo 2018), CC BY-NC-SA 4.0"
NAMES = "modality channel emotion intensity statement repetition actor"
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings."""
    found = []
    for path in recordings(root / "ravdess", "Actor_*/*.flac"):
        _, _, emotion, _, _, _, actor = fields(path, "-", NAMES)
        found.append(
            Utterance(
                name=path.stem,
                path=path,
                label=look_up(path, emotion, EMOTIONS),
                speaker=f"ravdess-{actor}",
                corpus="ravdess",
                language="en",
                sex="male" if int(actor) % 2 else "female",
            )
        )
    return found
