"""Models of a server, compared with the bundle that asks for them."""

from typing import Any, NamedTuple

from ...bundle.load import Bundle
from ...bundle.manifest import GraphEntry, GraphName
from ...errors import EngineError, UnansweredError
from .connection import Connection
from .names import DATATYPES, describe, hash_parameter, hashes, model_name, model_version, row_shape


class ServerInfo(NamedTuple):
    """Server, as it tells of itself."""

    name: str
    version: str


def check_server(connection: Connection, bundle: Bundle, deadline_s: float) -> ServerInfo:
    """Return what the server is; EngineError where it is not ready or its models are not those of the bundle.

    UnansweredError where it does not answer.
    """
    address = connection.address.text
    found = connection.ask("get_server_metadata", deadline_s=deadline_s)
    for graph, entry in bundle.manifest.graphs.by_name().items():
        name, version = model_name(bundle.manifest, graph), model_version(bundle.manifest)
        if not connection.ask("is_model_ready", name, str(version), deadline_s=deadline_s):
            raise missing_model(connection, bundle, name, version, deadline_s)
        metadata = connection.ask("get_model_metadata", name, str(version), deadline_s=deadline_s)
        check_tensors(f"{name} of {address}", entry, metadata)
        config = connection.ask("get_model_config", name, str(version), deadline_s=deadline_s).config
        check_config(f"{name} of {address}", bundle, graph, config)
    return ServerInfo(found.name, found.version)


def missing_model(connection: Connection, bundle: Bundle, name: str, version: int, deadline_s: float) -> EngineError:
    """Return the error for a model that is not ready: it is not there, or only in other versions, or is loading."""
    manifest, address = bundle.manifest, connection.address.text
    index = connection.ask("get_model_repository_index", deadline_s=deadline_s).models
    states = {model.version: model.state or "not loaded" for model in index if model.name == name}
    remedy = f"python -m export triton {bundle.folder} -o REPOSITORY makes it (docs/triton.md)"
    wanted = f"{manifest.name} {manifest.version} asks for version {version}"
    if states.get(str(version)) == "LOADING":
        return UnansweredError(f"{address} is still loading {name}", "wait until it is ready")
    if states:
        listed = ", ".join(f"{found or '?'} ({state})" for found, state in sorted(states.items()))
        return EngineError(f"{address} has {name} in version {listed}; {wanted}", f"{remedy}; see the server's log")
    others = ", ".join(sorted({model.name for model in index})) or "none"
    return EngineError(f"{address} has no model {name} (its models: {others}); {wanted}", remedy)


def check_tensors(name: str, entry: GraphEntry, metadata: Any) -> None:
    """Raise EngineError unless a model's tensors are those of the manifest, in whatever order."""
    for side, expected in (("inputs", entry.inputs), ("outputs", entry.outputs)):
        found = getattr(metadata, side)
        wanted = sorted((tensor.name, DATATYPES[tensor.dtype], [-1, *row_shape(tensor)]) for tensor in expected)
        there = sorted((tensor.name, tensor.datatype, list(tensor.shape)) for tensor in found)
        if wanted != there:
            raise EngineError(
                f"{name} has {side} {describe(there)}; the bundle expects {describe(wanted)}",
                "export the bundle again: python -m export triton",
            )


def check_config(name: str, bundle: Bundle, graph: GraphName, config: Any) -> None:
    """Raise EngineError unless a model takes the bundle's batches and was made of its files, where it says of which."""
    entry = bundle.manifest.graphs.by_name()[graph]
    if config.max_batch_size < entry.batch.largest:
        raise EngineError(
            f"{name} takes batches of up to {config.max_batch_size}; the bundle's are of up to {entry.batch.largest}",
            "export the bundle again: python -m export triton",
        )
    said = config.parameters[hash_parameter(model_version(bundle.manifest))].string_value
    if said and said != hashes(entry):
        raise EngineError(
            f"{name} was made of a file with sha256 {said}; {bundle.folder} has {hashes(entry)}",
            "give node and server the same bundle: export it again, or copy that of the server to the node",
        )
