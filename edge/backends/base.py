"""What a backend is to the recogniser."""

from collections.abc import Mapping
from typing import Protocol

from ..bundle.calibration import Array as Array


class Graph(Protocol):
    """One graph, ready to run."""

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Named inputs -> named outputs; the first dimension is the batch, no larger than the manifest allows.

        The outputs may be views that hold until the graph runs again.
        """
        ...

    @property
    def device_ms(self) -> float | None:
        """Of the last call, spent on the device from the first copy to the last, in milliseconds.

        None where the host computes, before the first call, and after one that failed.
        """
        ...


class Backend(Protocol):
    """The three graphs of one bundle on one engine."""

    @property
    def name(self) -> str:
        """As published, e.g. `onnxruntime-cpu`."""
        ...

    @property
    def about(self) -> str:
        """What it runs on, for people."""
        ...

    @property
    def image_encoder(self) -> Graph:
        """Frame -> embedding."""
        ...

    @property
    def audio_encoder(self) -> Graph:
        """Waveform -> tokens."""
        ...

    @property
    def fusion(self) -> Graph:
        """Tokens of both -> logits and embeddings."""
        ...
