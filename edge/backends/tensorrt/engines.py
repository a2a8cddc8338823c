"""An engine for each graph of a bundle: the one that is kept, where it fits, or else one built now."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...bundle.load import Bundle
from ...bundle.manifest import GraphName
from . import cache
from .build import Watch, compile_graph
from .cache import CacheMiss, Key
from .device import Device
from .variant import TensorRTVariant

TIMINGS = "timing.cache"
KERNELS_SUFFIX = ".kernels"


@dataclass(frozen=True)
class Target:
    """What engines are built with and for."""

    variant: TensorRTVariant
    capability: str
    """Compute capability, e.g. `8.7`."""
    device: Device | None
    """None: any of that capability, ahead of time."""

    def key(self, bundle: Bundle, graph: GraphName) -> Key:
        """What an engine of one graph must have been built from, with and for."""
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


def here(variant: TensorRTVariant, device: Device) -> list[Target]:
    """The targets whose engines run on a device: its own, then those built ahead of time for its capability."""
    own = Target(variant, device.capability, device)
    return [own, Target(variant, device.capability, None)] if variant.is_rtx else [own]


@dataclass(frozen=True)
class EngineBuilder:
    """Builds engines, and says so."""

    watch: Callable[[str], AbstractContextManager[Watch]]
    """Title -> what follows one build."""
    tell: Callable[[str], None]
    is_stopped: Callable[[], bool]
    """Whether the user wants the program to end."""

    def provide(self, bundle: Bundle, graph: GraphName, targets: Sequence[Target]) -> bytes:
        """The first engine that is kept for one of the targets, or one built now for the first of them."""
        try:
            return cache.find(bundle, [target.key(bundle, graph) for target in targets], graph)
        except CacheMiss as reason:
            return self.build(bundle, graph, targets[0], str(reason))

    def build(self, bundle: Bundle, graph: GraphName, target: Target, reason: str, *, again: bool = False) -> bytes:
        """Build one graph's engine and keep it; where another process has meanwhile, its engine, unless `again`."""
        key = target.key(bundle, graph)
        file = cache.paths(bundle, key, graph)[0]
        with cache.locked(file.parent, self.tell, self.is_stopped):
            if not again:
                with suppress(CacheMiss):
                    return cache.read(file, key)
            self._build(bundle, graph, target, file, reason)
            return cache.read(file, key)

    def _build(self, bundle: Bundle, graph: GraphName, target: Target, file: Path, reason: str) -> None:
        entry = bundle.manifest.graphs.by_name()[graph]
        self.tell(f"building {graph} ({entry.precision}) for {file.parent.name}: {reason}")
        timings = file.parent / TIMINGS
        cache.sweep(file, timings, file.with_suffix(KERNELS_SUFFIX))
        known = cache.read_if_kept(timings)
        elsewhere = None if target.device else target.capability
        started = time.monotonic()
        with self.watch(graph) as watch:
            compiled = compile_graph(target.variant, bundle.path(entry.file), entry, elsewhere, known, watch)
        cache.write(file, target.key(bundle, graph), compiled.engine)
        if compiled.timings:
            cache.replace(timings, compiled.timings)
        self.tell(f"{file}: {file.stat().st_size / 1e6:.1f} MB in {time.monotonic() - started:.1f} s")
