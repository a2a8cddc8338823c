"""Measurement of a cost model on this machine: the graphs by rows, a frame, and what a live run takes around them.

All are CPU times, which other work on the machine lengthens by what it does to the caches, and not by what it takes.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic, thread_time
from typing import NamedTuple

import numpy as np

from edge.backends.onnxruntime import OrtBackend, processor
from edge.bench.program import Program
from edge.bench.stages import golden_rows
from edge.bench.workload import images, read_first_minute
from edge.bundle.load import SHIPPED, Bundle, load
from edge.bundle.manifest import GraphName
from edge.live.stagger import TOGETHER
from edge.preprocess.framing import make_framing
from edge.session.config import StreamConfig
from edge.session.inputs import make_inputs
from edge.wire.addresses import OFF
from edge.wire.messages import Prediction

from .cost import CostModel, Linear

ROWS = (1, 2, 4, 8)
CALLS = 40
STREAMS, WARM_UP_S, LIVE_S = 12, 12.0, 15.0
"""Streams of the live run, the time that does not count, and that which does, in seconds."""
HOP_S = 0.5
POLL_S = 0.5
DEVIATIONS_OF_P90 = 1.2816
"""Standard deviations by which the 90th percentile of a normal distribution lies above its median."""


class LiveCost(NamedTuple):
    """CPU time of a live run, by stream and second."""

    loop_ms: float
    """CPU milliseconds of the loop's thread."""
    all_ms: float
    """CPU milliseconds of all threads."""
    spread: float
    """Standard deviation of the logarithm of the time that the audio encoder and the fusion take for a batch."""


def measure(film: Path) -> CostModel:
    """Return the costs on this machine, with foal-nano and a film that is played in real time."""
    bundle = load(SHIPPED)
    backend = OrtBackend(bundle, threads=1)
    image_encoder, audio_encoder, fusion = (
        measure_graph(bundle, backend, name) for name in ("image_encoder", "audio_encoder", "fusion")
    )
    frame_ms = measure_frame(bundle, film)
    loop_ms, all_ms, spread = measure_live(film)
    rate_hz = bundle.manifest.video.rate_hz
    graphs_ms = rate_hz * image_encoder.ms(TOGETHER) / TOGETHER + sum(
        each.ms(TOGETHER) / TOGETHER / HOP_S for each in (audio_encoder, fusion)
    )
    return CostModel(
        machine=processor(),
        cores=os.cpu_count() or 1,
        image_encoder=image_encoder,
        audio_encoder=audio_encoder,
        fusion=fusion,
        frame_ms=frame_ms,
        window_ms=round(max(0.0, (loop_ms - graphs_ms) * HOP_S), 3),
        decode_ms=round(max(0.0, all_ms - loop_ms - rate_hz * frame_ms), 3),
        spread=round(max(0.0, spread), 3),
    )


def measure_graph(bundle: Bundle, backend: OrtBackend, name: GraphName) -> Linear:
    """Return the line through the medians of a graph's times by rows."""
    graph = getattr(backend, name)
    took_ms = []
    for rows in ROWS:
        took_ms.append(cpu_ms(partial(graph, golden_rows(bundle, name, rows))))
    row_ms, call_ms = np.polyfit(ROWS, took_ms, 1)
    return Linear(call_ms=round(max(0.0, float(call_ms)), 3), row_ms=round(float(row_ms), 3))


def measure_frame(bundle: Bundle, film: Path) -> float:
    """Return the time to frame one image in which a face is followed."""
    (given,) = make_inputs([StreamConfig(file=str(film), mic=OFF)], bundle.manifest)
    assert given.recording is not None, "a stream of a file"
    shown = images(read_first_minute(given.recording))[: 2 * CALLS]
    video = bundle.manifest.video
    framing = make_framing(video.framing, video.height, video.width)
    took_ms = []
    for image in shown:
        began_s = thread_time()
        framing(image)
        took_ms.append((thread_time() - began_s) * 1000)
    return round(median(took_ms), 3)


def measure_live(film: Path) -> LiveCost:
    """Return what a live run of several streams takes."""
    arguments = [word for n in range(STREAMS) for word in ("--stream", f"name=s{n},file={film},loop=true")]
    with Program(["--backend", "onnxruntime", *arguments]) as program:
        while not isinstance(program.messages.receive(1.0), Prediction):
            program.has_ended()
        list(predictions(program, WARM_UP_S))
        before = monotonic(), program.loop_cpu_s(), program.cpu_s()
        stages_ms = [each.latency_ms.encode_audio + each.latency_ms.fuse for each in predictions(program, LIVE_S)]
        after = monotonic(), program.loop_cpu_s(), program.cpu_s()
    took_s, loop_s, all_s = (b - a for a, b in zip(before, after, strict=True))
    median_ms, slow_ms = np.percentile(stages_ms, [50, 90])
    a_second = 1000 / took_s / STREAMS
    return LiveCost(loop_s * a_second, all_s * a_second, float(np.log(slow_ms / median_ms)) / DEVIATIONS_OF_P90)


def predictions(program: Program, seconds: float) -> Iterator[Prediction]:
    """Yield the predictions of so many seconds."""
    until_s = monotonic() + seconds
    while monotonic() < until_s:
        program.has_ended()
        message = program.messages.receive(POLL_S)
        if isinstance(message, Prediction):
            yield message


def cpu_ms(call: Callable[[], object]) -> float:
    """Return the median CPU time of a call on this thread, after some that do not count."""
    took_ms = []
    for _ in range(CALLS):
        began_s = thread_time()
        call()
        took_ms.append((thread_time() - began_s) * 1000)
    return median(took_ms[CALLS // 4 :])
