"""What a person reads."""

from rich.console import Console

from edge.cli.tables import accuracy_table, confusion_table, latency_table, line, status_report
from edge.evaluation.metrics import Accuracy
from edge.wire.control_messages import StatusReply
from edge.wire.messages import Latency, Prediction
from tests.edge.made_messages import EVENT, PREDICTION, STATS, STATUS, numbered


def prediction(seq: int, *, total: float = 12.34, **fields: float) -> Prediction:
    times = {"mono_start": 1_000_000_000, "mono_end": 7_000_000_000}
    return numbered(seq, PREDICTION, latency_ms=Latency(1, 2, 3, total), **times, **fields)


def printed(table) -> str:
    console = Console(width=120, file=None)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_a_prediction_in_a_line() -> None:
    assert line(prediction(7)) == (
        "cam1 #7  glad      calm  25%  glad  75%  agreement   -    audio silent  video ok (30 frames)  "
        "window 6.0 s  latency 12.3 ms"
    )
    assert "agreement -0.50" in line(prediction(7, agreement=-0.5))


def test_a_status_in_a_line() -> None:
    assert line(numbered(1, STATUS, state="degraded", audio="lost")) == "cam1 degraded: audio lost, video off"


def test_an_event_in_a_line() -> None:
    assert line(EVENT) == "cam1 is uncertain (50%), before glad"
    assert line(numbered(0, EVENT, label="calm", previous=None)) == "cam1 is calm (50%)"


def test_stats_in_a_line() -> None:
    assert line(STATS) == (
        "up 4 s  8 predictions  hop 0.5 s  busy 25%  waiting frames 1, blocks 2  dropped windows_late 1"
    )
    assert line(numbered(0, STATS, queues={"frames": 0}, dropped={})).endswith("waiting nothing  dropped nothing")


def test_a_status_report_says_what_runs_a_row_a_stream_and_the_load() -> None:
    about = {"bundle": "tiny 0.0.1", "pid": "7"}
    first, second, table, last = status_report(StatusReply(about, [STATUS, numbered(2, stream="cam2")], STATS))
    assert [first, second, last] == ["bundle  tiny 0.0.1", "pid     7", line(STATS)]
    rows = [
        [cell.strip() for cell in row.strip("│ ").split("│")] for row in printed(table).splitlines() if "cam" in row
    ]
    assert rows == [[name, "online", "ok", "off", "0.5", "frames_overload 2"] for name in ("cam1", "cam2")]
    *_, last = status_report(StatusReply({}, [], None))
    assert last.startswith("no figures yet")


def test_percentiles_of_the_latencies() -> None:
    kept = [prediction(n, total=float(n)) for n in range(101)]
    text = printed(latency_table(kept, 2, 0))
    assert "101 predictions, 2 missed" in text
    assert "skipped" not in text
    row = next(row for row in text.splitlines() if " total " in row)
    assert [cell.strip() for cell in row.strip("│┃ ").split("│")] == ["total", "50.0", "95.0", "99.0", "100.0"]
    assert "101 predictions, 2 missed, 5 skipped" in printed(latency_table(kept, 2, 5))


def test_figures_are_percentages_and_rows_are_the_truth() -> None:
    accuracy = Accuracy(count=4, ua=0.75, wa=0.5, ece=0.125, confusion=[[2, 0], [1, 1]])
    row = next(row for row in printed(accuracy_table({"clips": accuracy})).splitlines() if "clips" in row)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["clips", "4", "75.0", "50.0", "12.5"]
    text = printed(confusion_table("clips", ["calm", "glad"], accuracy))
    assert [cell.strip() for cell in text.splitlines()[-2].strip("│ ").split("│")] == ["glad", "1", "1"]
