"""Backend that computes nothing: a call takes its time on the simulated clock, and gives zeros of the right shape."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edge.bundle.manifest import GraphEntry, Manifest

from .clock import SimulatedClock
from .cost import CostModel, to_ns

Array = np.ndarray[Any, Any]
Noise = Callable[[], float]


class SimulatedGraph:
    """Graph whose calls take time alone."""

    device_ms = None

    def __init__(self, entry: GraphEntry, clock: SimulatedClock, took_ms: Callable[[int], float], noise: Noise) -> None:
        self._entry, self._clock, self._took_ms, self._noise = entry, clock, took_ms, noise
        self.worked_ms = 0.0
        """Time of all calls."""
        self.batches: list[int] = []
        """Rows of each call."""

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Let the time of a call pass and return zeros; a voice is heard in all of the audio."""
        rows = len(next(iter(inputs.values())))
        self.batches.append(rows)
        took_ms = self._took_ms(rows) * self._noise()
        self.worked_ms += took_ms
        self._clock.advance(to_ns(took_ms))
        return {
            tensor.name: np.full([rows, *map(int, tensor.shape[1:])], tensor.name in ("voice", "mask"), tensor.dtype)
            for tensor in self._entry.outputs
        }


class SimulatedBackend:
    """Three graphs of a bundle with the costs of a model.

    `speed` is that of the node, 1 for the one measured; `noise` draws the factor of each call's time.
    """

    name, about = "simulated", "simulated"

    def __init__(
        self,
        manifest: Manifest,
        clock: SimulatedClock,
        cost: CostModel,
        streams: int,
        speed: float = 1.0,
        noise: Noise = lambda: 1.0,
    ) -> None:
        slowdown, graphs = cost.slowdown(streams) / speed, manifest.graphs
        self.image_encoder = SimulatedGraph(
            graphs.image_encoder,
            clock,
            lambda rows: cost.image_encoder.ms(rows) * slowdown + cost.framing_ms(rows, streams) / speed,
            noise,
        )
        self.audio_encoder = SimulatedGraph(
            graphs.audio_encoder, clock, lambda rows: cost.audio_encoder.ms(rows) * slowdown, noise
        )
        self.fusion = SimulatedGraph(
            graphs.fusion, clock, lambda rows: (cost.fusion.ms(rows) + rows * cost.window_ms) * slowdown, noise
        )
