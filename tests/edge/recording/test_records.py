"""Samples are kept bit by bit, and what a step holds may be written in JSON."""

import msgspec
import numpy as np
import pytest

from edge.recording.records import Step, StepDelivery, to_samples

ODD = np.array([0.0, -0.0, np.nan, -np.inf, 1e-45, 1 / 3, 3e38], np.float32)
SIGNALLING = np.array([0x7F800001, 0xFFC12345], np.uint32).view(np.float32)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), ODD, SIGNALLING], ids=["none", "odd", "signalling"])
def test_sound_is_kept_bit_by_bit(samples: np.ndarray) -> None:
    delivery = StepDelivery(1, "block", 17, samples=samples.tobytes())
    step = Step(1, 2, 10**6, [delivery], [{"frames_overload": 1}])
    read = msgspec.json.decode(msgspec.json.encode(step), type=Step)
    assert read == step
    back = to_samples(read.deliveries[0].samples)
    assert (back.dtype, back.tobytes()) == (np.float32, samples.tobytes())
    assert back.flags.writeable


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="buffer size must be a multiple"):
        to_samples(b"12345")


def test_what_is_as_usual_is_left_out() -> None:
    assert msgspec.json.encode(StepDelivery(0, "end")) == b'{"stream":0,"kind":"end"}'
