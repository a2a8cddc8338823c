"""ONNX models and parts of them, made byte by byte: also what no exporter writes."""


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def weights_in(**claims: str) -> bytes:
    """A model's graph's initializer with external data."""
    entries = b"".join(field(13, field(1, key) + field(2, value)) for key, value in claims.items())
    return field(7, field(5, field(1, 4) + field(2, 1) + field(8, "stolen") + entries + field(14, 1)))


def node(kind: str, inputs: list[str], outputs: list[str], *more: bytes) -> bytes:
    names = [field(1, name) for name in inputs] + [field(2, name) for name in outputs]
    return field(1, b"".join(names) + field(4, kind) + b"".join(more))


def constant_in(**claims: str) -> bytes:
    """The tensor of `weights_in`, in an attribute of a node of a branch of a node."""
    tensor = weights_in(**claims)[3:]
    tensor = tensor[tensor.index(b"\x08\x04") :]
    branch = field(2, "b") + node("Constant", [], ["c"], field(5, field(1, "value") + field(5, tensor) + field(20, 4)))
    return field(7, node("If", ["c"], ["d"], field(5, field(1, "then_branch") + field(6, branch) + field(20, 5))))


def value_info(number: int, name: str, kind: int, *shape: int | str) -> bytes:
    sizes = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return field(number, field(1, name) + field(2, field(1, field(1, kind) + field(2, sizes))))


def cast_model(*shape: int | str, then: bytes = node("Identity", ["cast"], ["embedding"])) -> bytes:
    """A model that casts uint8 frames of this shape to a float32 embedding of the same."""
    to_float = field(5, field(1, "to") + field(3, 1) + field(20, 2))
    graph = node("Cast", ["frames"], ["cast"], to_float) + then + field(2, "g")
    graph += value_info(11, "frames", 2, *shape) + value_info(12, "embedding", 1, *shape)
    return field(1, 10) + field(7, graph) + field(8, field(1, "") + field(2, 18))


def sum_of_zeros(count: int) -> bytes:
    """Nodes that add so many zeros, made on the spot, to what was cast."""
    return (
        field(5, field(1, 1) + field(2, 7) + field(7, varint(count)) + field(8, "shape"))
        + node("ConstantOfShape", ["shape"], ["zeros"])
        + node("ReduceSum", ["zeros"], ["sum"])
        + node("Add", ["cast", "sum"], ["embedding"])
    )
