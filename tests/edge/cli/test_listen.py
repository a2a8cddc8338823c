"""`foal-edge listen`, as it is typed."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from edge.cli import listen
from edge.cli.listen import count_predictions, latency_table, percentile
from edge.wire.evidence import Latency
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, PREDICTION, STATS, STATUS, nothing, numbered, unchanged

ROOT = Path(__file__).parents[3]
NOBODY = "tcp://127.0.0.1:9"
LAST = [STATUS, STATS, *(numbered(n, PREDICTION, stream=f"cam{n}") for n in range(1, 4))]


@pytest.fixture
def address() -> Iterator[str]:
    """Where who joins gets a status, the figures and three predictions."""
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    for message in LAST:
        publisher.publish(message)
    yield publisher.address
    publisher.close()


def is_one_paragraph(text: str) -> bool:
    said = text.rpartition("\n\nError: ")[2].strip()  # click puts its usage above
    return bool(said) and "\n\n" not in said and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ("listen --connect nowhere", 2, "--connect nowhere begins with neither tcp:// nor ipc://"),
        (f"listen --connect {NOBODY} --timeout 0.01", 3, f"no message from {NOBODY} for 0.01 s"),
        (f"listen --connect {NOBODY} --timeout 0.01 --topic x.", 3, f"no message from {NOBODY}, topic x. for 0.01 s"),
        (f"listen --connect {NOBODY} --timeout nan", 2, "--timeout"),
        ("listen --count 0", 2, "--count"),
        ("listen --keys nowhere", 2, "no keys at nowhere/client.key_secret"),
    ],
)
def test_bad_input_ends_with_its_status_and_one_paragraph(
    edge_command, tmp_path, monkeypatch, arguments: str, status: int, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    ended = edge_command(*arguments.split())
    assert ended.status == status
    assert reason in ended.err
    assert is_one_paragraph(ended.err)


def test_listen_ends_after_so_many_predictions(edge_command, address) -> None:
    ended = edge_command("listen", "--connect", address, "--count", 2, "--timeout", 20)
    lines = ended.out.splitlines()
    assert ended.status == 0
    assert lines[0].endswith("  cam1  online: audio ok, video off")
    assert lines[1].endswith("  dropped so far: windows_late 1")
    assert [line.split("  ")[1] for line in lines[2:]] == ["cam1", "cam2"]


def test_listen_prints_a_json_document_a_line(edge_command, address) -> None:
    ended = edge_command("listen", "--connect", address, "--count", 2, "--json", "--timeout", 20)
    documents = [json.loads(line) for line in ended.out.splitlines()]
    assert [document["type"] for document in documents] == ["status", "stats", "prediction", "prediction"]
    assert documents[3]["seq"] == 2


@pytest.mark.parametrize("options", [[], ["--latest"]])
def test_listen_hears_only_its_topic(edge_command, address, options: list[str]) -> None:
    arguments = ["--topic", "emotion.cam2.", "--count", 1, "--timeout", 20, "--stats", *options]
    lines = edge_command("listen", "--connect", address, *arguments).out.splitlines()
    assert lines[0].split("  ")[1] == "cam2"
    assert "1 predictions, 0 missed" in lines[1]


def test_a_publisher_that_falls_silent_is_told_once(edge_command, address, monkeypatch) -> None:
    monkeypatch.setattr(listen, "PATIENCE_S", 0.1)
    ended = edge_command("listen", "--connect", address, "--timeout", 3)
    assert ended.status == 3
    assert ended.err.count(f"nothing from {address} any more: is foal-edge running there") == 1


def test_a_topic_that_was_heard_may_be_silent(edge_command, address, monkeypatch) -> None:
    monkeypatch.setattr(listen, "PATIENCE_S", 0.1)
    ended = edge_command("listen", "--connect", address, "--timeout", 3, "--topic", "emotion.cam2.")
    assert ended.out.count("cam2") == 1
    assert "any more" not in ended.err
    assert f"no message from {address}, topic emotion.cam2. for 3 s" in ended.err


def test_listen_ends_in_order_at_ctrl_c(address) -> None:
    command = [sys.executable, "-m", "edge", "listen", "--connect", address]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert "cam1  online" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "stopped\n")


def test_only_predictions_are_counted() -> None:
    sent = {"emotion.x.": 2, "emotion.y.": 2, "person.x.1.": 1, "status.x.": 7, "stats.": 9}
    assert count_predictions({("a", topic): number for topic, number in sent.items()}) == 5


def test_percentiles_of_the_latencies() -> None:
    kept = [numbered(n, PREDICTION, latency_ms=Latency(1, 2, 3, float(n))) for n in range(101)]

    def printed(skipped: int) -> str:
        console = Console(width=120, file=None)
        with console.capture() as captured:
            console.print(latency_table(kept, 2, skipped))
        return captured.get()

    assert "101 predictions, 2 missed" in printed(0)
    assert "skipped" not in printed(0)
    row = next(row for row in printed(0).splitlines() if " total " in row)
    assert [cell.strip() for cell in row.strip("│┃ ").split("│")] == ["total", "50.0", "95.0", "99.0", "100.0"]
    assert "101 predictions, 2 missed, 5 skipped" in printed(5)


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_a_percentile_is_that_of_numpy(count: int) -> None:
    values = sorted(np.random.default_rng(0).random(count).tolist())
    for share in (0, 50, 95, 99, 100):
        assert percentile(values, share) == pytest.approx(np.percentile(values, share))
