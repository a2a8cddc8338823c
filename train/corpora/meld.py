"""MELD, scenes of a television series (Poria et al., ACL 2019, arXiv 1810.02508).

Each part has a table, `train_sent_emo.csv`, and a folder of clips, `train_splits/dia0_utt0.mp4`. The corpus's own
split is kept as the folds, and its speakers recur over them: a figure on it says nothing of unknown people.
"""

from collections.abc import Iterator
from pathlib import Path

from edge.evaluation.csv_table import rows

from .utterance import Utterance, VideoSegment, unpacked

ABOUT = "MELD, scenes of a television series (Poria et al. 2019), GPL-3.0, clips for research"
EMOTIONS = {"anger": "angry", "joy": "happy", "neutral": "neutral", "sadness": "sad"}
EXPECTED = {"angry": 1607, "happy": 2308, "neutral": 6436, "sad": 1002}
CLIPS = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}


def utterances(root: Path) -> list[Utterance]:
    """Return the utterances of the four classes; the folds are train, dev and test."""
    folder = unpacked(root, "MELD.Raw", "train_sent_emo.csv")[0].parent
    return [utterance for part in CLIPS for utterance in part_of(folder, part)]


def part_of(folder: Path, part: str) -> Iterator[Utterance]:
    """Yield the utterances of one part."""
    for _, row in rows(folder / f"{part}_sent_emo.csv", ("Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")):
        if row["Emotion"] in EMOTIONS:
            clip = f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}"
            path = folder / CLIPS[part] / f"{clip}.mp4"
            yield Utterance(
                name=f"{part}_{clip}",
                path=path,
                label=EMOTIONS[row["Emotion"]],
                speaker=f"meld-{row['Speaker']}",
                corpus="meld",
                fold=part,
                video=VideoSegment(path),
            )
