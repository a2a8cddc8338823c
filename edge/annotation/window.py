"""Prediction of one window from arrays."""

import uuid
from collections.abc import Iterator, Sequence
from heapq import merge

import numpy as np
from msgspec.structs import replace

from ..bundle.manifest import Manifest
from ..clock import SECOND_NS, to_ns
from ..errors import EngineError, UsageError
from ..live.driver import cut_window
from ..live.inbox import Moment
from ..live.pipeline import build_stream
from ..preprocess.images import Image
from ..preprocess.media import BLOCK_S, Block, Frame, Media, Samples, check
from ..session.config import Config, StreamConfig
from ..session.model import Model
from ..wire.addresses import OFF
from .rows import Row, RowCollector


def predict_window(model: Model, config: Config, frames: Sequence[Image], samples: Samples | None) -> Row:
    """Predict the window that ends with the newest frame and the newest sample.

    `frames` are uint8 `[H, W, 3]` RGB at the bundle's rate, `samples` float32 `[n]` mono at its rate; either may be
    empty. What is older than a window does not count. UsageError where there is nothing, or an array is none of these;
    EngineError where the model gives no finite number.
    """
    heard = np.zeros(0, np.float32) if samples is None else samples
    if not len(frames) and not len(heard):
        raise UsageError("neither frames nor samples: give at least one of them")
    manifest = model.bundle.manifest
    stream_config = StreamConfig(camera=config.streams[0].camera if len(frames) else OFF)
    stream_config = stream_config if len(heard) else replace(stream_config, mic=OFF)
    run_spec = model.run_spec(replace(config, streams=(stream_config,)), uuid.uuid4().hex, begin_ns=0)
    end_ns = max(len(frames) * to_ns(1 / manifest.video.rate_hz), len(heard) * SECOND_NS // manifest.audio.rate_hz)
    collector = RowCollector(None)
    stream, reporter = build_stream(run_spec, run_spec.stream_specs[0], model.recognizer, collector.add)
    try:
        for item in media_of(frames, heard, manifest, end_ns):
            check(item)
            stream.add(item)
    except ValueError as error:
        raise UsageError(f"{error}; give a list of frames in RGB, samples in mono as float32") from error
    window = cut_window(stream, end_ns, model.recognizer).window
    if window is None:
        raise UsageError("no face in the frames and silence in the samples: there is nothing to predict from")
    reporter.predict(window, model.recognizer.recognize([window]), Moment(end_ns, end_ns, 0, {}))
    if not collector.rows:
        raise EngineError("the model gave the window no finite number", "run `foal-edge doctor`")
    return collector.rows[0]


def media_of(frames: Sequence[Image], samples: Samples, manifest: Manifest, end_ns: int) -> Iterator[Media]:
    """Return frames and blocks in the order of their times, the last of both just before `end_ns`."""
    slot_ns, rate_hz = to_ns(1 / manifest.video.rate_hz), manifest.audio.rate_hz
    first_ns, size = end_ns - len(frames) * slot_ns, round(BLOCK_S * rate_hz)
    seen = (Frame(image, first_ns + number * slot_ns) for number, image in enumerate(frames))
    heard = (
        Block(samples[begin : begin + size], end_ns - max(0, len(samples) - begin - size) * SECOND_NS // rate_hz)
        for begin in range(0, len(samples), size)
    )
    return merge(heard, seen, key=lambda item: item.end_ns)
