"""FLOPs and memory traffic of a graph, against those that follow from its layers by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge.bench.flops import Cost, graph_cost, node_flop
from edge.bundle import golden
from edge.bundle.load import SHIPPED, Bundle, load

FRAMES, WIDTH = 2, 160
IMAGE_CONVOLUTIONS = [
    # channels in and out, side of the kernel, side of the output
    (1, 32, 3, 32),
    (32, 32, 3, 32),
    (32, 32, 3, 32),
    (32, 64, 3, 16),
    (64, 64, 3, 16),
    (32, 64, 1, 16),
    (64, 64, 3, 16),
    (64, 64, 3, 16),
    (64, 128, 3, 8),
    (128, 128, 3, 8),
    (64, 128, 1, 8),
    (128, 128, 3, 8),
    (128, 128, 3, 8),
    (128, WIDTH, 3, 4),
    (WIDTH, WIDTH, 3, 4),
    (128, WIDTH, 1, 4),
]
"""Of the nano image encoder: a stem and six residual blocks, on 64 x 64."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load(SHIPPED)


def test_the_image_encoder_is_counted_as_by_hand(bundle: Bundle) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, 64, 64, 3)).astype(np.uint8)
    by_hand = sum(2 * FRAMES * c_in * c_out * kernel**2 * side**2 for c_in, c_out, kernel, side in IMAGE_CONVOLUTIONS)
    found = graph_cost(bundle, "image_encoder", {"frames": frames})
    assert found.gflop == pytest.approx(by_hand / 1e9)
    file = (SHIPPED / "image_encoder.onnx").stat().st_size
    assert found.traffic_mb == pytest.approx((file + FRAMES * 64 * 64 * 3 + FRAMES * WIDTH * 4) / 1e6)


def test_factors_that_are_constant_are_counted(bundle: Bundle) -> None:
    """The transformer's: 30 and 75 tokens of two modalities in two layers each, as the manifest's shapes have it."""
    vectors = golden.load(bundle)["fusion"]
    one = {name: array[:1] for name, array in vectors.items()}
    audio, video, width = 75, 30, WIDTH
    heads = 2 * 2 * audio * video * width
    towards_video = 2 * width**2 * (2 * audio + 2 * video) + heads
    towards_audio = 2 * width**2 * (2 * audio + 2 * video) + heads
    contrast = 2 * 2 * (width * 512 + 512 * 512)
    by_hand = 2 * (towards_video + towards_audio) + contrast + 2 * 2 * width * 4
    assert graph_cost(bundle, "fusion", one).gflop == pytest.approx(by_hand / 1e9)


def test_nothing_is_left_in_the_working_directory(bundle: Bundle, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = graph_cost(bundle, "audio_encoder", golden.load(bundle)["audio_encoder"])
    assert isinstance(found, Cost)
    assert found.gflop > 0
    assert list(tmp_path.iterdir()) == []
    json.dumps(found)


@pytest.mark.parametrize(
    ("kind", "inputs", "output", "flop"),
    [
        ("Conv", [[1, 8, 10, 10], [6, 4, 3, 3], [6]], [1, 6, 8, 8], 2 * 6 * 64 * 36),
        ("QLinearConv", [[1, 8, 10], [], [], [6, 8, 3], [6], [6], [], []], [1, 6, 8], 2 * 6 * 8 * 24),
        ("MatMul", [[5, 7], [7, 3]], [5, 3], 2 * 5 * 7 * 3),
        ("MatMul", [[2, 4, 5, 7], [7, 3]], [2, 4, 5, 3], 2 * 2 * 4 * 5 * 7 * 3),
        ("MatMul", [[7], [2, 7, 3]], [2, 3], 2 * 2 * 7 * 3),
        ("MatMul", [[5, 7], [7]], [5], 2 * 5 * 7),
        ("MatMul", [[7], [7]], [], 2 * 7),
        ("Gemm", [[7, 5], [3, 7], [3]], [5, 3], 2 * 5 * 7 * 3),
        ("FusedMatMul", [[2, 7, 5], [2, 3, 7]], [2, 5, 3], 2 * 2 * 5 * 7 * 3),
        ("MatMulInteger", [[5, 7], [7, 3], [], []], [5, 3], 2 * 5 * 7 * 3),
        ("QLinearMatMul", [[5, 7], [], [], [7, 3], [], [], [], []], [5, 3], 2 * 5 * 7 * 3),
        ("MatMul", [[0, 7], [7, 3]], [0, 3], 0),
        ("Softmax", [[5, 7]], [5, 7], 0),
    ],
)
def test_each_operator_is_counted(kind: str, inputs: list, output: list, flop: int) -> None:
    assert node_flop(kind, inputs, [output]) == flop
