"""Tables of accuracies for a terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from .metrics import Accuracy


def accuracy_table(rows: Mapping[str, Accuracy]) -> Table:
    """Return a table of UA, WA and calibration error in percent, a row per evaluation."""
    table = Table()
    for column in ("", "count", "UA %", "WA %", "ECE %"):
        table.add_column(column, justify="left" if not column else "right")
    for name, row in rows.items():
        table.add_row(name, str(row.count), *(f"{100 * share:.1f}" for share in (row.ua, row.wa, row.ece)))
    return table


def confusion_table(title: str, labels: Sequence[str], accuracy: Accuracy) -> Table:
    """Return the confusion matrix, a row per true label and a column per predicted label."""
    table = Table("truth \\ predicted", *labels, title=title)
    for label, row in zip(labels, accuracy.confusion, strict=True):
        table.add_row(label, *map(str, row))
    return table
