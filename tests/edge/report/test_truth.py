"""Labels of the user's, and the agreement with them."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.errors import UsageError
from edge.report.truth import Part, judge, read_parts
from tests.edge.annotation.made_rows import ROW

TABLE = Path("labels.csv")


def rows(*labels: str) -> list:
    """A row each half second with this label for sure."""
    return [
        replace(ROW, end_s=number / 2, label=label, probs={name: float(name == label) for name in ("calm", "glad")})
        for number, label in enumerate(labels, 1)
    ]


def test_windows_are_judged_by_the_part_that_they_end_in() -> None:
    parts = [Part(0, 1, "calm"), Part(1, 2, "Glad"), Part(2, 9, "angry")]
    accuracy = judge(rows("calm", "glad", "glad", "glad", "calm", "calm"), parts, TABLE)
    assert (accuracy.count, accuracy.confusion) == (4, [[1, 1], [0, 2]])


def test_an_uncertain_window_is_wrong() -> None:
    uncertain = replace(rows("calm")[0], label="uncertain")
    accuracy = judge([uncertain, *rows("calm")], [Part(0, 1, "calm")], TABLE)
    assert (accuracy.count, accuracy.wa, accuracy.confusion) == (2, 0.5, [[1, 0], [0, 0]])


def test_labels_that_meet_no_window_are_refused() -> None:
    with pytest.raises(UsageError, match=r"labels\.csv labels no window with one of calm, glad"):
        judge(rows("calm"), [Part(0, 1, "cross"), Part(7, 8, "calm")], TABLE)


@pytest.mark.parametrize("head", ["begin,end,label", "start_s,end_s,emotion", "Onset,Offset,Text", "xmin,xmax,text"])
def test_common_names_of_columns_are_known(tmp_path: Path, head: str) -> None:
    (tmp_path / "t.csv").write_text(f"{head}\n0,1.5,calm\n1.5,2,glad\n")
    assert read_parts(tmp_path / "t.csv") == [Part(0, 1.5, "calm"), Part(1.5, 2, "glad")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,1,calm", "line 2: could not convert"),
        ("2,1,calm", "line 2: it ends at 1 s, which is not after 2 s"),
        ("nan,1,calm", "line 2: it ends"),
        ("0,1,", "line 2: no label"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    (tmp_path / "t.csv").write_text(f"begin,end,label\n{row}\n")
    with pytest.raises(UsageError, match=reason):
        read_parts(tmp_path / "t.csv")
