"""Cost model of a node: the time of each step of the loop, linear in the rows of a batch, and its contention."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from edge.clock import SECOND_NS
from edge.errors import UsageError
from edge.validation import UNREADABLE, explain


class Linear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Time of one call by its rows."""

    call_ms: float
    """Milliseconds of a call without its rows."""
    row_ms: float
    """Milliseconds of each row."""

    def ms(self, rows: int) -> float:
        """Return the milliseconds of a call with so many rows."""
        return self.call_ms + self.row_ms * rows


class CostModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Costs on one kind of machine; milliseconds of one core that does nothing else."""

    machine: str
    """Processor on which it was measured, for people."""
    cores: int
    """Number of cores of a node."""
    image_encoder: Linear
    """Image encoder, by frames."""
    audio_encoder: Linear
    """Audio encoder, by pieces."""
    fusion: Linear
    """Fusion, by windows."""
    frame_ms: float
    """Conversion and framing of a frame; frames of several streams are framed on as many cores as are free."""
    window_ms: float
    """Rest of the loop's work for a window: cutting, keeping, reporting, sending."""
    decode_ms: float
    """Time of the threads that decode for a second of one stream."""

    spread: float = 0.0
    """Standard deviation of the logarithm of a call's time: what other threads and other programs do to it."""

    def free_cores(self, streams: int) -> float:
        """Return the cores that decoding leaves to the loop: decoders go first, as the kernel wakes who slept.

        UsageError where they leave less than a twentieth of a core.
        """
        free = self.cores - streams * self.decode_ms / 1000
        if free < 0.05:
            raise UsageError(
                f"decoding {streams} streams takes {streams * self.decode_ms / 1000:.2f} of {self.cores} cores; give "
                "fewer --streams, or more --cores"
            )
        return free

    def slowdown(self, streams: int) -> float:
        """Return the factor by which the loop's single thread is slower than alone: it has one core at most."""
        return 1 / min(1.0, self.free_cores(streams))

    def framing_ms(self, frames: int, streams: int) -> float:
        """Return the time in which frames of several streams are framed, on all cores that are free."""
        return frames * self.frame_ms / max(1.0, min(frames, self.free_cores(streams))) * self.slowdown(streams)


def with_cores(cost: CostModel, cores: int) -> CostModel:
    """Return the model of a node with another number of such cores."""
    return replace(cost, cores=cores)


def to_ns(ms: float) -> int:
    """Convert milliseconds to integer nanoseconds."""
    return round(ms * SECOND_NS / 1000)


def read(path: Path) -> CostModel:
    """Read a cost model from a JSON file; UsageError where it is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; give the file of `capacity measure`") from error
    try:
        return msgspec.json.decode(content, type=CostModel)
    except UNREADABLE as error:
        raise UsageError(f"{path} is no cost model: {explain(error, content, CostModel)}") from error
