"""What a person reads."""

from rich.console import Console

from edge.messages import AudioEvidence, Latency, Prediction, Status, VideoEvidence
from edge.metrics import Accuracy
from edge.show import accuracy_table, confusion_table, latency_table, line, missed


def prediction(seq: int, *, session: str = "ab", total: float = 12.34, agreement: float | None = None) -> Prediction:
    return Prediction(
        1, session, "cam1", seq, 0, 0, 0, 1_000_000_000, 7_000_000_000, 0, "glad", ["calm", "glad"], [0.25, 0.75],
        0.75, agreement, AudioEvidence("ok", -20.0, 0.5), VideoEvidence("no_face", 0, None, 3),
        Latency(1, 2, 3, total), {}, "tiny 0.0.1", "numpy",
    )  # fmt: skip


def printed(table) -> str:
    console = Console(width=120, file=None)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_a_prediction_in_a_line() -> None:
    assert line(prediction(7)) == (
        "cam1 #7  glad      calm  25%  glad  75%  agreement   -    audio ok  video no_face (3 frames)  "
        "window 6.0 s  latency 12.3 ms"
    )
    assert "agreement -0.50" in line(prediction(7, agreement=-0.5))


def test_a_status_in_a_line() -> None:
    assert line(Status(1, "ab", "cam1", 0, 0, "degraded", "lost", "ok", {})) == "cam1 degraded: audio lost, video ok"


def test_missed_messages_are_the_gaps_of_each_session() -> None:
    assert missed([prediction(n) for n in (3, 4, 7, 9)]) == 3
    assert missed([prediction(5), prediction(6), prediction(0, session="cd"), prediction(2, session="cd")]) == 1
    assert missed([]) == 0


def test_percentiles_of_the_latencies() -> None:
    text = printed(latency_table([prediction(n, total=float(n)) for n in range(101)]))
    assert "101 predictions, 0 missed" in text
    row = next(row for row in text.splitlines() if " total " in row)
    assert [cell.strip() for cell in row.strip("│┃ ").split("│")] == ["total", "50.0", "95.0", "99.0", "100.0"]


def test_figures_are_percentages_and_rows_are_the_truth() -> None:
    accuracy = Accuracy(count=4, ua=0.75, wa=0.5, ece=0.125, confusion=[[2, 0], [1, 1]])
    row = next(row for row in printed(accuracy_table({"clips": accuracy})).splitlines() if "clips" in row)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["clips", "4", "75.0", "50.0", "12.5"]
    text = printed(confusion_table("clips", ["calm", "glad"], accuracy))
    assert [cell.strip() for cell in text.splitlines()[-2].strip("│ ").split("│")] == ["glad", "1", "1"]
