"""Checkpoints: what is written is read back, what is none is refused, and nothing is unpickled."""

import ast
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import torch
from torch import nn

from edge.errors import UsageError
from train import checkpoint
from train.checkpoint import Ancestor, Checkpoint, build, load, make_fusion, save
from train.config import Config
from train.tensors import read_tensors, write_tensors

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
    assert not any(module.training for module in found.model.modules())
    expected = written.model.state_dict()
    assert found.model.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in found.model.state_dict().items())


def test_the_header_is_readable(kept: tuple[Path, Checkpoint], tiny: Config) -> None:
    about = header(kept[0])["__metadata__"]
    assert json.loads(about["config"]) == msgspec.to_builtins(tiny)
    assert float(about["temperature"]) == 1.2345678901234567
    assert json.loads(about["measured"]) == MEASURED


def test_what_the_training_began_with_is_kept(tmp_path: Path, tiny: Config) -> None:
    ancestor = Ancestor("foal-old 1.2", "to nobody", ["voices, in a cellar", "faces, of the moon"])
    save(tmp_path / "c.safetensors", Checkpoint(build(tiny), tiny, 1.0, MEASURED, ancestor))
    assert load(tmp_path / "c.safetensors").ancestor == ancestor


def test_the_model_has_the_configs_sizes(tiny: Config) -> None:
    fusion = msgspec.structs.replace(tiny.fusion, heads=2, layers=3)
    model = build(msgspec.structs.replace(tiny, fusion=fusion, labels=["a", "b", "c"]))
    assert model.fusion.cls_head.weight.shape == (3, 16 + 24)
    assert model.fusion.audio_project.linear1.weight.shape == (32, 16)
    assert model.fusion.video_project.linear1.weight.shape == (32, 24)
    stacks = model.fusion.a2v, model.fusion.v2a
    assert [[layer.attention.heads for layer in stack] for stack in stacks] == [[2, 2, 2], [2, 2, 2]]
    assert (model.audio_encoder.width, model.image_encoder.width) == (16, 24)


def test_the_fusion_is_made_as_in_the_whole_model(tiny: Config) -> None:
    shapes = [
        {name: part.shape for name, part in fusion.state_dict().items()}
        for fusion in (make_fusion(tiny), build(tiny).fusion)
    ]
    assert shapes[0] == shapes[1]


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that are imported, and what is imported from them, with dots."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom) and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reads_tensors_alone(call: ast.Call) -> bool:
    return any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in call.keywords)


def test_nothing_is_unpickled_anywhere_in_training() -> None:
    loads = []
    for path in SOURCES.rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = {name for node in ast.walk(tree) for name in imported(node)} - {"pickle.UnpicklingError"}
        assert not {name.partition(".")[0] for name in names} & {"pickle", "dill", "joblib", "cloudpickle"}, path
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        called = [(ast.unparse(call.func), call) for call in calls]
        assert not [call for name, call in called if name == "torch.save"], path
        loads += [(path.name, reads_tensors_alone(call)) for name, call in called if name == "torch.load"]
        assert not {name for name in names if name in {"torch.load", "torch.save"}}, path
    assert sorted(loads) == [("published.py", True), ("voice_teacher.py", True)]


@pytest.mark.parametrize("content", [b"", b"no weights here"])
def test_a_damaged_file_is_refused(kept: tuple[Path, Checkpoint], content: bytes) -> None:
    kept[0].write_bytes(content)
    with pytest.raises(UsageError, match=r"checkpoint\.safetensors is not a safetensors file .* train again"):
        load(kept[0])


def test_one_stages_weights_are_no_checkpoint(kept: tuple[Path, Checkpoint]) -> None:
    path, written = kept
    stage = path.with_name("fusion.safetensors")
    write_tensors(stage, written.model.fusion.state_dict(), {"identity": "[]"})
    with pytest.raises(UsageError, match=r"fusion\.safetensors holds weights of one stage.*look for checkpoint\.safe"):
        load(stage)


def test_a_missing_checkpoint_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no checkpoint at .*; python -m train fit makes one"):
        load(tmp_path / "checkpoint.safetensors")


@pytest.mark.parametrize("change", ["a field that is unknown", "other sizes", "other parts", "no configuration"])
def test_a_checkpoint_of_another_version_is_refused(kept: tuple[Path, Checkpoint], change: str) -> None:
    path = kept[0]
    tensors, about = read_tensors(path)
    fields = json.loads(about["config"])
    if change == "other sizes":
        fields["audio_encoder"]["width"] = 20
    elif change == "other parts":
        tensors["cls_head.weight"] = tensors.pop("fusion.cls_head.weight")
    elif change == "no configuration":
        fields = []
    else:
        fields["unheard_of"] = 1
    write_tensors(path, tensors, {**about, "config": json.dumps(fields)})
    with pytest.raises(
        UsageError, match=r"(?s)checkpoint\.safetensors is damaged, or a checkpoint of another version .*train again"
    ):
        load(path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("temperature", None, "no 'temperature'"),
        ("temperature", "warm", "it is no JSON"),
        ("temperature", "nan", "expected a number above 0|it is no JSON|it breaks off"),
        ("temperature", "-1.0", "expected a number above 0"),
        ("measured", None, "no 'measured'"),
        ("measured", "{", "Expecting property name"),
        ("ancestor", "[]", r"found \[\], expected a map"),
    ],
)
def test_a_damaged_header_is_refused(
    kept: tuple[Path, Checkpoint], field: str, value: str | None, message: str
) -> None:
    path = kept[0]
    tensors, about = read_tensors(path)
    about.pop(field, None)
    write_tensors(path, tensors, about if value is None else {**about, field: value})
    with pytest.raises(UsageError, match=rf"checkpoint\.safetensors is damaged, .*({message}).*; train again"):
        load(path)


def test_weights_that_are_not_finite_are_refused(kept: tuple[Path, Checkpoint]) -> None:
    path = kept[0]
    tensors, about = read_tensors(path)
    tensors["fusion.cls_head.weight"][0, 0] = torch.nan
    write_tensors(path, tensors, about)
    with pytest.raises(UsageError, match=r"fusion\.cls_head\.weight holds numbers that are not finite; train again"):
        load(path)
