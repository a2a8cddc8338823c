"""CREMA-D, acted English sentences (Cao et al., IEEE Transactions on Affective Computing 2014).

File names are `actor_sentence_emotion_level`: video in `VideoFlash/`, audio in `AudioWAV/`.
"""

from pathlib import Path

from .utterance import Utterance, VideoSegment, in_groups, unpacked

ABOUT = "CREMA-D, acted English sentences (Cao et al. 2014), ODbL 1.0"
EMOTIONS = {"ANG": "angry", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
EXPECTED = {"angry": 1271, "happy": 1271, "neutral": 1087, "sad": 1271}


def utterances(root: Path) -> list[Utterance]:
    """Return the clips of the four classes by the intended emotion; folds are five groups of actors."""
    found = []
    for video in unpacked(root, "CREMA-D", "VideoFlash/????_???_???_??.flv"):
        actor, _, emotion, _ = video.stem.split("_")
        if emotion in EMOTIONS:
            audio = video.parents[1] / "AudioWAV" / f"{video.stem}.wav"
            found.append(
                Utterance(
                    name=video.stem,
                    path=audio if audio.is_file() else video,
                    label=EMOTIONS[emotion],
                    speaker=f"crema-d-{actor}",
                    corpus="crema-d",
                    video=VideoSegment(video),
                )
            )
    return in_groups(found)
