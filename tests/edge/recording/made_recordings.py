"""What the tests record: what a run was made of, steps, messages."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from mcap.reader import NonSeekingReader
from mcap.records import Attachment
from mcap.stream_reader import StreamReader
from mcap.writer import Writer

from edge.live.inbox import Delivery, LoopInput
from edge.preprocess.media import Block, Frame, Media
from edge.recording.metadata import BundleMetadata, RunMetadata
from edge.recording.recorder import Recorder
from edge.wire.messages import Status
from tests.edge.made_run import MS, run_spec

START_UNIX_NS = 1_700_000_000 * 10**9
"""2023-11-14T22:13:20Z"""


def about(*names: str, **changes: Any) -> RunMetadata:
    made = RunMetadata(
        run_spec=run_spec(*(names or ("cam1",))),
        software="0.0.1",
        start_unix_ns=START_UNIX_NS,
        start_mono_ns=5,
        fast=False,
        bundle=BundleMetadata("tiny", "0.0.1", "0" * 64, "/nowhere"),
        backend="numpy",
        threads=1,
        wire_format="msgpack",
    )
    return msgspec.structs.replace(made, **changes)


def status(number: int, stream: str = "cam1", hop_s: float = 0.5) -> Status:
    return Status(1, "0" * 32, stream, number, number + 1, number, "online", "ok", "ok", hop_s, {"messages_queue": 0})


def noise(seed: int, height: int = 6, width: int = 7) -> Frame:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Frame(image, seed * 200 * MS)


def loop_input(number: int, *media: Media | None, streams: int = 1) -> LoopInput:
    deliveries = [Delivery(index % streams, item) for index, item in enumerate(media)]
    return LoopInput(number * MS, START_UNIX_NS, 500 * MS, deliveries, [{"frames_overload": number}] * streams)


def loop_inputs(count: int) -> list[LoopInput]:
    """Of two streams: sound, a picture now and then, and their ends."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        block = Block(rng.normal(size=20).astype(np.float32), number * 20 * MS)
        made.append(
            loop_input(number, block, noise(number), streams=2)
            if number % 4 == 0
            else loop_input(number, block, streams=2)
        )
    return [*made, loop_input(count, None, None, streams=2)]


def assert_same(one: LoopInput, other: LoopInput) -> None:
    """Bit by bit: a NaN is itself, -0.0 is not 0.0."""
    assert (one.now_ns, one.unix_ahead_ns, one.hop_ns) == (other.now_ns, other.unix_ahead_ns, other.hop_ns)
    assert one.dropped == other.dropped
    assert [delivery.stream for delivery in one.deliveries] == [delivery.stream for delivery in other.deliveries]
    for mine, its in zip(one.deliveries, other.deliveries, strict=True):
        assert type(mine.media) is type(its.media)
        if mine.media is None:
            continue
        assert mine.media.end_ns == its.media.end_ns
        arrays = [item.samples if isinstance(item, Block) else item.image for item in (mine.media, its.media)]
        assert arrays[0].dtype == arrays[1].dtype
        assert arrays[0].shape == arrays[1].shape
        assert arrays[0].tobytes() == arrays[1].tobytes()


def record(folder: Path, taken: list[LoopInput], sent: list[Any], of: RunMetadata, *, media: bool = True) -> Path:
    """A recording of these, whole."""
    recorder = Recorder(folder, of, media=media)
    for one in taken:
        recorder.add_input(one)
    for message in sent:
        recorder.add_message(message)
    recorder.close()
    assert recorder.problem is None
    return recorder.folder


Kept = tuple[str, int, Any]
"""The topic, the number and the content of what a recording holds."""


def file_of(recording: Path) -> Path:
    """The one file of a recording."""
    (path,) = recording.iterdir()
    return path


def kept_in(path: Path) -> list[Kept]:
    """What a file holds, in the order in which it was written, read by mcap itself."""
    return list(recovered(path.read_bytes()))


def recovered(content: bytes) -> Iterator[Kept]:
    """What mcap's own reading finds in a file, up to what it cannot read."""
    found = NonSeekingReader(io.BytesIO(content)).iter_messages(log_time_order=False)
    while True:
        try:
            _, channel, message = next(found)
        except Exception:  # mcap raises as many kinds of errors as a file has ways to end
            return
        yield channel.topic, message.sequence, json.loads(message.data)


def attached(path: Path) -> bytes:
    """The metadata of a recording, in JSON."""
    records = StreamReader(io.BytesIO(path.read_bytes())).records
    return next(record.data for record in records if isinstance(record, Attachment))


def rewrite(path: Path, kept: list[Kept], about: bytes | None = None, name: str = "session.json") -> None:
    """A file of these in place of another, with its metadata or others, by mcap itself."""
    about = attached(path) if about is None else about
    path.unlink(missing_ok=True)
    writer, channels = Writer(str(path)), dict[str, int]()
    writer.start()
    writer.add_attachment(0, 0, name, "application/json", about)
    for topic, number, content in kept:
        if topic not in channels:
            channels[topic] = writer.register_channel(topic, "json", writer.register_schema("any", "jsonschema", b"{}"))
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        writer.add_message(channels[topic], 0, body, 0, number)
    writer.finish()
