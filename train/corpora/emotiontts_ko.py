"""emotiontts_open_db, acted Korean sentences of conversation.

File names are `speaker number_emotion`, without the space: three letters, five digits.
"""

from pathlib import Path

from .utterance import LABELS, Utterance, fields, look_up, recordings

ABOUT = "emotiontts_open_db, acted Korean sentences (github.com/emotiontts), CC BY-NC-SA 4.0, research"
NAMES = "speaker-and-number emotion"
EMOTIONS = {label: label for label in LABELS}
WOMEN = {"ema", "emb", "nea", "neb", "nec", "ned", "nee"}
"""Speakers who are women; the others are men."""


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings."""
    found = []
    for path in recordings(root / "emotiontts_ko", "*.opus"):
        number, emotion = fields(path, "_", NAMES)
        speaker = number[:3]
        found.append(
            Utterance(
                name=path.stem,
                path=path,
                label=look_up(path, emotion, EMOTIONS),
                speaker=f"emotiontts_ko-{speaker}",
                corpus="emotiontts_ko",
                language="ko",
                sex="female" if speaker in WOMEN else "male",
            )
        )
    return found
