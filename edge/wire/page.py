"""Page that documents the wire, generated from the message types: `python -m edge.wire.page > docs/wire.md`."""

import ast
import inspect
import sys
from collections.abc import Iterable, Sequence
from typing import get_args

import msgspec
from msgspec import inspect as types

from . import control_messages, evidence, messages
from .control_messages import NodeState, Reply
from .drop_reasons import DROP_REASONS
from .page_clients import CLIENTS, CONTROL, FLEETS

HEADING = """\
# The wire

Generated from the messages, `edge/wire/drop_reasons.py` and `edge/wire/page_clients.py` by
`python -m edge.wire.page > docs/wire.md`: edit those files, not this page. The messages are those of
`edge/wire/messages.py` and `edge/wire/control_messages.py`.
[Recordings](usage.md#recordings-of-runs) hold the same messages.
"""
DROPPED = "## Drop reasons\n\nKeys of the maps `dropped`; `DROP_REASONS` in Python."
SCALARS: dict[type[types.Type], str] = {
    types.IntType: "integer",
    types.FloatType: "number",
    types.StrType: "string",
    types.BoolType: "boolean",
    types.NoneType: "null",
    types.BytesType: "bytes",
}


def page() -> str:
    """Return the whole page, in Markdown."""
    meanings = read_meanings(inspect.getsource(evidence)) | read_meanings(inspect.getsource(messages))
    parts = [HEADING, inspect.getdoc(messages) or ""]
    described: list[type[msgspec.Struct]] = []
    for kind in get_args(messages.Message):
        parts += [f"## {kind.__name__}", *section(kind, meanings)]
        for part in inner(kind):
            if part not in described:
                described.append(part)
                parts += [f"### {part.__name__}", *section(part, meanings)]
    reasons = [(f"`{reason}`", about) for reason, about in DROP_REASONS.items()]
    parts += [DROPPED, table(("reason", "dropped items"), reasons), FLEETS, CONTROL]
    replies = read_meanings(inspect.getsource(control_messages))
    for reply in get_args(Reply):
        parts += [f"### {reply.__name__}", *section(reply, replies)]
    parts += [f"### {NodeState.__name__}", *section(NodeState, replies)]
    parts.append(CLIENTS)
    return "\n\n".join(part.strip() for part in parts) + "\n"


def section(kind: type[msgspec.Struct], meanings: dict[tuple[str, str], str]) -> list[str]:
    """Return the description of a struct and a table of its fields, in Markdown."""
    about = struct(kind)
    rows = [
        (f"`{field.encode_name}`", spelled(field.type) + optional(field), meaning(kind, field.name, meanings))
        for field in about.fields
    ]
    if about.tag is not None:
        rows.insert(0, (f"`{about.tag_field}`", f"`{about.tag}`", "Kind of the message."))
    return [inspect.getdoc(kind) or "", table(("field", "type", "meaning"), rows)]


def optional(field: types.Field) -> str:
    """Return what the page adds to the type of a field that is left out where it has its default."""
    return "" if field.required else ", optional"


def meaning(kind: type[msgspec.Struct], field: str, meanings: dict[tuple[str, str], str]) -> str:
    """Return the docstring of a field, which may stand in a class that the struct inherits from; "" for none."""
    return next((meanings[base.__name__, field] for base in kind.__mro__ if (base.__name__, field) in meanings), "")


def struct(kind: type[msgspec.Struct]) -> types.StructType:
    """Return the fields and the tag of a struct, as msgspec encodes them. Raises TypeError for any other type."""
    about = types.type_info(kind)
    if not isinstance(about, types.StructType):
        raise TypeError(f"{kind} is {about}; only structs are on the wire")
    return about


def inner(kind: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """Return the structs among the types of a struct's fields, or of arrays there, each followed by its own."""
    found: list[type[msgspec.Struct]] = []
    for field in struct(kind).fields:
        for of in field.type.types if isinstance(field.type, types.UnionType) else [field.type]:
            each = of.item_type if isinstance(of, types.ListType) else of
            if isinstance(each, types.StructType):
                found += [each.cls, *inner(each.cls)]
    return found


def spelled(kind: types.Type) -> str:
    """Return the name of a type in the words that MessagePack and JSON share."""
    if isinstance(kind, types.UnionType):
        return " or ".join(spelled(each) for each in kind.types)
    if isinstance(kind, types.LiteralType):
        return ", ".join(f"`{value}`" for value in kind.values)
    if isinstance(kind, types.ListType) and isinstance(kind.item_type, types.StructType):
        return f"array of maps, see {link(kind.item_type)}"
    if isinstance(kind, types.ListType):
        return f"array of {spelled(kind.item_type)}s"
    if isinstance(kind, types.DictType):
        return f"map of {spelled(kind.value_type)}s"
    if isinstance(kind, types.NamedTupleType):
        return f"array of {len(kind.fields)} {spelled(kind.fields[0].type)}s"
    if isinstance(kind, types.StructType):
        return f"map, see {link(kind)}"
    return SCALARS[type(kind)]


def link(kind: types.StructType) -> str:
    """Return a link to the section of a struct."""
    return f"[{kind.cls.__name__}](#{kind.cls.__name__.lower()})"


def read_meanings(source: str) -> dict[tuple[str, str], str]:
    """Return the docstring below each field, by class and field, from the source: Python does not keep it elsewhere."""
    meanings: dict[tuple[str, str], str] = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, below in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
                meanings[node.name, field.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return meanings


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(page())
