"""Where a live run's CPU time goes: what each stage takes by itself, and the rest, which is the runtime's own."""

from collections.abc import Iterator
from typing import NamedTuple

from ..wire.drop_reasons import OVERLOAD
from .figures import of_a_sample
from .report import Document, Series


class Budget(NamedTuple):
    """CPU milliseconds in a second of one of a live run's streams."""

    live: Series
    total: float
    decode: float
    framing: float
    image_encoder: float
    audio_encoder: float
    fusion: float

    @property
    def rest(self) -> float | None:
        """Carrying sound and pictures about, cutting windows, messages, the threads.

        None where that makes no sense: a run that dropped something did less than the stages say, and a machine that
        was busy otherwise takes longer for a stage by itself than for the whole.
        """
        rest = self.total - self.framing - self.decode - self.image_encoder - self.audio_encoder - self.fusion
        has_dropped = any(self.live.counts.get(reason) for reason in OVERLOAD)
        return None if rest < 0 or has_dropped else rest

    @property
    def own(self) -> float | None:
        """Of the total, the share (0 to 1) that is neither decoding nor one of the graphs; None as `rest` is."""
        return None if self.rest is None else (self.rest + self.framing) / self.total


def budgets(document: Document) -> Iterator[Budget]:
    """Of every live run whose stages were measured too; those of rows that go through the graphs one by one."""
    windows_hz = 1 / document.hop_s
    for live in document.series:
        if live.scenario != "live" or live.cpu_s is None or not live.lasted_s:
            continue
        stages = {
            each.what: of_a_sample(each.cpu_s, each)
            for each in document.series
            if each.scenario == "stage" and each.size == 1 and each.contender in ("", live.contender)
        }
        taken = [stages.get(name) for name in ("decode 1 s", "framing", "image_encoder", "audio_encoder", "fusion")]
        found = [seconds for seconds in taken if seconds is not None]
        if len(found) == len(taken):
            rates_hz = 1.0, document.picture_hz, document.picture_hz, windows_hz, windows_hz
            parts = [1e3 * seconds * rate_hz for seconds, rate_hz in zip(found, rates_hz, strict=True)]
            yield Budget(live, 1e3 * live.cpu_s / live.lasted_s / live.size, *parts)
