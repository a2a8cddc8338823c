"""The exported table: exact times, nulls as empty cells."""

import csv
import io

from edge.view.csv_table import csv_table
from edge.view.history import StreamHistory
from tests.edge.made_messages import EVENT, PREDICTION, numbered

NOON_NS = 1_700_000_000_123_456_789


def test_a_row_holds_what_the_message_said():
    history = StreamHistory("main")
    history.add(numbered(300, PREDICTION, t_end=NOON_NS, dropped={"windows_late": 2, "frames_stale": 1}))
    history.add(numbered(0, EVENT, t_since=NOON_NS, label="gla,d"))
    (row,) = csv.DictReader(io.StringIO(csv_table(history.points)))
    assert int(row["t_end"]) == NOON_NS  # as a float it would be 11 ns off
    assert (row["seq"], row["label"], row["steady"], row["agreement"]) == ("300", "glad", "gla,d", "")
    assert (float(row["p_calm"]), float(row["p_glad"])) == (0.25, 0.75)
    assert (row["audio_state"], row["rms_dbfs"], row["video_state"], row["faces"]) == ("silent", "", "ok", "1")
    assert (float(row["total_ms"]), row["dropped"]) == (4.0, "3")


def test_nothing_has_a_heading():
    assert csv_table([]).startswith("session,seq,t_start,")
    assert csv_table([]).count("\n") == 1
