"""Indian EmoSpeech Command Dataset, acted keywords, each speaker's own microphone (arXiv 1910.13801).

File names are `keyword-environment-emotion-time-speaker`, in a folder for each speaker. There is no sad speech, calm
stands for neutral, and nobody judged the labels.
"""

from pathlib import Path

from .utterance import Utterance, fields, look_up, recordings

ABOUT = "Indian EmoSpeech Command Dataset, acted keywords, sexes not stated (arXiv 1910.13801), CC BY-NC-SA 4.0"
NAMES = "keyword environment emotion time speaker"
EMOTIONS = {"angry": "angry", "calm": "neutral", "fearful": "fear", "happy": "happy"}
LANGUAGES = {"bacho": "hi", "unknown": "und"}
"""Language of each keyword that is not English; `und` is BCP 47's undetermined."""


def utterances(root: Path) -> list[Utterance]:
    """Return the recordings."""
    found = []
    for path in recordings(root / "emospeech_in", "*/*.opus"):
        keyword, _, emotion, _, speaker = fields(path, "-", NAMES)
        found.append(
            Utterance(
                name=path.stem,
                path=path,
                label=look_up(path, emotion, EMOTIONS),
                speaker=f"emospeech_in-{speaker}",
                corpus="emospeech_in",
                language=LANGUAGES.get(keyword, "en-IN"),
            )
        )
    return found
