"""Each stage by itself: decoding, framing, the three graphs in batches, publishing."""

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
from ..preprocess.framing import Framing, Image
from ..sources.base import Recording
from ..wire.drop_reasons import DROP_REASONS
from ..wire.messages import SCHEMA, AudioEvidence, Latency, Prediction, VideoEvidence
from ..wire.publisher import Publisher, stamped
from ..wire.subscriber import Subscriber
from . import flops as work
from .candidates import Contender
from .report import Series
from .sampling import Run, Sampling
from .scenarios import series

BATCHES: dict[GraphName, tuple[int, ...]] = {
    "image_encoder": (1, 2, 4, 8, 16, 32),
    "audio_encoder": (1, 2, 4, 8),
    "fusion": (1, 2, 4, 8),
}
PERCENTILE = 90.0
JOIN_S = 5.0


def decode(recording: Recording, sampling: Sampling) -> Iterator[Series]:
    """A second of the recording, from its file to 16 kHz sound and the pictures that are looked at."""
    second = seconds_of(recording)
    for taken in sampling.in_turn({"": lambda: next(second)}, PERCENTILE).values():
        yield series("stage", "decode 1 s", "", taken)


def seconds_of(recording: Recording) -> Iterator[None]:
    """Decodes a second of the recording at a time, again and again."""
    while True:
        ends_ns = SECOND_NS
        for item in recording.read():
            if item.end_ns >= ends_ns:
                ends_ns += SECOND_NS
                yield


def frame(framing: Framing, images: Sequence[Image], sampling: Sampling) -> Iterator[Series]:
    """A picture, from the camera's size to a crop; in their order, as a face is followed."""
    turning = itertools.cycle(images)

    def run() -> None:
        framing(next(turning))

    for taken in sampling.in_turn({"": run}, PERCENTILE).values():
        yield replace(series("stage", "framing", "", taken), moved_mb=images[0].nbytes / 1e6)


def graphs(contenders: Sequence[Contender], sampling: Sampling) -> Iterator[Series]:
    """The three graphs in batches, the contenders in turn at each size."""
    for graph, batches in BATCHES.items():
        for rows in batches:
            able = [each for each in contenders if rows <= largest(each.bundle, graph)]
            bundles = {each.bundle.folder: each.bundle for each in able}
            inputs = {folder: golden_rows(bundle, graph, rows) for folder, bundle in bundles.items()}
            works = {folder: work.operations(bundle, graph, inputs[folder]) for folder, bundle in bundles.items()}
            runs = {each.name: runs_of(each, graph, inputs[each.bundle.folder]) for each in able}
            taken = sampling.in_turn(runs, PERCENTILE) if runs else {}
            for each in able:
                done = works[each.bundle.folder]
                found = series("stage", graph, each.name, taken[each.name], rows)
                yield replace(found, gflop=done.gflop, moved_mb=done.moved_mb)


def largest(bundle: Bundle, graph: GraphName) -> int:
    """Rows of one of a bundle's graphs."""
    return bundle.manifest.graphs.by_name()[graph].batch.largest


def golden_rows(bundle: Bundle, graph: GraphName, rows: int) -> dict[str, Array]:
    """So many of the golden inputs, from the first again once they are through."""
    arrays = golden.load(bundle)[graph]
    names = [tensor.name for tensor in bundle.manifest.graphs.by_name()[graph].inputs]
    return {name: np.resize(arrays[name], (rows, *arrays[name].shape[1:])) for name in names}


def runs_of(contender: Contender, graph: GraphName, inputs: Mapping[str, Array]) -> Run:
    """One graph on these inputs; tells the device's time."""
    ready = get_graph(contender.recognizer.backend, graph)

    def run() -> float | None:
        ready(inputs)
        return ready.device_ms

    return run


def publish(labels: list[str], sampling: Sampling) -> Iterator[Series]:
    """A prediction, from the loop's hands to a subscriber's, over a local socket."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        address = f"ipc://{Path(folder) / 'bench'}"
        publisher = Publisher(address, "msgpack", lambda message: stamped(message, clock), lambda _: None)
        with closing(publisher), Subscriber(address) as subscriber:
            message, numbers = made_prediction(labels), itertools.count(1)

            def run() -> None:
                publisher.publish(replace(message, seq=next(numbers)))
                if subscriber.receive(JOIN_S) is None:
                    raise PublishError(f"no message came over {address} within {JOIN_S:g} s; is its folder writable?")

            publisher.publish(message)
            subscriber.receive(JOIN_S)

            for taken in sampling.in_turn({"": run}, PERCENTILE).values():
                yield series("stage", "publish", "", taken)


def made_prediction(labels: list[str]) -> Prediction:
    """A message of the usual size."""
    return Prediction(
        schema=SCHEMA, session="0" * 32, stream="main", seq=0, t_start=0, t_end=0, t_publish=0, mono_start=0,
        mono_end=0, mono_publish=0, label=labels[0], labels=labels, probs=[1 / len(labels)] * len(labels),
        confidence=1 / len(labels), agreement=0.0, audio=AudioEvidence("ok", -20.0, 0.5),
        video=VideoEvidence("ok", 1, None, 30), latency_ms=Latency(1.0, 1.0, 1.0, 1.0),
        dropped=dict.fromkeys(DROP_REASONS, 0), bundle="bench", backend="bench",
    )  # fmt: skip
