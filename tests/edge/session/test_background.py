"""Runs in a thread of their own."""

import pytest

from edge.backends.tensorrt.progress import quiet_engine_builder
from edge.bundle.load import SHIPPED, load
from edge.errors import SourceError
from edge.session.background import BackgroundRun
from edge.session.config import Config, StreamConfig
from edge.session.model import Model, open_model
from edge.wire.messages import Prediction, Status

CPU = Config((StreamConfig(demo=True),), bind="off", backend="onnxruntime", threads=1)


@pytest.fixture(scope="module")
def model() -> Model:
    return open_model(CPU, load(SHIPPED), quiet_engine_builder())


def fast(**stream: object) -> Config:
    return Config((StreamConfig(**stream),), fast=True, bind="off", backend="onnxruntime", threads=1)


def test_the_messages_of_a_recording_end_with_it(model: Model) -> None:
    with BackgroundRun(fast(demo=True), model) as run:
        messages = list(run)
        assert list(run) == []
    predictions = [message for message in messages if isinstance(message, Prediction)]
    assert [prediction.seq for prediction in predictions] == list(range(len(predictions)))
    assert isinstance(messages[-1], Status)
    assert messages[-1].state == "stopped"


def test_a_run_that_nobody_reads_to_its_end_can_be_closed(model: Model) -> None:
    """As one in real time of which one message is enough, and one that waits for room."""
    for config in (CPU, fast(demo=True)):
        with BackgroundRun(config, model) as run:
            assert isinstance(next(iter(run)), Status | Prediction)


def test_an_error_of_the_run_is_raised_where_its_messages_are_over(model: Model) -> None:
    with (
        BackgroundRun(fast(file="gone.mp4"), model) as run,
        pytest.raises(SourceError, match=r"no such file: gone\.mp4"),
    ):
        list(run)
