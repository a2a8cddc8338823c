"""One window from arrays."""

import numpy as np
import pytest

from edge.annotation.annotate import annotate
from edge.annotation.window import predict_window
from edge.errors import UsageError
from edge.preprocess.media import Block, Frame
from edge.session.config import Config
from edge.session.model import Model
from edge.sources.demo import MOODS, face, voice
from edge.sources.media import MediaFile

FACES = [face(MOODS[1])] * 10
VOICE = voice(MOODS[1], 16_000)[:32_000]


def test_a_window_is_that_of_the_same_frames_and_samples_in_a_recording(film, model: Model, settings: Config) -> None:
    manifest = model.bundle.manifest
    media = [item for item in MediaFile(film, manifest.audio, manifest.video).read() if item.end_ns <= 2_000_000_000]
    frames = [item.image for item in media if isinstance(item, Frame)][:10]
    samples = np.concatenate([item.samples for item in media if isinstance(item, Block)])
    row = predict_window(model, settings, frames, samples)
    recorded = annotate(film, model, settings, lambda *_: None).rows[3]
    assert (row.end_s, row.frames, row.box) == (recorded.end_s, recorded.frames, recorded.box)
    assert row.label == recorded.label
    # The recording's sound goes on: its newest tokens know what follows, and its tokens before were kept in pieces.
    assert row.probs == pytest.approx(recorded.probs, abs=0.02)


def test_either_may_be_left_out(model: Model, settings: Config) -> None:
    seen = predict_window(model, settings, FACES, None)
    assert (seen.audio, seen.video, seen.frames, seen.start_s, seen.end_s) == ("off", "ok", 10, 0.0, 1.8)
    heard = predict_window(model, settings, [], VOICE)
    assert (heard.audio, heard.video, heard.end_s, heard.box) == ("ok", "off", 2.0, None)


def test_what_is_older_than_a_window_does_not_count(model: Model, settings: Config) -> None:
    long = np.concatenate([voice(MOODS[2], 16_000)[:64_000], voice(MOODS[1], 16_000), VOICE])
    row = predict_window(model, settings, FACES * 5, long)
    assert (row.end_s - row.start_s, row.frames) == (pytest.approx(6.0), 30)


@pytest.mark.parametrize(
    ("frames", "samples", "reason"),
    [
        ([], None, "neither frames nor samples"),
        ([], np.zeros(16_000, np.float32), "no face in the frames and silence"),
        ([], np.zeros(16_000, np.int16), r"a block is int16 \[320\], float32 \[n\] is expected"),
        ([np.zeros((8, 8), np.uint8)], None, r"a frame is uint8 \[8, 8\], uint8 \[H, W, 3\] is expected"),
    ],
)
def test_what_is_no_window_is_refused(model: Model, settings: Config, frames, samples, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        predict_window(model, settings, frames, samples)
