"""The paper's size, WavLM-large and CLIP ViT-L/14 with random weights, from a checkpoint to a bundle that runs.

Gigabytes and minutes: `pytest -m slow`.
"""

import time
from pathlib import Path

import pytest
import torch

from edge.backends.base import get_graph
from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import differences
from edge.backends.tensorrt.compile import compile_graph
from edge.backends.tensorrt.platform import find_tensorrt
from edge.backends.tensorrt.progress import Phases
from edge.bundle import golden
from edge.bundle.load import load
from export.bundle import write
from train import checkpoint, config

CONFIG = Path(__file__).parents[2] / "configs" / "large.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    loaded = config.load(CONFIG)
    made = tmp_path_factory.mktemp("large") / "foal-large"
    write(checkpoint.Checkpoint(checkpoint.build(loaded), loaded, 1.0, {}), made, print)
    return made


@pytest.mark.slow
def test_its_weights_lie_beside_its_graphs_and_its_golden_outputs_come_out(folder: Path, record_property) -> None:
    bundle = load(folder)
    backend = OrtBackend(bundle)
    for name, entry in bundle.manifest.graphs.by_name().items():
        assert (entry.weights is not None) == (name != "fusion")
        size = sum(bundle.path(file).stat().st_size for file in entry.files) / 1e6
        worst = max(differences(get_graph(backend, name), entry, golden.load(bundle)[name]).values())
        record_property("measured", f"large {name} fp32: {size:.0f} MB, largest difference from torch {worst:.1e}")
        assert worst <= entry.tolerance


@pytest.mark.slow
@pytest.mark.parametrize("name", ["image_encoder", "audio_encoder", "fusion"])
def test_its_graphs_compile(folder: Path, name: str, record_property) -> None:
    bundle = load(folder)
    entry = bundle.manifest.graphs.by_name()[name]  # type: ignore[index]
    started = time.monotonic()
    watch = Phases(lambda *_: None, bool)
    compiled = compile_graph(find_tensorrt("tensorrt-rtx"), bundle.path(entry.file), entry, "8.9", b"", watch)
    took_s = time.monotonic() - started
    record_property(
        "measured", f"large {name} fp32 sm89: engine of {compiled.engine.nbytes / 1e6:.0f} MB in {took_s:.0f} s"
    )
    assert compiled.engine.nbytes > 1e7
