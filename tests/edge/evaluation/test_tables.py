"""Accuracies as a person reads them."""

from rich.console import Console

from edge.evaluation.metrics import Accuracy
from edge.evaluation.tables import accuracy_table, confusion_table


def printed(table) -> str:
    console = Console(width=120, file=None)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_figures_are_percentages_and_rows_are_the_truth() -> None:
    accuracy = Accuracy(count=4, ua=0.75, wa=0.5, ece=0.125, confusion=[[2, 0], [1, 1]])
    row = next(row for row in printed(accuracy_table({"clips": accuracy})).splitlines() if "clips" in row)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["clips", "4", "75.0", "50.0", "12.5"]
    text = printed(confusion_table("clips", ["calm", "glad"], accuracy))
    assert [cell.strip() for cell in text.splitlines()[-2].strip("│ ").split("│")] == ["glad", "1", "1"]
