"""Sessions of ONNX Runtime that run on the provider that was asked for, or not at all.

By default ONNX Runtime logs that a provider cannot be had and goes on with the CPU. Here the providers that a session
has are compared with what was asked for, and so is the place of each node: ONNX Runtime captures CUDA graphs only of
what has no tensor cross over to the host, and else is told to put no node there that computes anything.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...bundle.manifest import GraphEntry
from ...errors import EngineError
from ..onnxruntime import VERSION, check_tensors, make_session, ort, session_options  # type: ignore[attr-defined]  # which keeps ort to itself

CPU_REMEDY = "take --backend onnxruntime"
STRICT = {"session.disable_cpu_ep_fallback": "1"}
"""Entry of a session's options by which ONNX Runtime refuses a graph of which it would run a node on the CPU."""
ARRANGING = frozenset(
    {"Cast", "Concat", "Expand", "Gather", "Reshape", "Shape", "Slice", "Squeeze", "Tile", "Transpose", "Unsqueeze"}
)
"""Operators that compute nothing: CUDA's provider leaves them on the host where they are given shapes and constants."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Provider:
    """An execution provider of ONNX Runtime with its options, and where its tensors are."""

    name: str
    """Name that ONNX Runtime gives it, e.g. `CUDAExecutionProvider`."""
    device: str
    """Kind of the device with its tensors, as ONNX Runtime names it: `cuda` or `cpu`."""
    options: Mapping[str, str] = field(default_factory=dict)
    graph_options: Mapping[str, str] = field(default_factory=dict)
    """Further options with which it captures CUDA graphs; empty where it captures none."""
    strict_entries: Mapping[str, str] = field(default_factory=lambda: STRICT)
    """Entries of the options of a session that runs nowhere else; none for the CPU, which there is no way around."""


def open_capturing(path: Path, entry: GraphEntry, provider: Provider) -> ort.InferenceSession:
    """Open a session that captures CUDA graphs; EngineError where a tensor would cross over to the host, and others."""
    session = open_on(path, entry, provider, {**provider.options, **provider.graph_options}, session_options(1))
    outside = tensors_elsewhere(session, provider.device)
    if outside:
        raise EngineError(f"ONNX Runtime {VERSION} takes the tensors {', '.join(outside)} of {path} on the host")
    return session


def open_strict(path: Path, entry: GraphEntry, provider: Provider) -> ort.InferenceSession:
    """Open a session without CUDA graphs; EngineError names the nodes that the host would compute, if any.

    Nodes there that compute nothing are warned of.
    """
    options = session_options(1)
    for key, value in provider.strict_entries.items():
        options.add_session_config_entry(key, value)
    try:
        return open_on(path, entry, provider, provider.options, options)
    except EngineError as error:
        log.debug("%s", error)
    options = session_options(1)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    session = open_on(path, entry, provider, provider.options, options)
    elsewhere = nodes_elsewhere(session, provider.name)
    described = ", ".join(f"{count} {operator}" for operator, count in sorted(elsewhere.items()))
    if elsewhere.keys() - ARRANGING:
        raise EngineError(f"{path}: ONNX Runtime {VERSION} would run nodes on the host ({described})", CPU_REMEDY)
    log.warning("%s has nodes on the host, which arrange what is constant (%s)", path.name, described)
    return session


def open_on(
    path: Path, entry: GraphEntry, provider: Provider, provider_options: Mapping[str, str], options: ort.SessionOptions
) -> ort.InferenceSession:
    """Open a session on a provider with these options; EngineError where ONNX Runtime does not, or with another one."""
    try:
        session = make_session(path, options, [(provider.name, dict(provider_options))])
    except Exception as error:  # onnxruntime's errors share no base class
        raise EngineError(
            f"{path} does not load in ONNX Runtime {VERSION} by {provider.name}: {error}", CPU_REMEDY
        ) from error
    found = session.get_providers()
    if not found or found[0] != provider.name:
        raise EngineError(
            f"{path}: ONNX Runtime {VERSION} was asked for {provider.name} and took {', '.join(found)}",
            "its log above says why; run `foal-edge doctor`, or take --backend onnxruntime",
        )
    check_tensors(str(path), "inputs", entry.inputs, session.get_inputs())
    check_tensors(str(path), "outputs", entry.outputs, session.get_outputs())
    return session


def tensors_elsewhere(session: ort.InferenceSession, device: str) -> list[str]:
    """Return the inputs and outputs of a graph that a session keeps on another kind of device."""
    sides = (
        (session.get_inputs(), session.get_input_memory_infos()),
        (session.get_outputs(), session.get_output_memory_infos()),
    )
    return [
        tensor.name
        for tensors, infos in sides
        for tensor, info in zip(tensors, infos, strict=True)
        if info.name.lower() != device
    ]


def nodes_elsewhere(session: ort.InferenceSession, provider: str) -> Counter[str]:
    """Return how many nodes of each operator a session, which has recorded it, runs on other providers."""
    parts = [part for part in session.get_provider_graph_assignment_info() if part.ep_name != provider]
    return Counter(node.op_type for part in parts for node in part.get_nodes())
