"""Tables of sections with figures of their own."""

from pathlib import Path

from train.field.drawing import draw
from train.field.results import Results
from train.field.rows import OwnFigures, Row
from train.field.table import markdown, summary
from train.intervals import Interval

ROW = Row("who speaks", "turns", None, {}, {}, OwnFigures(12, {"right %": Interval(97.25, 95.6, 98.9)}))
RESULTS = Results("a bundle", "key", "python -m train field", {}, {"who speaks/turns": [ROW]})


def test_a_section_may_have_columns_of_its_own(tmp_path: Path) -> None:
    table = markdown(RESULTS)
    assert "|  | n | right % |\n| :-- | --: | --: |\n| turns | 12 | 97.2 (96 to 99) |" in table
    assert summary(ROW) == "who speaks: turns  n 12  right % 97.2 (96 to 99)"
    assert not draw(tmp_path / "field.png", RESULTS)
    assert not (tmp_path / "field.png").exists()
