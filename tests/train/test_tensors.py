"""Files of tensors: written whole or not at all, and read back as they were."""

import pickle
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from edge.errors import UsageError
from train import tensors
from train.tensors import fingerprint, read_tensors, write_tensors


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "weights.safetensors"
    write_tensors(path, {"a": torch.arange(300.0)}, {"key": "value"})
    return path


def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    several = {
        "half": torch.randn(3, 2).half(),
        "brain": torch.randn(3).bfloat16(),
        "mask": torch.tensor([True, False]),
        "transposed": torch.arange(6).view(2, 3).T,
        "scalar": torch.tensor(2.5),
        "none": torch.zeros(0, 4),
    }
    write_tensors(tmp_path / "t.safetensors", several, {"key": "value, ü"})
    found, about = read_tensors(tmp_path / "t.safetensors")
    assert about == {"key": "value, ü"}
    assert found.keys() == several.keys()
    assert all(found[key].dtype == several[key].dtype and torch.equal(found[key], several[key]) for key in several)


def test_a_file_without_a_header_has_an_empty_one(tmp_path: Path) -> None:
    tensors.save_file({"a": torch.zeros(1)}, tmp_path / "t.safetensors")
    assert read_tensors(tmp_path / "t.safetensors")[1] == {}


def test_folders_are_made_and_nothing_else_is_left(written: Path) -> None:
    assert [path.name for path in written.parent.iterdir()] == ["weights.safetensors"]


def test_a_kill_while_writing_leaves_the_old_file(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Path(shutil.copy(written, written.with_name("before")))

    def killed(_: object, partial: Path, __: object) -> None:
        partial.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(tensors, "save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        write_tensors(written, {"a": torch.zeros(1)}, {})
    assert written.read_bytes() == before.read_bytes()


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    damaged = {
        "empty": b"",
        "cut short": content[: len(content) // 2],
        "cut in its header": content[:20],
        "text": b"no weights here",
        "a pickle": pickle.dumps({"weights": [1.0, 2.0]}),
    }
    path.write_bytes(damaged[how])


@pytest.mark.parametrize("how", ["empty", "cut short", "cut in its header", "text", "a pickle"])
def test_a_damaged_file_is_refused(written: Path, how: str) -> None:
    damage(written, how)
    with pytest.raises(
        UsageError,
        match=r"weights\.safetensors is not a safetensors file .* delete it and train again, or give another file",
    ):
        read_tensors(written)


@pytest.mark.parametrize("name", ["none.safetensors", "."])
def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"no checkpoint at .*; python -m train fit makes one"):
        read_tensors(tmp_path / name)


def test_a_fingerprint_follows_from_every_weight_and_from_nothing_else() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = fingerprint(module)
    assert len(bytes.fromhex(before)) == 32
    assert fingerprint(module.eval()) == before
    twin = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert fingerprint(twin) != before
    twin.load_state_dict(module.state_dict())
    assert fingerprint(twin) == before
    for name, tensor in twin.state_dict().items():
        tensor.add_(1)
        assert fingerprint(twin) != before, name
        tensor.sub_(1)
        twin.load_state_dict(module.state_dict())
    assert fingerprint(nn.ModuleDict({"other": module})) != before
