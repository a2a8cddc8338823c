"""Berlin EMO-DB, acted German speech (Burkhardt et al., Interspeech 2005).

File names are speaker (2 digits), text (3 characters), emotion letter, version.
"""

from pathlib import Path

from .utterance import Utterance, look_up, recordings

ABOUT = "EMO-DB, acted German speech of 5 women and 5 men (Burkhardt et al. 2005), free for research"
EMOTIONS = {
    "W": "angry",
    "L": "bored",
    "E": "disgust",
    "A": "fear",
    "F": "happy",
    "N": "neutral",
    "T": "sad",
}
MEN = {"03", "10", "11", "12", "15"}
"""Speakers who are men; the others are women."""


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings."""
    found = []
    for path in recordings(root / "emodb", "*.flac"):
        speaker, emotion = path.stem[:2], path.stem[5:6]
        found.append(
            Utterance(
                name=path.stem,
                path=path,
                label=look_up(path, emotion, EMOTIONS),
                speaker=f"emodb-{speaker}",
                corpus="emodb",
                language="de",
                sex="male" if speaker in MEN else "female",
            )
        )
    return found
