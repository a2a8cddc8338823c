"""Stages by themselves: decoding, framing, the three graphs in batches, publishing."""

import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from ..backends.base import Array, get_graph
from ..bundle import golden
from ..bundle.load import Bundle
from ..bundle.manifest import GraphName
from ..clock import SECOND_NS, SystemClock
from ..errors import PublishError
from ..preprocess.framing import Framing
from ..preprocess.images import Image
from ..sources.base import Recording
from ..wire.drop_reasons import DROP_REASONS
from ..wire.evidence import AudioEvidence, Latency, VideoEvidence
from ..wire.messages import SCHEMA, Prediction
from ..wire.publisher import Publisher, stamped
from ..wire.subscriber import Subscriber
from .candidates import Candidate
from .flops import graph_cost
from .report import Series
from .sampling import Run, Sampling
from .scenarios import make_series

BATCHES: dict[GraphName, tuple[int, ...]] = {
    "image_encoder": (1, 2, 4, 8, 16, 32),
    "audio_encoder": (1, 2, 4, 8),
    "fusion": (1, 2, 4, 8),
}
PERCENTILE = 90.0
DELIVERY_TIMEOUT_S = 5.0


def decode(recording: Recording, sampling: Sampling) -> Iterator[Series]:
    """Measure the decoding of one second of a recording, from its file to 16 kHz audio and the frames to process.

    It costs what it costs live where the recording is read in real time.
    """
    seconds = decoded_seconds(recording)
    for found in sampling.interleaved({"": lambda: next(seconds)}, PERCENTILE).values():
        yield make_series("stage", "decode 1 s", "", found)


def decoded_seconds(recording: Recording) -> Iterator[None]:
    """Decode one second of the recording per step, from its beginning again after its end."""
    while True:
        ends_ns = SECOND_NS
        for item in recording.read():
            if item.end_ns >= ends_ns:
                ends_ns += SECOND_NS
                yield


def frame(framing: Framing, images: Sequence[Image], sampling: Sampling) -> Iterator[Series]:
    """Measure the framing of an image, from the camera's size to a crop; in their order, since a face is tracked."""
    repeated = itertools.cycle(images)

    def run() -> None:
        framing(next(repeated))

    for found in sampling.interleaved({"": run}, PERCENTILE).values():
        yield replace(make_series("stage", "framing", "", found), traffic_mb=images[0].nbytes / 1e6)


def graphs(candidates: Sequence[Candidate], sampling: Sampling) -> Iterator[Series]:
    """Measure the three graphs in batches, the candidates interleaved at each size."""
    for graph, batches in BATCHES.items():
        for rows in batches:
            able = [each for each in candidates if rows <= max_batch(each.bundle, graph)]
            bundles = {each.bundle.folder: each.bundle for each in able}
            inputs = {folder: golden_rows(bundle, graph, rows) for folder, bundle in bundles.items()}
            costs = {folder: graph_cost(bundle, graph, inputs[folder]) for folder, bundle in bundles.items()}
            runs = {each.name: graph_run(each, graph, inputs[each.bundle.folder]) for each in able}
            found = sampling.interleaved(runs, PERCENTILE) if runs else {}
            for each in able:
                cost = costs[each.bundle.folder]
                series = make_series("stage", graph, each.name, found[each.name], rows)
                yield replace(series, gflop=cost.gflop, traffic_mb=cost.traffic_mb)


def max_batch(bundle: Bundle, graph: GraphName) -> int:
    """Return the largest batch of one of a bundle's graphs."""
    return bundle.manifest.graphs.by_name()[graph].batch.largest


def golden_rows(bundle: Bundle, graph: GraphName, rows: int) -> dict[str, Array]:
    """Return a batch of golden inputs, repeated from the first where it is larger than their number."""
    arrays = golden.load(bundle)[graph]
    names = [tensor.name for tensor in bundle.manifest.graphs.by_name()[graph].inputs]
    return {name: np.resize(arrays[name], (rows, *arrays[name].shape[1:])) for name in names}


def graph_run(candidate: Candidate, graph: GraphName, inputs: Mapping[str, Array]) -> Run:
    """Return a function that runs a graph on these inputs and returns its GPU time."""
    opened = get_graph(candidate.recognizer.backend, graph)

    def run() -> float | None:
        opened(inputs)
        return opened.device_ms

    return run


def publish(labels: list[str], sampling: Sampling) -> Iterator[Series]:
    """Measure the delivery of a prediction, from the publisher to a subscriber, over a local socket."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        address = f"ipc://{Path(folder) / 'bench'}"
        publisher = Publisher(address, "msgpack", lambda message: stamped(message, clock), lambda _: None)
        with closing(publisher), Subscriber(address) as subscriber:
            message, numbers = make_prediction(labels), itertools.count(1)

            def run() -> None:
                publisher.publish(replace(message, seq=next(numbers)))
                if subscriber.receive(DELIVERY_TIMEOUT_S) is None:
                    raise PublishError(
                        f"no message came over {address} within {DELIVERY_TIMEOUT_S:g} s; is its folder writable?"
                    )

            publisher.publish(message)
            subscriber.receive(DELIVERY_TIMEOUT_S)

            for found in sampling.interleaved({"": run}, PERCENTILE).values():
                yield make_series("stage", "publish", "", found)


def make_prediction(labels: list[str]) -> Prediction:
    """Build a message of the usual size."""
    return Prediction(
        schema=SCHEMA, session="0" * 32, stream="main", seq=0, t_start=0, t_end=0, t_publish=0, mono_start=0,
        mono_end=0, mono_publish=0, label=labels[0], labels=labels, probs=[1 / len(labels)] * len(labels),
        confidence=1 / len(labels), agreement=0.0, audio=AudioEvidence("ok", -20.0, 0.5),
        video=VideoEvidence("ok", 1, None, 30), latency_ms=Latency(1.0, 1.0, 1.0, 1.0),
        dropped=dict.fromkeys(DROP_REASONS, 0), bundle="bench", backend="bench",
    )  # fmt: skip
