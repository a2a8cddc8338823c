"""Audio track of a file: decoded, downmixed, resampled, and cut into blocks placed by its timestamps."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS
from ..preprocess.media import BLOCK_NS, BLOCK_S, Block, Discontinuity, Samples
from ..preprocess.rings import LARGEST_JITTER_NS
from .audio_conversion import Downmixer, Resampler
from .decoding import Decoder
from .defects import GAP, Defects

ROUNDING_NS = 2_000_000
"""Difference of a timestamp from the sample count that is only rounding; containers round to milliseconds."""
SETTLING_S = 2.0
"""Time constant with which block times follow timestamps that drift from, or jitter around, the sample count."""

TOGETHER_S = 0.2
"""Length of the audio that is downmixed and resampled together, in seconds; a frame has about 20 ms."""
PLANES = 8
"""Number of channels from which on a frame's planes cannot be told apart."""


class AudioFormat(NamedTuple):
    """Format of an audio frame; a change of it needs a new downmixer and resampler."""

    rate_hz: int
    sample_format: str
    layout: str

    @classmethod
    def of(cls, frame: av.AudioFrame) -> "AudioFormat":
        """Return the format of a frame."""
        return cls(frame.sample_rate, frame.format.name, frame.layout.name)


class FrameDownmixer:
    """Downmix of decoded frames of one format."""

    def __init__(self, frame: av.AudioFrame, defects: Defects) -> None:
        self._names = [channel.name for channel in frame.layout.channels]
        # PyAV counts planes by a null after them, which is not there after eight (7.1): those are interleaved first.
        is_planar = frame.format.name == "fltp" and len(self._names) < PLANES
        self._convert = None if is_planar else av.AudioResampler(format="flt")
        self._downmix = Downmixer(frame.sample_rate, self._names, defects)

    def channels(self, frame: av.AudioFrame) -> NDArray[np.float32]:
        """Return the frame's samples as float32 `[channels, n]`."""
        if self._convert is None:
            planes: tuple[Any, ...] = frame.planes  # buffers, which PyAV's types do not say
            rows = [np.frombuffer(plane, np.float32, frame.samples) for plane in planes]
            return rows[0][None] if len(rows) == 1 else np.array(rows)
        parts = [part.to_ndarray().reshape(-1, len(self._names)) for part in self._convert.resample(frame)]
        return np.ascontiguousarray(np.concatenate(parts).T)

    def __call__(self, parts: list[NDArray[np.float32]], time_ns: int) -> Samples:
        """Return consecutive samples `[channels, n]` each, from a time on, as mono float32 `[n]`."""
        return self._downmix(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1), time_ns)


class ContinuousRun:
    """Run of audio without gaps, in one format, cut into blocks of 20 ms; the first and the last may be shorter.

    Blocks end with the first sample at or after a multiple of 20 ms, as windows do: a window waits for no block that
    ends later. Where the timestamps move the blocks, one is shorter or longer, by half a block at most. Frames are
    taken together up to `TOGETHER_S`: each step costs about the same for a fifth of a second as for a fiftieth.
    """

    def __init__(self, audio_format: AudioFormat, downmix: FrameDownmixer, begin_ns: int, rate_hz: int) -> None:
        self.audio_format, self._begin_ns, self._rate_hz = audio_format, begin_ns, rate_hz
        self._downmix, self._resample = downmix, Resampler(audio_format.rate_hz, rate_hz)
        self._samples_in = self._samples_out = 0
        """Samples taken at the track's rate, and given out at `rate_hz`."""
        self._waiting: list[NDArray[np.float32]] = []
        self._samples_waiting = 0
        self._rest = np.zeros(0, np.float32)
        self._late_ns = 0
        """Smoothed lead of the timestamps over the sample count."""

    @property
    def next_ns(self) -> int:
        """Expected time of the next sample."""
        return self._time_ns(self._samples_in)

    def _time_ns(self, samples_in: int) -> int:
        return self._begin_ns + samples_in * SECOND_NS // self.audio_format.rate_hz + self._late_ns

    def correct(self, late_ns: int, samples: int) -> None:
        """Follow a timestamp `late_ns` later than `next_ns`, slowly; `samples` is the length of its frame."""
        if abs(late_ns) > ROUNDING_NS:
            self._late_ns += round(late_ns * min(1.0, samples / (SETTLING_S * self.audio_format.rate_hz)))

    def add(self, channels: NDArray[np.float32]) -> Iterator[Block]:
        """Yield the blocks that are complete with these samples, float32 `[channels, n]`."""
        self._waiting.append(channels)
        self._samples_waiting += channels.shape[1]
        self._samples_in += channels.shape[1]
        if self._samples_waiting >= TOGETHER_S * self.audio_format.rate_hz:
            yield from self._blocks()

    def finish(self) -> Iterator[Block]:
        """Yield the blocks of the samples that are left at the end."""
        yield from self._blocks()
        self._rest = np.concatenate([self._rest, self._resample.finish()])
        yield from self._cut()
        if len(self._rest):
            yield self._block(len(self._rest))

    def _blocks(self) -> Iterator[Block]:
        """Yield the blocks that the waiting samples complete."""
        if not self._waiting:
            return
        mono = self._downmix(self._waiting, self._time_ns(self._samples_in - self._samples_waiting))
        self._waiting, self._samples_waiting = [], 0
        self._rest = np.concatenate([self._rest, self._resample(mono)])
        yield from self._cut()

    def _cut(self) -> Iterator[Block]:
        """Yield the blocks that are complete, each up to a multiple of 20 ms at least half a block ahead."""
        while True:
            grid_ns = (self._end_ns() + BLOCK_NS // 2 + BLOCK_NS - 1) // BLOCK_NS * BLOCK_NS
            samples = -(-(grid_ns - self._begin_ns - self._late_ns) * self._rate_hz // SECOND_NS) - self._samples_out
            if samples > len(self._rest):
                return
            yield self._block(samples)

    def _block(self, count: int) -> Block:
        samples, self._rest = self._rest[:count], self._rest[count:]
        self._samples_out += count
        return Block(samples, self._end_ns())

    def _end_ns(self) -> int:
        """Return the time at which what was given out ends."""
        return self._begin_ns + self._samples_out * SECOND_NS // self._rate_hz + self._late_ns


class AudioTrack:
    """Reader of one file's audio track in blocks."""

    def __init__(self, decoder: Decoder[av.AudioFrame], rate_hz: int, defects: Defects) -> None:
        self._decoder, self._rate_hz, self._defects = decoder, rate_hz, defects
        self._format: AudioFormat | None = None
        self._downmix: FrameDownmixer | None = None
        self._run: ContinuousRun | None = None
        self._segment = 0
        self._next_ns = 0
        """Expected time of the next sample if there is no gap."""
        self._is_timed = True
        """True if the timestamps are reliable."""
        self._has_loss = False
        """True if a packet was lost before the next frame."""
        self._is_overlap = False
        """True if the last frame overlapped, at least in part, a time that was already covered."""

    def read(self) -> Iterator[Block | Discontinuity]:
        """Yield blocks, with gaps in time where the track has no audio, and a discontinuity where the clock jumps."""
        for decoded in self._decoder:
            if decoded.segment != self._segment:
                yield from self._end_run()
                self._segment = decoded.segment
                self._next_ns = self._decoder.begin_ns(decoded.segment)
                yield Discontinuity(self._next_ns)
            if decoded.frame is None:
                self._has_loss = True
            else:
                yield from self._add(decoded.frame)
        yield from self._end_run()

    def _add(self, frame: av.AudioFrame) -> Iterator[Block]:
        """Yield the blocks that a frame completes, placed by its timestamp."""
        due_ns, audio_format = self._due_ns(), AudioFormat.of(frame)
        if audio_format != self._format or self._downmix is None:
            self._is_timed = self._format is None or not self._decoder.is_elementary_stream
            self._format, self._downmix = audio_format, FrameDownmixer(frame, self._defects)
        stamped_ns = self._decoder.time_ns(frame.pts if self._is_timed else None, self._segment)
        time_ns = due_ns if stamped_ns is None else stamped_ns
        channels = self._downmix.channels(frame)
        late_ns = time_ns - due_ns
        is_gap = late_ns > (ROUNDING_NS if self._has_loss else LARGEST_JITTER_NS)
        self._is_overlap = late_ns < (-LARGEST_JITTER_NS if self._run and not self._is_overlap else 0)
        if is_gap and self._run and not self._has_loss:
            self._defects.report(GAP, due_ns, f"{late_ns / SECOND_NS:.2f} s without audio")
        if self._is_overlap:
            channels = channels[:, -late_ns * audio_format.rate_hz // SECOND_NS :]
        self._has_loss = False
        begin_ns = max(time_ns, due_ns) if is_gap or self._run is None else due_ns
        if self._run is None or self._run.audio_format != audio_format or is_gap:
            yield from self._end_run()
            self._run = ContinuousRun(audio_format, self._downmix, begin_ns, self._rate_hz)
        elif not self._is_overlap:
            self._run.correct(late_ns, channels.shape[1])
        if channels.shape[1]:
            yield from self._within_segment(self._run.add(channels))

    def _due_ns(self) -> int:
        return self._run.next_ns if self._run else self._next_ns

    def _end_run(self) -> Iterator[Block]:
        """Yield the rest of the current run, before a gap, a change of format or the end."""
        if self._run:
            yield from self._within_segment(self._run.finish())
            self._next_ns, self._run = self._run.next_ns, None

    def _within_segment(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield the blocks that end within the current segment."""
        end_ns = self._decoder.end_ns(self._segment)
        for block in blocks:
            if end_ns is None or block.end_ns <= end_ns:
                yield block


def join_blocks(blocks: Iterable[Block], rate_hz: int) -> Samples:
    """Return blocks joined from the first sample on, float32 `[n]`, each at its time, with silence in the gaps."""
    parts = [np.zeros(0, np.float32)]
    begin_ns, count = None, 0
    for block in blocks:
        block_ns = block.end_ns - len(block.samples) * SECOND_NS // rate_hz
        begin_ns = block_ns if begin_ns is None else begin_ns
        lacking = (block_ns - begin_ns) * rate_hz // SECOND_NS - count
        if lacking > BLOCK_S * rate_hz:
            parts.append(np.zeros(lacking, np.float32))
            count += lacking
        parts.append(block.samples)
        count += len(block.samples)
    return np.concatenate(parts)
