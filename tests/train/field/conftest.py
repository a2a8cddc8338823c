import numpy as np
import pytest

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import SHIPPED, load
from edge.sources import demo
from train.field.judge import Judge


@pytest.fixture(scope="package")
def judge() -> Judge:
    bundle = load(SHIPPED)
    return Judge(bundle.manifest, OrtBackend(bundle, 1), "cascade")


@pytest.fixture(scope="package")
def voice(judge: Judge) -> np.ndarray:
    return demo.voice(demo.MOODS[0], judge.manifest.audio.rate_hz)
