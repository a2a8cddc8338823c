"""Engines ahead of time, really compiled by TensorRT-RTX: nano and base at their real widths, with random weights.

Of base's twelve transformer layers, which are alike, two are compiled; all twelve by `pytest -m slow`.
Nothing is run where there is no GPU: whether an engine computes what it should is for `foal-edge doctor` to show.
"""

import shutil
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import NamedTuple

import onnx_ir
import pytest
import torch
from click.testing import CliRunner
from msgspec.structs import replace

from edge.backends.tensorrt import cache
from edge.backends.tensorrt.compile import compile_graph
from edge.backends.tensorrt.platform import TensorRTVariant, architecture, find_tensorrt
from edge.backends.tensorrt.progress import Phases
from edge.bundle.load import SHIPPED, Bundle, load
from edge.bundle.manifest import File, GraphEntry
from edge.errors import EngineError, UsageError
from export.bundle import BATCHES, TOLERANCE, describe, examples
from export.commands import main
from export.engines import make_targets
from export.graphs import make_graphs, save, write_onnx
from export.tensor_ranges import tensor_ranges
from export.to_fp16 import nodes_kept_fp32, to_fp16
from train import checkpoint, config

CONFIGS = Path(__file__).parents[2] / "configs"
GRAPHS = ["image_encoder", "audio_encoder", "fusion"]
FEW_LAYERS = 2
"""The first of WavLM's makes the position bias that the others take."""
QUICK = {("fp32", "7.5"), ("fp32", "12.0"), ("fp16", "7.5"), ("fp16", "8.9")}
"""Precisions and targets of an ordinary run: what is refused, the oldest and the newest target, each precision."""
TARGETS = [
    pytest.param(*target, marks=[] if target in QUICK else [pytest.mark.slow])
    for target in product(("fp32", "fp16"), ("7.5", "8.6", "8.9", "12.0"))
]
NO_PRODUCT = {("nano", "audio_encoder"), ("nano", "fusion"), *(("base", graph) for graph in GRAPHS)}
"""What TensorRT-RTX refuses in fp32 for Turing, as it has no fp32 matrix product there."""


class Made(NamedTuple):
    """A graph in both precisions."""

    entry: GraphEntry
    paths: dict[str, Path]


@pytest.fixture(scope="module")
def rtx() -> TensorRTVariant:
    return find_tensorrt("tensorrt-rtx")


@pytest.fixture(scope="module", params=["nano", "base", pytest.param("whole base", marks=pytest.mark.slow)])
def tier(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def made(tier: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """A tier's graphs; what stays fp32 in fp16 goes by the ranges of the golden inputs."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp(tier)
    loaded = config.load(CONFIGS / f"{tier.split()[-1]}.yaml")
    if tier == "base":
        loaded = replace(loaded, audio_encoder=replace(loaded.audio_encoder, layers=FEW_LAYERS))
    untrained = checkpoint.Checkpoint(checkpoint.build(loaded), loaded, 1.0, {})
    found = {}
    for graph in make_graphs(untrained, *examples(untrained)):
        paths = {precision: folder / f"{graph.name}.{precision}.onnx" for precision in ("fp32", "fp16")}
        write_onnx(graph, paths["fp32"])
        model = onnx_ir.load(paths["fp32"])
        inputs = {name: tensor.numpy() for name, tensor in graph.inputs.items()}
        to_fp16(model, nodes_kept_fp32(model.graph, tensor_ranges(paths["fp32"], [inputs])))
        save(model, paths["fp16"])
        tensors = [[describe(*item) for item in side.items()] for side in (graph.inputs, graph.expected)]
        batch, file = BATCHES[graph.name], File("made.onnx", "0" * 64)
        found[graph.name] = Made(GraphEntry(file, None, "fp32", [], TOLERANCE, batch, *tensors), paths)
    return found


@pytest.mark.parametrize(("precision", "capability"), TARGETS)
@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_compiles_for_every_target(
    rtx: TensorRTVariant, tier: str, made: dict[str, Made], name: str, precision: str, capability: str, record_property
) -> None:
    entry, paths = made[name]
    phases = Phases(lambda *_: None, bool)
    if (precision, capability) == ("fp32", "7.5") and (tier.split()[-1], name) in NO_PRODUCT:
        with pytest.raises(EngineError, match=r"no fp32 matrix product for Turing .*--precision fp16"):
            compile_graph(rtx, paths[precision], entry, capability, b"", phases)
        return
    started = time.monotonic()
    compiled = compile_graph(rtx, paths[precision], entry, capability, b"", phases)
    took_s = time.monotonic() - started
    weights = sum(
        value.const_value.nbytes
        for value in onnx_ir.load(paths[precision]).graph.initializers.values()
        if value.const_value is not None
    )
    about = f"{tier} {name} {precision} {architecture(capability)}"
    size = f"{compiled.engine.nbytes / 1e6:.1f} MB in {took_s:.1f} s"
    record_property("measured", f"{about}: engine of {size}; execution was not tried")
    assert compiled.engine.nbytes > weights / 2


@pytest.mark.parametrize("name", GRAPHS)
def test_half_precision_is_half_the_size(made: dict[str, Made], name: str) -> None:
    full, half_size = (made[name].paths[precision].stat().st_size for precision in ("fp32", "fp16"))
    assert half_size < 0.7 * full


@pytest.fixture
def copied(tmp_path: Path) -> Bundle:
    return load(Path(shutil.copytree(SHIPPED, tmp_path / "copied")))


def test_the_command_builds_once_for_each_target(copied: Bundle) -> None:
    command = ["engines", str(copied.folder), "--target", "sm89,sm120"]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    built = {file: file.stat().st_mtime_ns for file in (copied.folder / cache.FOLDER).rglob("*.engine")}
    assert sorted(file.stem for file in built) == sorted(2 * GRAPHS)
    assert {file.parent.name.split("-")[1] for file in built} == {"sm89", "sm120"}
    CliRunner().invoke(main, command, catch_exceptions=False)
    assert built == {file: file.stat().st_mtime_ns for file in built}


def test_what_does_not_compile_is_named_after_all_that_does(copied: Bundle) -> None:
    result = CliRunner().invoke(main, ["engines", str(copied.folder), "--target", "sm75"])
    assert isinstance(result.exception, EngineError)
    assert str(result.exception).count("no fp32 matrix product for Turing") == 2
    assert [file.stem for file in (copied.folder / cache.FOLDER).rglob("*.engine")] == ["image_encoder"]


@pytest.mark.parametrize("name", ["sm87", "86", "SM86", "current", ""])
def test_a_target_that_there_is_not_is_named_with_those_that_there_are(name: str) -> None:
    with pytest.raises(UsageError, match=rf"^--target {name!r}: .* builds for sm75, sm80, sm86, sm89, sm120"):
        make_targets(["sm86", name])


def test_a_target_named_twice_is_built_once() -> None:
    assert [target.capability for target in make_targets(["sm120", "sm86", "sm120"])] == ["12.0", "8.6"]


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3])
def test_ctrl_c_ends_a_build_whenever_it_comes(copied: Bundle, delay_s: float) -> None:
    command = [sys.executable, "-m", "export", "engines", str(copied.folder), "--target", "sm86,sm89,sm120"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=CONFIGS.parent)
    assert process.stderr is not None
    assert "building" in process.stderr.readline()
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode not in (0, -signal.SIGINT)
    assert "Traceback" not in said
    assert "Exception caught" not in said
    assert not list((copied.folder / cache.FOLDER).rglob(".*.engine-*"))
