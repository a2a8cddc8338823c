"""FLOPs and memory traffic of a graph, against those that follow from its layers by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge.bench.flops import Cost, graph_cost, node_flop
from edge.bundle import golden
from edge.bundle.load import SHIPPED, Bundle, load

FRAMES, WIDTH = 2, 128
IMAGE_CONVOLUTIONS = [
    # channels in and out, side of the kernel, side of the output
    (1, 24, 3, 32),
    (24, 48, 3, 16),
    (48, 48, 3, 16),
    (48, 48, 3, 16),
    (48, 80, 3, 8),
    (80, 80, 3, 8),
    (48, 80, 1, 8),
    (80, 80, 3, 8),
    (80, 80, 3, 8),
    (80, WIDTH, 3, 4),
    (WIDTH, WIDTH, 3, 4),
    (80, WIDTH, 1, 4),
]
"""Of the nano image encoder: a stem of two and four residual blocks, on 64 x 64."""


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
    """The transformers', two layers of the audio's own and two each way, over the tokens that the manifest gives; then
    projections and heads."""
    vectors = golden.load(bundle)["fusion"]
    one = {name: array[:1] for name, array in vectors.items()}
    (_, audio, audio_width), (_, video, video_width) = one["audio_tokens"].shape, one["video_tokens"].shape
    embedding, labels = one["audio_embedding"].shape[1], one["logits"].shape[1]

    def layer(queries: int, width: int, keys: int, key_width: int) -> int:
        """Queries and output, keys and values, and attention's two products."""
        return 2 * (2 * queries * width**2 + 2 * keys * key_width * width + 2 * queries * keys * width)

    towards_video = layer(audio, audio_width, video, video_width)
    towards_audio = layer(video, video_width, audio, audio_width)
    contrast = 2 * sum(width * embedding + embedding**2 for width in (audio_width, video_width))
    heads = 2 * 2 * (audio_width + video_width) * labels  # of both modalities together, and one of each
    own = layer(audio, audio_width, audio, audio_width) + 2 * 2 * audio * audio_width * 2 * audio_width
    by_hand = 2 * (own + towards_video + towards_audio) + contrast + heads
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
