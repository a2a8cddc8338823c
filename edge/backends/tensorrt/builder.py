"""Builder of engines: for each graph of a bundle the engine that is kept, where it fits, or else one built now."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...bundle.load import Bundle
from ...bundle.manifest import GraphName
from . import cache
from .cache import CacheMissError, Key
from .compile import BuildProgress, compile_graph
from .platform import Device, TensorRTVariant

TIMINGS = "timing.cache"
KERNELS_SUFFIX = ".kernels"


@dataclass(frozen=True)
class Target:
    """TensorRT and GPU that engines are built with and for."""

    variant: TensorRTVariant
    capability: str
    """Compute capability, e.g. `8.7`."""
    device: Device | None
    """The GPU; None for any of that capability, ahead of time."""

    def key(self, bundle: Bundle, graph: GraphName) -> Key:
        """Return what an engine of one graph must have been built from, with and for."""
        entry, device = bundle.manifest.graphs.by_name()[graph], self.device
        return Key(
            variant=self.variant.name,
            version=self.variant.version,
            capability=self.capability,
            device=device.name if device else None,
            driver=device.driver if device else None,
            graph_sha256=[file.sha256 for file in entry.files],
            batch=entry.batch,
        )


def targets_for(variant: TensorRTVariant, device: Device) -> list[Target]:
    """Return the targets whose engines run on a device: its own, then any device of its capability, ahead of time."""
    own = Target(variant, device.capability, device)
    return [own, Target(variant, device.capability, None)] if variant.is_rtx else [own]


@dataclass(frozen=True)
class EngineBuilder:
    """Builder of engines that shows its progress and may be stopped."""

    show_progress: Callable[[str], AbstractContextManager[BuildProgress]]
    """Function from a title to a context that follows one build."""
    tell: Callable[[str], None]
    """Function that gets a line for people about each build."""
    is_stopped: Callable[[], bool]
    """Function that returns true once the user wants the program to end."""

    def provide(self, bundle: Bundle, graph: GraphName, targets: Sequence[Target]) -> bytes:
        """Return the first engine that is kept for one of the targets, or one built now for the first of them."""
        try:
            return cache.find(bundle, [target.key(bundle, graph) for target in targets], graph)
        except CacheMissError as reason:
            return self.build(bundle, graph, targets[0], str(reason))

    def build(self, bundle: Bundle, graph: GraphName, target: Target, reason: str, *, again: bool = False) -> bytes:
        """Build one graph's engine, keep and return it.

        Unless `again`, the engine of another process that has built it meanwhile is returned.
        """
        key = target.key(bundle, graph)
        file = cache.paths(bundle, key, graph)[0]
        with cache.locked(file.parent, self.tell, self.is_stopped):
            if not again:
                with suppress(CacheMissError):
                    return cache.read(file, key)
            self._build(bundle, graph, target, file, reason)
            return cache.read(file, key)

    def _build(self, bundle: Bundle, graph: GraphName, target: Target, file: Path, reason: str) -> None:
        entry = bundle.manifest.graphs.by_name()[graph]
        self.tell(f"building {graph} ({entry.precision}) for {file.parent.name}: {reason}")
        timings = file.parent / TIMINGS
        cache.sweep(file, timings, file.with_suffix(KERNELS_SUFFIX))
        known_timings = cache.read_if_kept(timings)
        capability = None if target.device else target.capability
        started_s = time.monotonic()
        with self.show_progress(graph) as progress:
            built = compile_graph(target.variant, bundle.path(entry.file), entry, capability, known_timings, progress)
        cache.write(file, target.key(bundle, graph), built.engine)
        if built.timings:
            cache.replace(timings, built.timings)
        self.tell(f"{file}: {file.stat().st_size / 1e6:.1f} MB in {time.monotonic() - started_s:.1f} s")
