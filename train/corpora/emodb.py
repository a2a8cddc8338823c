"""Berlin EMO-DB, acted German speech (Burkhardt et al., Interspeech 2005).

File names are speaker (2 digits), text (3 characters), emotion letter, version.
"""

from pathlib import Path

from .utterance import Utterance, recordings

ABOUT = "EMO-DB, acted German speech (Burkhardt et al. 2005), free for research"
EMOTIONS = {"W": "angry", "F": "happy", "N": "neutral", "T": "sad"}


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings of the four classes; bored, disgusted and afraid ones are left out."""
    return [
        Utterance(path.stem, path, EMOTIONS[path.stem[5]], f"emodb-{path.stem[:2]}", "emodb")
        for path in recordings(root / "emodb", "*.flac")
        if path.stem[5] in EMOTIONS
    ]
