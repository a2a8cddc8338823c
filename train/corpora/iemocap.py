"""IEMOCAP, two actors in dialog, scripted and improvised (Busso et al., Language Resources and Evaluation 2008).

The release as it is unpacked: `Session1/dialog/EmoEvaluation/Ses01F_impro01.txt` lists the turns of a dialog,
`Session1/sentences/wav/` has each turn's audio, `Session1/dialog/avi/DivX/` the dialog's video.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from edge.errors import UsageError

from .utterance import Utterance, VideoSegment, unpacked

ABOUT = "IEMOCAP, acted English dialogs (Busso et al. 2008), for research under the USC licence"
EMOTIONS = {"ang": "angry", "hap": "happy", "exc": "happy", "neu": "neutral", "sad": "sad"}
EXPECTED = {"angry": 1103, "happy": 1636, "neutral": 1708, "sad": 1084}
"""Number of utterances of each class in the whole release."""
TURN = re.compile(
    r"\[(?P<begin>\d+\.\d+) - (?P<end>\d+\.\d+)\]\s+"
    r"(?P<dialog>Ses(?P<session>\d\d)(?P<marked>[FM])_\w+)_(?P<actor>[FM])(?P<number>[^_\s]+)\s+"
    r"(?P<emotion>\w+)\s+\["
)
"""Pattern of a line such as `[6.2901 - 8.2357]  Ses01F_impro01_F000  neu  [2.5000, 2.5000, 2.5000]`, with tabs."""


def utterances(root: Path) -> list[Utterance]:
    """Return the turns of the four classes, excited as happy; a fold is a session, whose two actors are in no other."""
    evaluations = unpacked(root, "IEMOCAP_full_release", "Session[1-5]/dialog/EmoEvaluation/Ses*.txt")
    return [
        utterance(evaluation.parents[2], turn)
        for evaluation in evaluations
        for turn in turns(evaluation)
        if turn["emotion"] in EMOTIONS
    ]


def turns(evaluation: Path) -> Iterator[re.Match[str]]:
    """Yield the turns of a dialog; the header and the lines of the single raters are skipped."""
    # Raters' comments are in whatever encoding they were typed in; the lines of the turns are ASCII.
    for number, line in enumerate(evaluation.read_text("latin-1").split("\n"), 1):
        if line.startswith("["):
            turn = TURN.match(line)
            if turn is None:
                raise UsageError(
                    f"{evaluation}, line {number}: {line.strip()!r} is not a turn, expected "
                    "'[begin - end] name emotion [v, a, d]'; copy the file from the release again"
                )
            yield turn


def utterance(session: Path, turn: re.Match[str]) -> Utterance:
    """Return one turn; the actor with the markers, after whom the dialog is named, is in the frame's left half."""
    name, dialog = f"{turn['dialog']}_{turn['actor']}{turn['number']}", turn["dialog"]
    return Utterance(
        name=name,
        path=session / "sentences" / "wav" / dialog / f"{name}.wav",
        label=EMOTIONS[turn["emotion"]],
        speaker=f"iemocap-{turn['session']}{turn['actor']}",
        corpus="iemocap",
        fold=session.name,
        video=VideoSegment(
            path=session / "dialog" / "avi" / "DivX" / f"{dialog}.avi",
            begin_s=float(turn["begin"]),
            end_s=float(turn["end"]),
            half="left" if turn["actor"] == turn["marked"] else "right",
        ),
    )
