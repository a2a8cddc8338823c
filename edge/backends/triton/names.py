"""Names, versions and tensors of a bundle's graphs as models of a server: what the export writes, a node asks for."""

import re
from collections.abc import Sequence

from ...bundle.manifest import GraphEntry, GraphName, Manifest, Tensor
from ...errors import UsageError

DATATYPES = {"uint8": "UINT8", "bool": "BOOL", "int64": "INT64", "float32": "FP32"}
"""Names of the manifest's types in the protocol."""
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Form of a bundle's name that can be the beginning of a model's."""
VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
"""Form of a bundle's version that can be made the number of a model's."""


def model_name(manifest: Manifest, graph: GraphName | str) -> str:
    """Return the name of a graph's model, e.g. `foal-nano.fusion`; UsageError where the bundle's name makes none."""
    if not MODEL_NAME.fullmatch(manifest.name):
        raise UsageError(
            f"the bundle is called {manifest.name!r}, which cannot begin the name of a model of a server; "
            "export it under a name of letters, digits, . - and _"
        )
    return f"{manifest.name}.{graph}"


def model_version(manifest: Manifest) -> int:
    """Return the version of a bundle's models: 3001 for 0.3.1, as a server numbers versions by one whole number."""
    found = VERSION.fullmatch(manifest.version)
    if not found or found[0].strip("0.") == "":
        raise UsageError(
            f"{manifest.name} has version {manifest.version!r}, which makes no number of a model's version; "
            "export it under three numbers below 1000, like 0.3.1"
        )
    major, minor, patch = map(int, found.groups())
    return major * 1_000_000 + minor * 1_000 + patch


def row_shape(tensor: Tensor) -> list[int]:
    """Return the shape of one row as a server takes it: `[1]` where a row is one number."""
    return [int(size) for size in tensor.shape[1:]] or [1]


def hash_parameter(version: int) -> str:
    """Return the name of the parameter of a model that has the hashes of a version's files."""
    return f"sha256_{version}"


def hashes(entry: GraphEntry) -> str:
    """Return the hashes of a graph's files, its own first."""
    return " ".join(file.sha256 for file in entry.files)


def describe(tensors: Sequence[tuple[str, str, Sequence[int]]]) -> str:
    """Return tensors for people: `waveform FP32 [*, 14150]`."""
    shapes = [", ".join("*" if size < 0 else str(size) for size in shape) for _, _, shape in tensors]
    return ", ".join(f"{name} {kind} [{shape}]" for (name, kind, _), shape in zip(tensors, shapes, strict=True))
