"""A simulated graph takes its time and has the shapes of the real one."""

import numpy as np

from benchmarks.capacity.backend import SimulatedBackend
from benchmarks.capacity.clock import SimulatedClock
from benchmarks.capacity.cost import CostModel
from edge.bundle.manifest import Manifest


def test_each_call_takes_its_time_and_gives_the_shapes(cost: CostModel, shipped_manifest: Manifest) -> None:
    clock = SimulatedClock()
    backend = SimulatedBackend(shipped_manifest, clock, cost, streams=1, speed=0.5)
    video = shipped_manifest.video
    out = backend.image_encoder({"frames": np.zeros((4, video.height, video.width, 3), np.uint8)})
    (tensor,) = shipped_manifest.graphs.image_encoder.outputs
    assert out[tensor.name].shape == (4, tensor.shape[1])
    assert clock.now_ns() == round((2.5 + 4 / 1.99) / 0.5 * 1e6)
    before_ns = clock.now_ns()
    fused = backend.fusion({"audio_tokens": np.zeros((2, 1)), "audio_mask": np.zeros((2, 1))})
    assert fused["logits"].shape == (2, len(shipped_manifest.labels))
    assert clock.now_ns() - before_ns == 5_000_000
    assert (backend.image_encoder.batches, backend.fusion.batches) == ([4], [2])
