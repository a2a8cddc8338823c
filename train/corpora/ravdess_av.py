"""RAVDESS with its video, named as in `ravdess.py`: modality 01 is audio and video, channel 01 speech."""

from pathlib import Path

from .ravdess import EMOTIONS
from .utterance import Utterance, VideoSegment, in_groups, unpacked

ABOUT = "RAVDESS, acted English speech, audio and video (Livingstone & Russo 2018), CC BY-NC-SA 4.0"
EXPECTED = {"angry": 192, "happy": 192, "neutral": 96, "sad": 192}


def utterances(root: Path) -> list[Utterance]:
    """Return the clips of the four classes anywhere below `root`; folds are five groups of actors.

    An actor has one name in both RAVDESS corpora, so that nobody is trained on in one and tested on in the other.
    """
    found = []
    for path in unpacked(root, "RAVDESS", "**/01-01-*.mp4"):
        fields = path.stem.split("-")
        if fields[2] in EMOTIONS:
            found.append(
                Utterance(
                    name=path.stem,
                    path=path,
                    label=EMOTIONS[fields[2]],
                    speaker=f"ravdess-{fields[6]}",
                    corpus="ravdess-av",
                    video=VideoSegment(path),
                )
            )
    return in_groups(found)
