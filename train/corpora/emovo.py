"""EMOVO, acted Italian sentences (Costantini et al., LREC 2014). File names are `emotion-speaker-sentence`."""

from pathlib import Path

from .utterance import Sex, Utterance, fields, look_up, recordings

ABOUT = "EMOVO, acted Italian sentences (Costantini et al. 2014), free for research"
NAMES = "emotion speaker sentence"
EMOTIONS = {
    "rab": "angry",
    "dis": "disgust",
    "pau": "fear",
    "gio": "happy",
    "neu": "neutral",
    "tri": "sad",
    "sor": "surprise",
}
SEXES: dict[str, Sex] = {"f": "female", "m": "male"}
"""Sex by the first letter of a speaker's name."""


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings."""
    found = []
    for path in recordings(root / "emovo", "*.opus"):
        emotion, speaker, _ = fields(path, "-", NAMES)
        found.append(
            Utterance(
                name=path.stem,
                path=path,
                label=look_up(path, emotion, EMOTIONS),
                speaker=f"emovo-{speaker}",
                corpus="emovo",
                language="it",
                sex=look_up(path, speaker[:1], SEXES),
            )
        )
    return found
