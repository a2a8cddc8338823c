"""Detection of the onsets of claps in audio and of flashes in video."""

import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS
from ..errors import SourceError
from ..preprocess.images import Image
from ..preprocess.media import Block, Frame, Media, Samples

Times = NDArray[np.int64]
"""Times in ns, or indices, int64 `[n]`."""
Levels = NDArray[np.floating]
"""Mean brightness of each frame, 0 to 255, `[frames]`."""

STEP_S = 0.002
"""Length of the steps in which audio peaks are compared."""
QUIET_BEFORE_S = 0.2
"""Time before an onset that it is compared with, and after it in which there is no other onset."""
LEAST_RISE = 8.0
"""Least ratio of a clap's peak amplitude to the median peak before it (18 dB)."""
LEAST_PEAK = 0.01
"""Least peak of a clap, as a fraction of full scale."""
ATTACK = 0.25
"""Fraction of its peak at which a clap begins; a codec's pre-echo is softer."""
LEAST_FLASH = 12.0
"""Least rise of the mean brightness in a flash, of 255."""
LEAST_FLASH_RISE = 4.0
"""Least ratio of a flash's rise to the largest change of brightness before it."""
PIXEL_STEP = 4
"""Step between the rows and columns whose brightness is averaged."""


class OnsetDetector:
    """Collector of audio and of the brightness of frames, and detector of the onsets in them.

    Blocks may be added from one thread and frames from another.
    """

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._brightness: list[float] = []
        self._frames_ns: list[int] = []

    def add(self, item: Media) -> None:
        """Keep a block, or the brightness of a frame; discontinuities are ignored, as all media have their times."""
        if isinstance(item, Frame):
            self._brightness.append(brightness(item.image))
            self._frames_ns.append(item.end_ns)
        elif isinstance(item, Block):
            self._blocks.append(item)

    def claps_ns(self, rate_hz: int) -> Times:
        """Return the onset times of claps, int64 `[n]` in ns; raises SourceError if there are none."""
        samples = np.concatenate([np.zeros(0, np.float32), *(block.samples for block in self._blocks)])
        starts = clap_starts(samples, rate_hz)
        if not len(starts):
            loudest = float(np.abs(samples).max(initial=0.0))
            raise SourceError(
                f"no clap was detected in {len(samples) / rate_hz:.1f} s of audio, the loudest sample {loudest:.2f} of "
                "full scale; make it quiet, then clap or click, once every two seconds, as the image flashes"
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
        """Return the times of each flash's first frame, int64 `[n]` in ns; raises SourceError if there are none."""
        levels = np.array(self._brightness)
        firsts = flash_starts(levels, self.frame_ns)
        if not len(firsts):
            level_range = f"{levels.min():.0f} to {levels.max():.0f}" if len(levels) else "0"
            raise SourceError(
                f"no flash was detected in {len(levels)} frames, their brightness {level_range} of 255; "
                "point the camera at a lamp or a screen that flashes with each clap, once every two seconds"
            )
        return np.array(self._frames_ns, np.int64)[firsts]

    @property
    def frame_ns(self) -> int:
        """Median time from one frame to the next, in ns; 0 for fewer than two frames."""
        return int(np.median(np.diff(self._frames_ns))) if len(self._frames_ns) > 1 else 0


def brightness(image: Image) -> float:
    """Return the mean level of an image, 0 to 255."""
    return float(image[::PIXEL_STEP, ::PIXEL_STEP].mean())


def clap_starts(samples: Samples, rate_hz: int) -> Times:
    """Return the indices, int64 `[n]`, of the first samples of claps in float32 `[samples]`."""
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
    """Return the index of the sample at which a clap in the step at `near` first reaches a quarter of its peak."""
    begin = max(0, near - size)
    amplitude = np.abs(samples[begin : near + 5 * size])
    return begin + int(np.argmax(amplitude >= ATTACK * amplitude.max()))


def flash_starts(levels: Levels, frame_ns: int) -> Times:
    """Return the indices, int64 `[n]`, of the frames in which the brightness `[frames]` jumps up."""
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
