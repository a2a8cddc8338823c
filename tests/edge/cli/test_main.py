"""The command line: what it prints, how it ends, what it says of bad input."""

import json
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import zmq

from edge.bundle.load import SHIPPED, load
from edge.sources.demo import MOODS, PARTS, face
from edge.wire.addresses import DEFAULT_ADDRESS
from edge.wire.messages import Prediction, Status
from edge.wire.subscriber import Subscriber

ROOT = Path(__file__).parents[3]
ANY_PORT = "tcp://127.0.0.1:*"
DEMO = ("--demo", "--fast", "--bind", ANY_PORT, "--threads", 1)
WITHOUT_PORTAUDIO = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
sys.meta_path.insert(0, Missing())
from edge.cli.main import run_command
run_command()
"""


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def is_one_paragraph(text: str) -> bool:
    said = text.rpartition("\n\nError: ")[2].strip()  # click puts its usage above
    return bool(said) and "\n\n" not in said and "Traceback" not in text


@pytest.fixture(scope="module")
def files(tmp_path_factory, make_clip, tone) -> Path:
    """A folder of recordings, a table, a damaged bundle."""
    folder = tmp_path_factory.mktemp("files")
    make_clip(folder / "both.mkv", np.stack([face(MOODS[0])] * 10), tone(1.0))
    make_clip(folder / "dumb.mkv", np.stack([face(MOODS[0])] * 10))
    make_clip(folder / "blind.wav", samples=tone(1.0))
    make_clip(folder / "short.wav", samples=tone(0.2))
    (folder / "face.png").touch()
    (folder / "text.txt").write_text("no recording\n" * 100)
    shutil.copytree(SHIPPED, folder / "damaged")
    (folder / "damaged" / "fusion.onnx").write_bytes(b"damaged")
    (folder / "cross.csv").write_text("path,label\nboth.mkv,cross\n")
    return folder


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ("--camera 99 --mic off", 3, "cannot open camera 99"),
        ("--camera 99", 3, "cannot open camera 99"),
        ("--camera off --mic off", 2, "camera off and mic off"),
        ("--fast", 2, "--fast is for recordings"),
        ("--demo --file both.mkv", 2, "two recordings"),
        ("--demo --stream a.b", 2, "--stream 'a.b'"),
        ("--demo --hop 0", 2, "--hop"),
        ("--demo --fast --hop nan", 2, "--hop"),
        ("--demo --framing round", 2, "--framing"),
        ("--demo --detector eyes", 2, "--detector"),
        ("--demo --nonsense", 2, "--nonsense"),
        ("nonsense", 2, "nonsense"),
        ("scroe a.csv", 2, "Did you mean 'score'?"),
        ("both.mkv", 2, "to play it, say --file both.mkv"),
        ("face.png", 2, "It is an image: foal-edge score predicts labelled images"),
        ("--file dumb.mkv", 3, "dumb.mkv has no audio; say --mic off"),
        ("--file blind.wav", 3, "blind.wav has no video; say --camera off"),
        ("--file text.txt", 3, "text.txt"),
        ("--file gone.mkv", 3, "no such file: gone.mkv"),
        ("--file short.wav --camera off --fast --quiet", 3, "short.wav gave no window"),
        ("--demo --bundle damaged", 4, "fusion.onnx is damaged"),
        ("--demo --bundle nowhere", 4, "no bundle at nowhere"),
        ("doctor foal-nan", 4, "the package has foal-nano"),
        ("--demo --bind nowhere", 2, "--bind nowhere begins with neither tcp:// nor ipc://"),
        ("--demo --bind tcp://192.0.2.1:1 --insecure", 5, "cannot publish at tcp://192.0.2.1:1"),
        ("score gone.csv", 2, "no such table: gone.csv"),
        ("score cross.csv", 2, "cross.csv, line 2: label 'cross' is none of the bundle's"),
        ("score cross.csv --no-audio --no-video", 2, "nothing to go by"),
        ("score cross.csv --csv gone/answers.csv", 2, "no such folder: gone; make it first"),
        ("score cross.csv --bundle damaged", 4, "fusion.onnx is damaged"),
    ],
)
def test_bad_input_ends_with_its_status_and_one_paragraph(
    edge_command, files, monkeypatch, arguments: str, status: int, reason: str
) -> None:
    monkeypatch.chdir(files)
    others = ("score", "scroe", "nonsense", "doctor", "both.mkv", "face.png")
    bind = [] if arguments.startswith(others) or "--bind" in arguments else ["--bind", ANY_PORT]
    ended = edge_command(*bind, *arguments.split())
    assert ended.status == status
    assert reason in ended.err
    assert is_one_paragraph(ended.err)


def test_a_port_in_use_is_named(edge_command) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        socket.bind(ANY_PORT)
        address = socket.getsockopt_string(zmq.LAST_ENDPOINT)
        ended = edge_command("--demo", "--bind", address)
    assert ended.status == 5
    assert ended.err.startswith(
        f"foal-edge: cannot publish at {address}: Address already in use; another foal-edge may"
    )
    assert is_one_paragraph(ended.err)


@pytest.mark.parametrize("options", [["--fast"], ["--fast", "--bind", "off"], ["--bind", "off"]])
def test_runs_that_need_no_port_do_not_fight_for_one(edge_command, files, options: list[str]) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        with suppress(zmq.ZMQError):  # another program has the default port already: as good
            socket.bind(DEFAULT_ADDRESS)
        ended = edge_command("--file", files / "both.mkv", "--threads", 1, *options)
    assert ended.status == 0
    assert ended.err.endswith(", not publishing\n")
    assert any("%  by " in line for line in ended.out.splitlines())


def test_the_demo_prints_what_runs_then_a_line_a_message(edge_command) -> None:
    ended = edge_command(*DEMO, "--hop", 2, "--mic", "off")
    lines = ended.out.splitlines()
    assert ended.status == 0
    assert ended.err.startswith("model   foal-nano ")
    assert "publishing at tcp://127.0.0.1:" in ended.err
    assert [line.split()[0] for line in lines if "%  by face" in line][:10] == [
        f"0:{second:02}.8" for second in range(1, 20, 2)
    ]
    assert [line.split("  ")[1] for line in lines if "demo" in line] == [
        f"the demo shows {part.shows}" for part in PARTS
    ]
    assert lines[-1].endswith("  main  stopped")


def test_quiet_prints_nothing(edge_command, files) -> None:
    ended = edge_command("--file", files / "both.mkv", "--fast", "--bind", ANY_PORT, "--quiet")
    assert (ended.status, ended.out, ended.err) == (0, "", "")


def test_quiet_leaves_the_log_in_json_which_says_what_runs_where(files) -> None:
    arguments = ["--file", str(files / "both.mkv"), "--fast", "--bind", "off", "--backend", "onnxruntime"]
    ended = in_a_process("-m", "edge", *arguments, "--quiet", "--log-format", "json")
    model, faces, played, output = [json.loads(line) for line in ended.stderr.splitlines()]
    assert (ended.returncode, ended.stdout, model["level"]) == (0, "", "info")
    assert re.fullmatch(r"model   foal-nano \S+ on onnxruntime-cpu \(.+\)", model["message"])
    assert re.fullmatch(r"faces   by (cascade|centerface) \(.+\)", faces["message"])
    assert re.fullmatch(r"input   .*both\.mkv", played["message"])
    assert output["message"] == "output  nothing is kept, not publishing"


@pytest.mark.parametrize("arguments", [["--help"], ["devices", "--help"], ["score", "--help"]])
def test_help_of_every_command(edge_command, arguments: list[str]) -> None:
    ended = edge_command(*arguments)
    assert ended.status == 0
    assert ended.out.startswith("Usage: ")


def test_the_version_is_told_from_a_checkout_too() -> None:
    ended = in_a_process("-m", "edge", "--version")
    assert "Traceback" not in ended.stderr
    assert (ended.returncode, ended.stdout.split()[0].rstrip(",")) == (0, "foal-edge")


@pytest.mark.parametrize(
    "arguments", [["--camera", "off", "--bind", "off"], ["--camera", "99", "--bind", "off"], ["devices"]]
)
def test_without_portaudio_the_remedy_is_given(arguments: list[str]) -> None:
    ended = in_a_process("-c", WITHOUT_PORTAUDIO, *arguments)
    assert ended.returncode == 3
    assert "apt install libportaudio2" in ended.stderr
    assert is_one_paragraph(ended.stderr)


def test_without_portaudio_the_cameras_are_still_listed() -> None:
    assert in_a_process("-c", WITHOUT_PORTAUDIO, "devices").stdout.startswith("cameras")


def test_without_portaudio_a_recording_runs(files) -> None:
    arguments = ["--file", str(files / "both.mkv"), "--fast", "--bind", ANY_PORT, "--quiet"]
    ended = in_a_process("-c", WITHOUT_PORTAUDIO, *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "edge", "--demo", "--bind", ANY_PORT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = next(line for line in process.stderr if line.startswith("output ")).split()[-1]
            with Subscriber(address) as subscriber:
                while not isinstance(subscriber.receive(30), Prediction):
                    continue
                process.send_signal(number)
                last = [message for message in iter(lambda: subscriber.receive(2), None)][-1]
            assert isinstance(last, Status)
            assert last.state == "stopped"
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    assert out.splitlines()[-1].endswith("  main  stopped")
    assert err == ""


def test_a_reader_that_goes_away_ends_it() -> None:
    command = [sys.executable, "-m", "edge", "--demo", "--fast", "--hop", "0.1", "--bind", ANY_PORT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            process.stdout.readline()
            process.stdout.close()
            process.wait(60)
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


@pytest.mark.parametrize(("options", "counted", "status"), [(["--no-audio"], 2, 3), (["--no-video"], 2, 3), ([], 3, 0)])
def test_score_counts_what_it_could_predict_and_lists_the_rest(
    edge_command, files, options: list[str], counted: int, status: int
) -> None:
    label = load(SHIPPED).manifest.labels[0]
    rows = "".join(f"{name},{label}\n" for name in ("both.mkv", "dumb.mkv", "blind.wav"))
    (files / "table.csv").write_text("path,label\n" + rows)
    ended = edge_command("score", files / "table.csv", *options)
    assert ended.status == status
    cells = next(line for line in ended.out.splitlines() if "table.csv" in line).strip("│ ").split("│")
    assert int(cells[1]) == counted
    if status:
        assert "1 of 3 clips could not be predicted:" in ended.err
        assert ("blind.wav" in ended.err, "dumb.mkv" in ended.err) == ("--no-audio" in options, "--no-video" in options)


def test_score_lists_a_missing_file_and_goes_on(edge_command, files) -> None:
    label = load(SHIPPED).manifest.labels[0]
    (files / "table.csv").write_text(f"path,label\ngone.wav,{label}\nboth.mkv,{label}\n")
    ended = edge_command("score", files / "table.csv")
    assert ended.status == 3
    assert "1 of 2 clips could not be predicted:" in ended.err
    assert f"no such file: {files / 'gone.wav'}" in ended.err
    assert "Traceback" not in ended.err


def test_score_predicts_still_pictures(edge_command, files, make_clip) -> None:
    label = load(SHIPPED).manifest.labels[0]
    make_clip(files / "still.mkv", face(MOODS[1])[None])
    (files / "table.csv").write_text(f"path,label\nstill.mkv,{label}\n")
    ended = edge_command("score", files / "table.csv", "--no-audio")
    assert ended.status == 0
    assert int(next(line for line in ended.out.splitlines() if "table.csv" in line).split("│")[2]) == 1
