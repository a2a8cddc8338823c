"""The command `foal-edge annotate`."""

import csv
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.sources.demo import MOODS, face
from edge.system.signals import FORCED_STATUS
from tests.edge.made_messages import WAIT_S

Command = Callable[..., Any]
ROOT = Path(__file__).parents[3]
CPU = ("--backend", "onnxruntime", "--threads", 1)


@pytest.fixture
def films(tmp_path: Path, make_clip: Callable[..., Path], tone: Callable[..., np.ndarray]) -> Path:
    folder = tmp_path / "films"
    (folder / "deep").mkdir(parents=True)
    make_clip(folder / "both.mkv", np.stack([face(MOODS[0])] * 10), tone(1.0))
    make_clip(folder / "deep" / "blind.wav", samples=tone(1.0))
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_recordings_are_annotated_once(edge_command: Command, films: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = edge_command("annotate", films, "-o", out, "--format", "csv", "--format", "jsonl", *CPU)
    assert ended.status == 0
    assert "deep/blind.wav has no video: it is annotated by its audio alone" in ended.err
    assert "2 of 2 recordings annotated" in ended.err
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == [
        *("both.emotions.about.json", "both.emotions.csv", "both.emotions.jsonl"),
        *("deep/blind.emotions.about.json", "deep/blind.emotions.csv", "deep/blind.emotions.jsonl"),
    ]
    assert [row["end_s"] for row in rows(out / "both.emotions.csv")] == ["0.5", "1.0"]

    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.csv")}
    (out / "deep" / "blind.emotions.about.json").unlink()  # as if the program had ended before it was whole
    ended = edge_command("annotate", films, "-o", out, *CPU)
    assert "1 of 2 recordings annotated" in ended.err
    assert "1 were done before" in ended.err
    assert {path.name for path in times if path.stat().st_mtime_ns != times[path]} == {"blind.emotions.csv"}


def test_what_is_damaged_is_named_and_the_others_go_on(edge_command: Command, films: Path, tmp_path: Path) -> None:
    (films / "broken.mp4").write_bytes(b"no film" * 100)
    ended = edge_command("annotate", films, films / "gone.mp4", "-o", tmp_path / "out", *CPU)
    assert ended.status == 3
    assert "2 of 4 recordings could not be annotated:" in ended.err
    assert re.search(r"broken\.mp4 cannot be read as a recording", ended.err)
    assert re.search(r"no such file: .*gone\.mp4", ended.err)
    assert len(list((tmp_path / "out").rglob("*.csv"))) == 2


def test_other_settings_do_not_overwrite_unless_asked(edge_command: Command, films: Path, tmp_path: Path) -> None:
    recording, out = films / "deep" / "blind.wav", tmp_path / "out"
    edge_command("annotate", recording, "-o", out, *CPU)
    ended = edge_command("annotate", recording, "-o", out, "--hop", "0.25", *CPU)
    assert (ended.status, len(rows(out / "blind.emotions.csv"))) == (2, 2)
    assert "hop_s 0.5, now 0.25; give another -o, or --overwrite" in ended.err
    ended = edge_command("annotate", recording, "-o", out, "--hop", "0.25", "--overwrite", "--quiet", *CPU)
    assert (ended.status, len(rows(out / "blind.emotions.csv"))) == (0, 4)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "nothing to annotate; give recordings"),
        (("x.mp4", "--no-audio", "--no-video"), "leave nothing to go by"),
        (("x/a.mp4", "y/a.mp4"), "the same file"),
        (("x.mp4", "--format", "xls"), "--format"),
        (("x.mp4", "--hop", "nan"), "--hop"),
    ],
)
def test_what_makes_no_sense_is_refused(
    edge_command: Command, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    ended = edge_command("annotate", *arguments, "-o", tmp_path / "out")
    assert ended.status == 2
    assert reason in ended.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(edge_command: Command, films: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = edge_command("annotate", films, "-o", tmp_path / "file" / "out", *CPU)
    assert ended.status == 2
    assert "cannot make the folder" in ended.err


def test_a_path_in_place_of_a_command_is_explained(edge_command: Command, films: Path) -> None:
    said = edge_command(films / "both.mkv").err
    assert f"to play it, say --file {films / 'both.mkv'}" in " ".join(said.split())
    assert f"annotate {films / 'both.mkv'} -o OUT" in " ".join(said.split())
    assert "to annotate what is in it, say annotate" in " ".join(edge_command(films).err.split())


def test_ctrl_c_ends_the_wait_for_a_scheduler(films: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra spread is not installed")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        command = [
            sys.executable,
            "-m",
            "edge",
            "annotate",
            str(films),
            "-o",
            str(tmp_path / "out"),
            "--workers",
            address,
        ]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            try:
                connection, _ = silent.accept()  # it waits for an answer now
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=WAIT_S)
            finally:
                process.kill()
        connection.close()
    assert process.returncode == FORCED_STATUS
    assert err.strip() == ""
