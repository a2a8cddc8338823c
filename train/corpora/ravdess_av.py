"""RAVDESS with its video, named as in `ravdess.py`: modality 01 is audio and video, channel 01 speech."""

from pathlib import Path

from .ravdess import EMOTIONS, NAMES
from .utterance import LABELS, Utterance, VideoSegment, fields, in_groups, look_up, unpacked

ABOUT = "RAVDESS, acted English speech, audio and video (Livingstone & Russo 2018), CC BY-NC-SA 4.0"
EXPECTED = {"angry": 192, "happy": 192, "neutral": 96, "sad": 192}


def utterances(root: Path) -> list[Utterance]:
    """Return the clips of the four classes anywhere below `root`; folds are five groups of actors.

    An actor has one name in both RAVDESS corpora, so that nobody is trained on in one and tested on in the other.
    """
    found = []
    for path in unpacked(root, "RAVDESS", "**/01-01-*.mp4"):
        _, _, emotion, _, _, _, actor = fields(path, "-", NAMES)
        label = look_up(path, emotion, EMOTIONS)
        if label in LABELS:
            found.append(
                Utterance(
                    name=path.stem,
                    path=path,
                    label=label,
                    speaker=f"ravdess-{actor}",
                    corpus="ravdess-av",
                    video=VideoSegment(path),
                )
            )
    return in_groups(found)
