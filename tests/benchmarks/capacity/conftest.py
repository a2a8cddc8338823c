"""A cost model with round figures, and the shipped manifest."""

import pytest

from benchmarks.capacity.cost import CostModel, Linear
from edge.bundle.load import SHIPPED, load
from edge.bundle.manifest import Manifest


@pytest.fixture(scope="session")
def cost() -> CostModel:
    return CostModel(
        machine="made",
        cores=2,
        image_encoder=Linear(0.5, 0.5),
        audio_encoder=Linear(0.5, 1.0),
        fusion=Linear(0.5, 0.5),
        frame_ms=1.0,
        window_ms=0.5,
        decode_ms=10.0,
    )


@pytest.fixture(scope="session")
def shipped_manifest() -> Manifest:
    return load(SHIPPED).manifest
