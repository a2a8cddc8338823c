"""MELD: utterances from the three tables."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from tests.train.made_clips import write_text
from train.corpora import meld
from train.corpora.utterance import Utterance, VideoSegment

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
ROWS = {
    "train": '1,"Oh, that\x92s it\x85",Chandler,anger,negative,0,3,8,21,"00:16:16,059","00:16:21,731"\n'
    '2,"Two\nlines",The Interviewer,surprise,positive,0,4,8,21,"00:16:21,940","00:16:23,442"\n',
    "dev": '1,Yes.,Monica,joy,positive,0,3,4,7,"00:20:57,256","00:21:00,049"\n',
    "test": '1,No.,Chandler,neutral,neutral,1,0,2,3,"00:00:01,000","00:00:02,000"\n'
    '2,"He said ""no"".",Joey,sadness,negative,1,1,2,3,"00:00:02,000","00:00:03,000"\n',
}


@pytest.fixture(params=["utf-8", "latin-1"])
def release(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    for part, rows in ROWS.items():
        write_text(tmp_path / "MELD.Raw" / f"{part}_sent_emo.csv", HEADER + rows, request.param)
    return tmp_path / "MELD.Raw"


def utterance(path: Path, part: str, name: str, label: str, speaker: str) -> Utterance:
    return Utterance(name, path, label, speaker, "meld", fold=part, video=VideoSegment(path))


def test_the_corpuss_own_split_is_kept_whatever_the_tables_encoding(release: Path) -> None:
    assert meld.utterances(release.parent) == [
        utterance(release / "train_splits/dia0_utt3.mp4", "train", "train_dia0_utt3", "angry", "meld-Chandler"),
        utterance(release / "dev_splits_complete/dia0_utt3.mp4", "dev", "dev_dia0_utt3", "happy", "meld-Monica"),
        utterance(
            release / "output_repeated_splits_test/dia1_utt0.mp4", "test", "test_dia1_utt0", "neutral", "meld-Chandler"
        ),
        utterance(release / "output_repeated_splits_test/dia1_utt1.mp4", "test", "test_dia1_utt1", "sad", "meld-Joey"),
    ]
    assert meld.utterances(release) == meld.utterances(release.parent)


def test_a_missing_table_and_a_missing_column_are_refused_by_name(release: Path) -> None:
    (release / "dev_sent_emo.csv").unlink()
    with pytest.raises(UsageError, match=r"no such table: .*dev_sent_emo\.csv"):
        meld.utterances(release)
    write_text(release / "dev_sent_emo.csv", HEADER.replace("Emotion", "Feeling"))
    with pytest.raises(UsageError, match=r"dev_sent_emo\.csv has no column Emotion; its first line is"):
        meld.utterances(release)
    (release / "train_sent_emo.csv").unlink()
    with pytest.raises(UsageError, match=r"no train_sent_emo\.csv in .*; give the folder MELD\.Raw"):
        meld.utterances(release)
