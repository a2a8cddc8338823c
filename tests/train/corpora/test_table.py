"""A table of one's own clips, and every way in which one can be wrong."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from tests.train.made_clips import write_text
from train.corpora import table
from train.corpora.utterance import Utterance, VideoSegment

HEADER = "path,label,speaker,fold\n"


def test_rows_become_utterances_with_paths_from_the_tables_folder(tmp_path: Path) -> None:
    path = write_text(tmp_path / "table.csv", f"\ufeff{HEADER}a/1.mp4,angry,ann,one\r\n\r\n/far/b.wav,sad,bob,two\r\n")
    assert table.utterances(tmp_path) == [
        Utterance(
            "a_1", tmp_path / "a/1.mp4", "angry", "table-ann", "table", "one", VideoSegment(tmp_path / "a/1.mp4")
        ),
        Utterance("far_b", Path("/far/b.wav"), "sad", "table-bob", "table", "two", VideoSegment(Path("/far/b.wav"))),
    ]
    assert table.utterances(path) == table.utterances(tmp_path)


def test_any_label_will_do_as_the_configuration_lists_its_own(tmp_path: Path) -> None:
    write_text(tmp_path / "table.csv", HEADER + "x.mp4,Bored,ann,1\ny.mp4,so-so,bob,2\n")
    assert [utterance.label for utterance in table.utterances(tmp_path)] == ["Bored", "so-so"]


def test_columns_may_come_in_another_order_and_with_others(tmp_path: Path) -> None:
    write_text(tmp_path / "table.csv", "speaker,fold,note,label,path\nann,1,,happy,x.mkv\n")
    assert [(u.name, u.label, u.speaker, u.fold) for u in table.utterances(tmp_path)] == [
        ("x", "happy", "table-ann", "1")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column path, label, speaker, fold; its first line is '', expected 'path,label,speaker,fold'"),
        ("path,label,who\nx.mp4,sad,ann\n", "has no column speaker, fold; its first line is 'path,label,who'"),
        (HEADER, "has no rows; give each clip a line path,label,speaker,fold"),
        (HEADER + "x.mp4,sad,ann,1\ny.mp4,,ann,1\n", "line 3: no label; fill it in or delete the line"),
        (HEADER + "x.mp4,sad,ann\n", "line 2: no fold; fill it in or delete the line"),
        (HEADER + "x,y.mp4,sad,ann,1\n", "line 2: more than 4 values; quote what has a comma"),
        (
            HEADER + 'x.mp4,"sad,ann,1\n',
            "the row that begins in line 2: unexpected end of data; is a quote",
        ),
        (HEADER + ".,sad,ann,1\n", "line 2: path '.' names no file; give a clip's"),
        (HEADER + "/,sad,ann,1\n", "line 2: path '/' names no file; give a clip's"),
        (HEADER + "a/x.mp4,sad,ann,1\na_x.wav,sad,ann,1\n", "line 3: a_x.wav is named a_x like an earlier line's"),
    ],
)
def test_a_wrong_table_is_refused_with_the_line_and_the_remedy(tmp_path: Path, text: str, message: str) -> None:
    write_text(tmp_path / "table.csv", text)
    with pytest.raises(UsageError) as refusal:
        table.utterances(tmp_path)
    assert message in str(refusal.value)
    assert str(refusal.value).startswith(str(tmp_path / "table.csv"))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such table: .*table\.csv"):
        table.utterances(tmp_path)
