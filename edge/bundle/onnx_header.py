"""Locations of the weights of an ONNX file: a walk over its protobuf messages that loads and runs nothing.

An inference engine opens whatever a graph names, TensorRT-RTX 1.7 also through links and pipes: every file but the one
that the manifest lists, with its hash, is refused before.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

from ..errors import BundleError
from .manifest import DAMAGED_REMEDY

MOST_FIELDS = 300_000
"""Most protobuf fields that are read in one file; a quantised transformer of 12 layers has 13 000."""
LARGEST_TAG = (1 << 32) - 1
"""Largest tag; engines drop higher bits, so that two readers would see two fields."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

MESSAGES = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {
        5: "Tensor",
        6: "Graph",
        10: "Tensor",
        11: "Graph",
        22: "SparseTensor",
        23: "SparseTensor",
    },
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "Entry"},
}
"""Numbers of the fields of onnx.proto through which a tensor can be reached, and the message that each one holds."""


def check(path: Path, weights: Path | None) -> None:
    """Raise BundleError unless the file is one ONNX model, and all its external data lie inside `weights`."""
    size = weights.stat().st_size if weights else 0
    allowed = f"{weights.name} of {size} bytes" if weights else "its own file"
    with path.open("rb") as stream:
        try:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:  # of an empty file
            raise BundleError(f"{path} is no ONNX graph: it is empty; {DAMAGED_REMEDY}") from error
        with data:
            try:
                claims = list(external_data(data))
            except MalformedError as error:
                raise BundleError(f"{path} is no ONNX graph: {error}; {DAMAGED_REMEDY}") from error
    for claim in claims:
        location = claim.get("location", "")
        offset, length = claim.get("offset", "0"), claim.get("length", "0")
        if path.parent / location != weights:
            raise BundleError(f"{path} has weights in {location!r}, expected in {allowed}; do not use this bundle")
        if not (is_count(offset) and is_count(length) and int(offset) + int(length) <= size):
            raise BundleError(
                f"{path} has weights at {offset!r}, {length!r} bytes long, expected in {allowed}; {DAMAGED_REMEDY}"
            )


class MalformedError(ValueError):
    """Error of bytes that are no ONNX model."""


def is_count(text: str) -> bool:
    """Return whether a text is a number of bytes that a file can have."""
    return text.isascii() and text.isdigit() and len(text) < 20


def external_data(data: mmap.mmap) -> Iterator[dict[str, str]]:
    """Yield the location, offset and length of every tensor that has external data."""
    pending, has_graph, fields_read = [("Model", 0, len(data))], False, 0
    while pending:
        kind, start, end = pending.pop()
        claim: dict[str, str] = {}
        for number, first, last in fields(data, start, end):
            fields_read += 1
            if fields_read > MOST_FIELDS:
                raise MalformedError(f"it has more than {MOST_FIELDS} fields, fewer are expected")
            inner = MESSAGES[kind].get(number)
            has_graph |= kind == "Model" and inner == "Graph"
            if inner == "Entry":
                key, value = entry(data, first, last)
                if key in claim:
                    raise MalformedError(f"a tensor's {key!r} is {claim[key]!r} and {value!r}, one is expected")
                claim[key] = value
            elif inner:
                pending.append((inner, first, last))
        if claim:
            yield claim
    if not has_graph:
        raise MalformedError("it holds no graph")


def entry(data: mmap.mmap, start: int, end: int) -> tuple[str, str]:
    """Return one key and its value; of fields that come twice the last one counts, as in protobuf."""
    texts = {number: data[first:last] for number, first, last in fields(data, start, end)}
    key, value = (texts.get(number, b"").decode(errors="backslashreplace") for number in (1, 2))
    return key, value


def fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of each field of the message in `data[at:end]`; number 0 where it has no bytes."""
    while at < end:
        began = at
        tag, at = varint(data, at, end)
        wire_type = tag & 7
        if tag > LARGEST_TAG or wire_type not in (VARINT, FIXED64, BYTES, FIXED32):
            raise MalformedError(f"byte {began} begins a field with tag {tag}, which ONNX does not have")
        size = {FIXED64: 8, FIXED32: 4}.get(wire_type, 0)
        if wire_type == VARINT:
            _, at = varint(data, at, end)
        elif wire_type == BYTES:
            size, at = varint(data, at, end)
        if size > end - at:
            raise MalformedError(f"the field at byte {began} claims {size} bytes, {end - at} are left")
        yield (tag >> 3 if wire_type == BYTES else 0), at, at + size
        at += size


def varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    """Return a number of seven bits a byte that begins at `at`, and the position after it."""
    value = 0
    for i, byte in enumerate(data[at : min(at + 10, end)]):
        value |= (byte & 127) << (7 * i)
        if byte < 128:
            return value, at + i + 1
    raise MalformedError(f"the number at byte {at} has no end")
