"""What a measurement of skew keeps of sound and picture: levels, and from them when claps and flashes began."""

import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS
from ..errors import SourceError
from ..preprocess.framing import Image
from ..preprocess.media import Block, Frame, Media, Samples

Times = NDArray[np.int64]
Levels = NDArray[np.floating]

STEP_S = 0.002
"""Sound is judged in pieces of this length."""
QUIET_BEFORE_S = 0.2
"""A clap or a flash stands out from so much before it, and is one with what follows for so long."""
LEAST_RISE = 8.0
"""Of a clap over the loudest of what was before it, in amplitude: 18 dB."""
LEAST_PEAK = 0.01
"""Of full scale: what is softer is no clap."""
ATTACK = 0.25
"""Of its peak, where a clap begins: what a codec smears ahead of it is softer."""
LEAST_FLASH = 12.0
"""Of 255, in the mean over the whole picture."""
LEAST_FLASH_RISE = 4.0
"""Of a flash over the largest change in what was before it."""
EVERY_PIXEL = 4
"""Brightness is that of every so-manieth row and column."""


class Evidence:
    """Sound and brightness as they come in: sound from one thread, pictures from another or the same."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._brightness: list[float] = []
        self._frames_ns: list[int] = []

    def add(self, item: Media) -> None:
        """Keep a block, or how bright a frame is; a discontinuity parts nothing here, where each event has its time."""
        if isinstance(item, Frame):
            self._brightness.append(brightness(item.image))
            self._frames_ns.append(item.end_ns)
        elif isinstance(item, Block):
            self._blocks.append(item)

    def claps_ns(self, rate_hz: int) -> Times:
        """When each clap began, int64 `[n]`; SourceError where there is none."""
        samples = np.concatenate([np.zeros(0, np.float32), *(block.samples for block in self._blocks)])
        starts = clap_starts(samples, rate_hz)
        if not len(starts):
            loudest = float(np.abs(samples).max(initial=0.0))
            raise SourceError(
                f"no clap was heard in {len(samples) / rate_hz:.1f} s of sound, the loudest of it {loudest:.2f} of "
                "full scale; make it quiet, then clap or click, once every two seconds, as the picture flashes"
            )
        ends = np.cumsum([len(block.samples) for block in self._blocks])
        holders = np.searchsorted(ends, starts, side="right")
        return np.array(
            [
                self._blocks[holder].end_ns - int(ends[holder] - start) * SECOND_NS // rate_hz
                for holder, start in zip(holders, starts, strict=True)
            ],
            np.int64,
        )

    def flashes_ns(self) -> Times:
        """The times of the first frames that show a flash, int64 `[n]`; SourceError where there is none."""
        levels = np.array(self._brightness)
        firsts = flash_starts(levels, self.frame_ns)
        if not len(firsts):
            seen = f"{levels.min():.0f} to {levels.max():.0f}" if len(levels) else "0"
            raise SourceError(
                f"no flash was seen in {len(levels)} frames, their brightness {seen} of 255; point the camera at a "
                "lamp or a screen that flashes with each clap, once every two seconds"
            )
        return np.array(self._frames_ns, np.int64)[firsts]

    @property
    def frame_ns(self) -> int:
        """From one frame to the next; 0 before there are two."""
        return int(np.median(np.diff(self._frames_ns))) if len(self._frames_ns) > 1 else 0


def brightness(image: Image) -> float:
    """Mean level of a picture, 0 to 255."""
    return float(image[::EVERY_PIXEL, ::EVERY_PIXEL].mean())


def clap_starts(samples: Samples, rate_hz: int) -> Times:
    """Indices int64 `[n]` of the first samples of claps in float32 `[samples]`."""
    size = round(STEP_S * rate_hz)
    peaks = np.abs(samples[: len(samples) // size * size]).reshape(-1, size).max(axis=1)
    before = round(QUIET_BEFORE_S / STEP_S)
    starts = []
    step = before
    while step < len(peaks):
        if peaks[step] > max(LEAST_PEAK, LEAST_RISE * np.median(peaks[step - before : step])):
            starts.append(attack(samples, step * size, size))
            step += before
        step += 1
    return np.array(starts, np.int64)


def attack(samples: Samples, near: int, size: int) -> int:
    """The sample at which a clap in the piece that begins at `near` first has a quarter of its peak."""
    begin = max(0, near - size)
    heard = np.abs(samples[begin : near + 5 * size])
    return begin + int(np.argmax(heard >= ATTACK * heard.max()))


def flash_starts(levels: Levels, frame_ns: int) -> Times:
    """Indices int64 `[n]` of the frames in which brightness `[frames]` jumps up."""
    rises = np.diff(levels, prepend=levels[:1])
    before = max(2, round(QUIET_BEFORE_S * SECOND_NS / max(frame_ns, 1)))
    starts = []
    frame = before
    while frame < len(rises):
        usual = np.abs(rises[max(0, frame - before) : frame]).max()
        if rises[frame] > max(LEAST_FLASH, LEAST_FLASH_RISE * usual):
            starts.append(frame)
            frame += before
        frame += 1
    return np.array(starts, np.int64)
