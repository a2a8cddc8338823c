"""A matrix product on ONNX Runtime: the one-node model, in the bytes of protobuf, and its session.

Field numbers are those of onnx.proto; varints and lengths as in https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Callable

from ..backends.base import Array
from ..backends.onnxruntime import open_session, session_options

FLOAT32 = 1
"""TensorProto.DataType.FLOAT."""
IR_VERSION, OPSET = 8, 13
"""Old enough for every ONNX Runtime that is supported."""


def open_product(threads: int) -> Callable[[Array, Array], Array]:
    """Multiplies float32 `[rows, inner]` by `[inner, columns]`, on so many cores (0: all); set up as the backend is."""
    session = open_session(model(), session_options(threads))

    def multiply(left: Array, right: Array) -> Array:
        product: Array = session.run(None, {"left": left, "right": right})[0]
        return product

    return multiply


def model() -> bytes:
    """`product = MatMul(left, right)`, as an ONNX model."""
    node = field(1, "left") + field(1, "right") + field(2, "product") + field(4, "MatMul")
    inputs = field(11, matrix("left", "rows", "inner")) + field(11, matrix("right", "inner", "columns"))
    graph = field(1, node) + field(2, "product") + inputs + field(12, matrix("product", "rows", "columns"))
    return field(1, IR_VERSION) + field(7, graph) + field(8, field(1, "") + field(2, OPSET))


def matrix(name: str, *dimensions: str) -> bytes:
    """A ValueInfoProto of float32 whose dimensions have names."""
    shape = b"".join(field(1, field(2, dimension)) for dimension in dimensions)
    return field(1, name) + field(2, field(1, field(1, FLOAT32) + field(2, shape)))


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a message: a varint, or bytes behind their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])
