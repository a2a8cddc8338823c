"""Writer of a run: messages, steps, pictures and sound, each in its channel.

A file's index is written at its end, and held in memory until then. A run that is recorded for days therefore goes into
several files, one after the other, each of which can be read by itself.
"""

from collections import Counter
from pathlib import Path

import msgspec

from ..clock import SECOND_NS
from ..live.inbox import Delivery, LoopInput
from ..preprocess.media import Block, Discontinuity, Frame
from ..wire.messages import Message, topic
from .foxglove import to_audio, to_image
from .mcap_file import McapFile
from .metadata import METADATA, RunMetadata
from .records import Mark, Step, StepDelivery

MOST_CHUNKS = 10_000
"""Number of chunks after which the next file begins: 3 hours of messages; the index of a file then takes 10 MB."""


class RunWriter:
    """Writer of one run in a folder; OSError where the disk does not take it."""

    def __init__(self, folder: Path, about: RunMetadata) -> None:
        self._folder, self._about = folder, about
        self._names = [spec.name for spec in about.run_spec.stream_specs]
        self._written: Counter[str] = Counter()
        """Number of messages written, of the channels that number them here."""
        self._files = 0
        self._time_ns = about.start_unix_ns
        """Unix time of the newest message or step."""
        self._file = self._begin_file()

    def _begin_file(self) -> McapFile:
        path = self._folder / f"{self._files:04}.mcap"
        self._files += 1
        content = msgspec.json.format(msgspec.json.encode(self._about), indent=2)
        return McapFile(path, METADATA, content, self._about.start_unix_ns)

    def add(self, item: Message | LoopInput) -> None:
        """Add a message, or an input of the loop with its media."""
        if self._file.chunks >= MOST_CHUNKS:
            self._file.finish()
            self._file.close()
            self._file = self._begin_file()
        if isinstance(item, LoopInput):
            self._add_step(item)
        else:
            self._time_ns = item.t_publish
            self._file.append(topic(item).decode(), f"foal_edge.{type(item).__name__}", item, self._time_ns, item.seq)

    def mark(self, mark: Mark) -> None:
        """Add a mark."""
        self._append("recording.", "foal_edge.Mark", mark, self._time_ns)

    def _add_step(self, taken: LoopInput) -> None:
        deliveries = [self._pack(delivery, taken.unix_ahead_ns) for delivery in taken.deliveries]
        step = Step(taken.now_ns, taken.unix_ahead_ns, taken.hop_ns, deliveries, taken.dropped)
        self._time_ns = taken.now_ns + taken.unix_ahead_ns
        self._append("steps.", "foal_edge.Step", step, self._time_ns)

    def _pack(self, delivery: Delivery, ahead_ns: int) -> StepDelivery:
        """Return a delivery as its step holds it; its picture, or its sound to be heard, is written before."""
        stream, media = delivery.stream, delivery.media
        if isinstance(media, Frame):
            time_ns, name = media.end_ns + ahead_ns, self._names[stream]
            picture = to_image(media, time_ns, name)
            sequence = self._append(f"video.{name}.", "foxglove.CompressedImage", picture, time_ns)
            return StepDelivery(stream, "frame", media.end_ns, sequence=sequence)
        if isinstance(media, Block):
            rate_hz = self._about.audio_rate_hz
            time_ns = media.end_ns + ahead_ns - len(media.samples) * SECOND_NS // rate_hz
            audio = to_audio(media, time_ns, rate_hz)
            self._append(f"audio.{self._names[stream]}.", "foxglove.RawAudio", audio, time_ns)
            return StepDelivery(stream, "block", media.end_ns, samples=media.samples.astype("<f4").tobytes())
        if isinstance(media, Discontinuity):
            return StepDelivery(stream, "discontinuity", media.end_ns)
        return StepDelivery(stream, "end")

    def _append(self, name: str, schema: str, message: msgspec.Struct, time_ns: int) -> int:
        """Add a message that is numbered here; return its number."""
        sequence = self._written[name]
        self._written[name] += 1
        self._file.append(name, schema, message, time_ns, sequence)
        return sequence

    def flush(self) -> None:
        """Hand everything to the system."""
        self._file.flush()

    def sync(self) -> None:
        """Hand everything to the disk."""
        self._file.sync()

    def finish(self) -> None:
        """Mark the run's end, and write the index."""
        self.mark(Mark("end", 0))
        self._file.finish()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
