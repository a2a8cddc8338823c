"""The sound of a file: decoded, made mono, resampled, and laid where its timestamps say."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import av
import numpy as np

from ..clock import SECOND_NS
from ..preprocess.media import BLOCK_S, Block, Discontinuity, Samples
from ..preprocess.rings import LARGEST_JITTER_NS
from .audio_conversion import Mono, Resampler
from .decoding import Decoder
from .defects import GAP, Defects

ROUNDING_NS = 2_000_000
"""Containers round to milliseconds: by so little timestamps differ from counted samples without meaning anything."""
SETTLING_S = 2.0
"""Within about this time the count of samples follows timestamps that drift away from it, or jitter around it."""


class Form(NamedTuple):
    """What must stay the same for a resampler and a mix."""

    rate_hz: int
    sample_format: str
    layout: str

    @classmethod
    def of(cls, frame: av.AudioFrame) -> "Form":
        """A frame's."""
        return cls(frame.sample_rate, frame.format.name, frame.layout.name)


class Run:
    """An unbroken sound of one form, cut into blocks of 20 ms; what is left over at its end is shorter."""

    def __init__(self, form: Form, begin_ns: int, rate_hz: int) -> None:
        self.form, self._begin_ns, self._rate_hz = form, begin_ns, rate_hz
        self._resample = Resampler(form.rate_hz, rate_hz)
        self._taken = self._given = 0
        """Samples, at the one rate and the other."""
        self._rest = np.zeros(0, np.float32)
        self._late_ns = 0
        """By how much timestamps have been found to be later than the samples are many."""

    @property
    def next_ns(self) -> int:
        """When the next sample is due."""
        return self._begin_ns + self._taken * SECOND_NS // self.form.rate_hz + self._late_ns

    def correct(self, late_ns: int, samples: int) -> None:
        """A timestamp is so much later than `next_ns`: follow it slowly, `samples` being what it stands for."""
        if abs(late_ns) > ROUNDING_NS:
            self._late_ns += round(late_ns * min(1.0, samples / (SETTLING_S * self.form.rate_hz)))

    def add(self, mono: Samples) -> Iterator[Block]:
        """The blocks that are complete with these samples."""
        self._taken += len(mono)
        size = round(BLOCK_S * self._rate_hz)
        self._rest = np.concatenate([self._rest, self._resample(mono)])
        whole = len(self._rest) // size * size
        for piece in self._rest[:whole].reshape(-1, size):
            yield self._block(piece)
        self._rest = self._rest[whole:]

    def finish(self) -> Iterator[Block]:
        """What is left."""
        last = np.concatenate([self._rest, self._resample.finish()])
        size = round(BLOCK_S * self._rate_hz)
        for first in range(0, len(last), size):
            yield self._block(last[first : first + size])

    def _block(self, samples: Samples) -> Block:
        self._given += len(samples)
        return Block(samples, self._begin_ns + self._given * SECOND_NS // self._rate_hz + self._late_ns)


class Mixing:
    """Frames of one form, made mono."""

    def __init__(self, frame: av.AudioFrame, remarks: Defects) -> None:
        # Interleaved: PyAV counts planes by a null after them, which is not there after eight (7.1).
        self._convert = av.AudioResampler(format="flt")
        names = [channel.name for channel in frame.layout.channels]
        self._channels = len(names)
        self._mono = Mono(frame.sample_rate, names, remarks)

    def __call__(self, frame: av.AudioFrame, time_ns: int) -> Samples:
        """float32 `[n]`."""
        parts = [part.to_ndarray().reshape(-1, self._channels) for part in self._convert.resample(frame)]
        return self._mono(np.ascontiguousarray(np.concatenate(parts).T), time_ns)


class Sounding:
    """One file's sound track on its way into blocks."""

    def __init__(self, decoder: Decoder[av.AudioFrame], rate_hz: int, remarks: Defects) -> None:
        self._decoder, self._rate_hz, self._remarks = decoder, rate_hz, remarks
        self._form: Form | None = None
        self._mix: Mixing | None = None
        self._run: Run | None = None
        self._stretch = 0
        self._next_ns = 0
        """When the next sample is due, if there is no gap."""
        self._is_timed = True
        """Whether the timestamps mean something."""
        self._is_missing = False
        """Whether something was lost before what comes next."""
        self._is_overlap = False
        """Whether what came last was, in part at least, of a time that has been."""

    def read(self) -> Iterator[Block | Discontinuity]:
        """Blocks, with gaps where there is no sound, and discontinuities where the file's clock jumps."""
        for decoded in self._decoder:
            if decoded.stretch != self._stretch:
                yield from self._end_run()
                self._stretch = decoded.stretch
                self._next_ns = self._decoder.begin_ns(decoded.stretch)
                yield Discontinuity(self._next_ns)
            if decoded.frame is None:
                self._is_missing = True
            else:
                yield from self._add(decoded.frame)
        yield from self._end_run()

    def _add(self, frame: av.AudioFrame) -> Iterator[Block]:
        """The blocks that a frame completes, at the time that it says."""
        due_ns, form = self._due_ns(), Form.of(frame)
        if form != self._form or self._mix is None:
            self._is_timed = self._form is None or not self._decoder.is_raw
            self._form, self._mix = form, Mixing(frame, self._remarks)
        said_ns = self._decoder.time_ns(frame.pts if self._is_timed else None, self._stretch)
        time_ns = due_ns if said_ns is None else said_ns
        mono = self._mix(frame, time_ns)
        late_ns = time_ns - due_ns
        is_gap = late_ns > (ROUNDING_NS if self._is_missing else LARGEST_JITTER_NS)
        self._is_overlap = late_ns < (-LARGEST_JITTER_NS if self._run and not self._is_overlap else 0)
        if is_gap and self._run and not self._is_missing:
            self._remarks.say(GAP, due_ns, f"{late_ns / SECOND_NS:.2f} s without sound")
        if self._is_overlap:
            mono = mono[-late_ns * form.rate_hz // SECOND_NS :]
        self._is_missing = False
        begin_ns = max(time_ns, due_ns) if is_gap or self._run is None else due_ns
        if self._run is None or self._run.form != form or is_gap:
            yield from self._end_run()
            self._run = Run(form, begin_ns, self._rate_hz)
        elif not self._is_overlap:
            self._run.correct(late_ns, len(mono))
        if len(mono):
            yield from self._kept(self._run.add(mono))

    def _due_ns(self) -> int:
        return self._run.next_ns if self._run else self._next_ns

    def _end_run(self) -> Iterator[Block]:
        """What is left of the sound before a gap, a change of form or the end."""
        if self._run:
            yield from self._kept(self._run.finish())
            self._next_ns, self._run = self._run.next_ns, None

    def _kept(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Those that lie on their own stretch."""
        end_ns = self._decoder.end_ns(self._stretch)
        for block in blocks:
            if end_ns is None or block.end_ns <= end_ns:
                yield block


def laid(blocks: Iterable[Block], rate_hz: int) -> Samples:
    """All of a sound from its first sample on, each block at its time: silence in the gaps."""
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
