"""Checkpoints: what is written is read back, what is none is refused, and nothing is unpickled."""

import ast
import json
import pickle
import shutil
import struct
from pathlib import Path

import msgspec
import pytest
import torch
from torch import nn

from edge.errors import UsageError
from tests.train.made import Trained
from train import checkpoint
from train.checkpoint import Checkpoint, build, load, read_tensors, save, write_tensors
from train.config import Config

SOURCES = Path(checkpoint.__file__).parent
MEASURED = {"test both": {"count": 12, "ua": 0.1 + 0.2, "wa": 0.5, "ece": 1 / 3}}


@pytest.fixture
def kept(tmp_path: Path, tiny: Config) -> tuple[Path, Checkpoint]:
    torch.manual_seed(0)
    model = build(tiny)
    for buffer in model.buffers():
        if buffer.is_floating_point():
            nn.init.uniform_(buffer, 0.5, 2.0)
    written = Checkpoint(model, tiny, 1.2345678901234567, MEASURED)
    save(tmp_path / "deep" / "checkpoint.safetensors", written)
    return tmp_path / "deep" / "checkpoint.safetensors", written


def header(path: Path) -> dict:
    """A safetensors file's header, read by hand."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size])


def test_a_checkpoint_alone_rebuilds_the_model(kept: tuple[Path, Checkpoint]) -> None:
    path, written = kept
    found = load(path)
    assert found._replace(model=written.model) == written
    assert not found.model.training
    expected = written.model.state_dict()
    assert found.model.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in found.model.state_dict().items())


def test_the_header_is_readable(kept: tuple[Path, Checkpoint], tiny: Config) -> None:
    about = header(kept[0])["__metadata__"]
    assert json.loads(about["config"]) == msgspec.to_builtins(tiny)
    assert float(about["temperature"]) == 1.2345678901234567
    assert json.loads(about["measured"]) == MEASURED


def test_the_model_has_the_configs_sizes(tiny: Config) -> None:
    model = build(tiny)
    assert model.cls_head.weight.shape == (4, 16 + 24)
    assert model.audio_project.linear1.weight.shape == (32, 16)
    assert model.video_project.linear1.weight.shape == (32, 24)
    assert (len(model.a2v), len(model.v2a), model.a2v[0].attention.heads) == (2, 2, 4)


def test_nothing_is_pickled_anywhere_in_training() -> None:
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not names & {"pickle", "dill", "joblib", "cloudpickle"}, path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "torch":
                assert node.attr not in {"load", "save"}, path


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    damaged = {
        "empty": b"",
        "cut short": content[: len(content) // 2],
        "cut in its header": content[:100],
        "text": b"no weights here",
        "a pickle": pickle.dumps({"weights": [1.0, 2.0]}),
    }
    path.write_bytes(damaged[how])


@pytest.mark.parametrize("how", ["empty", "cut short", "cut in its header", "text", "a pickle"])
def test_a_damaged_file_is_refused(kept: tuple[Path, Checkpoint], how: str) -> None:
    damage(kept[0], how)
    with pytest.raises(UsageError, match=r"checkpoint\.safetensors is no safetensors file .* train again"):
        load(kept[0])


@pytest.mark.parametrize("stage", ["faces", "voices", "fusion"])
def test_one_stages_weights_are_no_checkpoint(trained: Trained, stage: str) -> None:
    with pytest.raises(UsageError, match=rf"{stage}\.safetensors holds weights of one stage"):
        load(trained.run / f"{stage}.safetensors")


def test_a_missing_checkpoint_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no checkpoint at .*; python -m train fit makes one"):
        load(tmp_path / "checkpoint.safetensors")


@pytest.mark.parametrize("change", ["a field that is unknown", "other sizes"])
def test_a_checkpoint_of_another_version_is_refused(kept: tuple[Path, Checkpoint], change: str) -> None:
    path = kept[0]
    tensors, about = read_tensors(path)
    fields = json.loads(about["config"])
    if change == "other sizes":
        fields["widths"]["audio"] = 20
    else:
        fields["unheard_of"] = 1
    write_tensors(path, tensors, {**about, "config": json.dumps(fields)})
    with pytest.raises(UsageError, match=r"checkpoint\.safetensors"):
        load(path)


def test_a_kill_while_writing_leaves_the_old_file(
    kept: tuple[Path, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = kept
    before = shutil.copy(path, path.with_name("before"))

    def killed(_: object, partial: Path, __: object) -> None:
        partial.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        write_tensors(path, {"a": torch.zeros(1)}, {})
    assert path.read_bytes() == Path(before).read_bytes()


def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    tensors = {
        "half": torch.randn(3, 2).half(),
        "mask": torch.tensor([True, False]),
        "transposed": torch.arange(6).view(2, 3).T,
        "scalar": torch.tensor(2.5),
    }
    write_tensors(tmp_path / "t.safetensors", tensors, {"key": "value"})
    found, about = read_tensors(tmp_path / "t.safetensors")
    assert about == {"key": "value"}
    assert found.keys() == tensors.keys()
    assert all(found[key].dtype == tensors[key].dtype and torch.equal(found[key], tensors[key]) for key in tensors)
