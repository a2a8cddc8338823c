"""Engines compiled ahead of time: TensorRT-RTX builds for the GPUs of other machines and needs no GPU itself."""

import re
from collections.abc import Sequence

from edge.backends.tensorrt.builder import EngineBuilder, Target, targets_for
from edge.backends.tensorrt.platform import architecture, find_gpu, find_tensorrt
from edge.bundle.load import Bundle
from edge.bundle.manifest import GraphName
from edge.errors import EngineError, UsageError


def make_targets(names: Sequence[str]) -> list[Target]:
    """Return the target of each name such as `sm86`; UsageError if TensorRT-RTX does not build for it."""
    found = find_tensorrt("tensorrt-rtx")
    known = sorted(
        (name.lower() for name in found.module.ComputeCapability.__members__ if re.fullmatch(r"SM\d+", name)),
        key=lambda name: int(name[2:]),
    )
    for name in names:
        if name not in known:
            raise UsageError(f"--target {name!r}: TensorRT-RTX {found.version} builds for {', '.join(known)}")
    return [Target(found, f"{name[2:-1]}.{name[-1]}", None) for name in dict.fromkeys(names)]


def build(bundle: Bundle, targets: Sequence[Target], engine_builder: EngineBuilder) -> None:
    """Build every graph for every target, unless its engine exists; EngineError at the end names those that failed."""
    if bundle.manifest.is_quantized:
        raise UsageError(f"{bundle.manifest.name} is in int8, which is for CPUs; give a bundle in fp16 or fp32")
    failed = []
    for target in targets:
        for graph in bundle.manifest.graphs.by_name():
            try:
                engine_builder.provide(bundle, graph, [target])
            except EngineError as error:
                failed.append(str(error))
    if failed:
        raise EngineError("\n".join(failed))
    names = ", ".join(architecture(target.capability) for target in targets)
    engine_builder.tell(f"{bundle.folder} has its engines for {names}")


def find(bundle: Bundle, engine_builder: EngineBuilder, graph: GraphName) -> bytes:
    """Return a graph's engine of TensorRT for the GPU of this machine, kept or built now; EngineError without one."""
    found = find_tensorrt("tensorrt")  # a server has no TensorRT-RTX
    return engine_builder.provide(bundle, graph, targets_for(found, find_gpu()))
