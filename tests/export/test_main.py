"""The command: from the checkpoint of a real training to a bundle, errors without a traceback."""

import sys
from pathlib import Path

import pytest

from edge.errors import EngineError, UsageError
from export.__main__ import run_command
from tests.edge.backends.tensorrt import made_tensorrt
from tests.export.conftest import Exported, Lowered


def test_it_tells_each_graphs_difference_and_the_size(exported: Exported) -> None:
    lines = exported.output.strip().splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == ["image_encoder", "audio_encoder", "fusion"]
    for line in lines[:3]:
        assert float(line.rpartition(" ")[2]) <= 1e-4
    size = sum(path.stat().st_size for path in exported.folder.iterdir())
    assert lines[-1] == f"{exported.folder}: {size / 1e6:.1f} MB"


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.safetensors", "no checkpoint at"), ("faces.safetensors", "holds weights of one stage")],
)
def test_what_is_no_checkpoint_is_refused_in_one_line(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    message: str,
) -> None:
    command = ["bundle", str(trained.with_name(name)), "-o", str(tmp_path / "bundle")]
    monkeypatch.setattr(sys, "argv", ["export", *command])
    with pytest.raises(SystemExit) as stopped:
        run_command()
    said = capsys.readouterr().err or f"{stopped.value.code}\n"
    assert said.startswith("export: ")
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())
    assert stopped.value.code == UsageError.exit_status


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_it_tells_what_a_lower_precision_changes(lowered: Lowered, precision: str) -> None:
    told = [line.partition(":")[0] for line in lowered(precision).output.splitlines()]
    graphs = ["image_encoder", "audio_encoder", "fusion"]
    wanted = [*(f"{name} in {precision}" for name in graphs), precision]
    assert [line for line in told if line in wanted] == wanted


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_lower_precision_needs_the_corpora(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], precision: str
) -> None:
    monkeypatch.delenv("FOAL_DATA", raising=False)
    command = ["bundle", str(trained), "-o", str(tmp_path / "bundle"), "--precision", precision]
    monkeypatch.setattr(sys, "argv", ["export", *command])
    with pytest.raises(SystemExit) as stopped:
        run_command()
    said = capsys.readouterr().err
    assert f"--precision {precision} needs the corpora that foal-tiny was trained on" in said
    assert "--data or FOAL_DATA" in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())
    assert stopped.value.code == UsageError.exit_status


def test_a_model_repository_is_written_of_a_bundle_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tritonclient.grpc", reason="pip install 'foal-edge[triton]'")
    folder = tmp_path / "models"
    monkeypatch.setattr(sys, "argv", ["export", "triton", "foal-nano", "-o", str(folder), "--hop", "1"])
    with pytest.raises(SystemExit) as stopped:
        run_command()
    assert not stopped.value.code
    assert capsys.readouterr().out.startswith(
        f"{folder}/foal-nano.image_encoder: version 3001, onnx, batches of up to 32"
    )
    assert "max_queue_delay_microseconds: 10000" in (folder / "foal-nano.fusion" / "config.pbtxt").read_text()


def test_plans_of_tensorrt_need_it_and_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tritonclient.grpc", reason="pip install 'foal-edge[triton]'")
    made_tensorrt.installed(monkeypatch, version="8.6.2")
    command = ["triton", "foal-nano", "-o", str(tmp_path / "models"), "--platform", "tensorrt"]
    monkeypatch.setattr(sys, "argv", ["export", *command])
    with pytest.raises(SystemExit) as stopped:
        run_command()
    assert "no TensorRT to use (tensorrt is 8.6.2" in capsys.readouterr().err
    assert stopped.value.code == EngineError.exit_status
