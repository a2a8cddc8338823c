"""Decoded data that does not fit its type, put in plain words: which key, what was found there, what was expected."""

import re
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import inspect

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError)
"""Errors that decoding raises. Bad text, endless nesting and, in older versions, map keys of a wrong type are not among
msgspec's own errors."""

PLACE = r"(?s)(?P<problem>.*) - at (?P<key>`key` in )?`\$(?P<path>.*)`$"
"""Pattern of an error that names a place. `re` compiles these patterns at their first use: few runs need any."""
STEP = r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])"
UNKNOWN = r"Object contains unknown field `(.*)`$"
MISSING = r"Object missing required field `(.*)`$"
MALFORMED = r"(JSON|MessagePack) (?:data )?is malformed: (.*) \(byte (\d+)\)$"
YAML = r"""(?:.*\n)*?(?P<problem>[^\n]+)\n\s+in ".*", (?:line (\d+), column (\d+)|position \d+)[^"]*$"""
NO_TEXT = "Invalid UTF-8"
"""Beginning of the error of bad text in newer versions of msgspec; in older ones it is a UnicodeError."""
FROM_MSGSPEC = r"(?s)Expected |Invalid |Object |Number out|Integer |.*`"
"""Pattern of msgspec's own texts; any other text comes from a check of ours, which says more."""
NOWHERE = object()
"""Placeholder for a value that cannot be found."""


def explain(error: Exception, found: object, kind: Any = Any) -> str:
    """Return what is wrong with `found`, the data or its bytes, which could not be decoded as a `kind`."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeError) or NO_TEXT in str(error):
        return "it is no text in UTF-8"
    if isinstance(error, msgspec.ValidationError):
        return explain_place(str(error), decode_plain(found) if isinstance(found, bytes) else found, kind)
    text = str(error)
    if parts := re.match(MALFORMED, text):
        return f"it is no {parts[1]}: {parts[2]} at byte {parts[3]}"
    if parts := re.match(YAML, text):
        return f"{parts['problem']}{f' in line {parts[2]}, column {parts[3]}' if parts[2] else ''}"
    return "it breaks off" if "truncated" in text else text


def explain_place(text: str, data: object, kind: Any) -> str:
    """Return what is wrong at the place in `data` that msgspec's `text` names, `data` being no `kind`."""
    parts = re.match(PLACE, text)
    problem, path = (parts["problem"], parts["path"]) if parts else (text, "")
    steps = [name or (int(number) if number else None) for name, number, _ in re.findall(STEP, path)]
    place = path.removeprefix(".").replace("[...]", "[]")
    nodes, value = [inspect.type_info(kind)], data
    for step in steps:
        nodes = [inner for node in nodes for inner in inner_types(node, step)]
        value = value_at(value, step)
    beginning = f"{place}: " if place else ""
    if unknown := re.match(UNKNOWN, problem):
        return f"{beginning}{unknown[1]!r} is none of {', '.join(sorted(allowed_keys(nodes, value)))}"
    if missing := re.match(MISSING, problem):
        return f"{place or 'it'} lacks {missing[1]!r}"
    if not re.match(FROM_MSGSPEC, problem):
        return f"{beginning}{problem}"
    if parts and parts["key"]:
        return f"{beginning}a key is not {' or '.join(describe_all(key_types(nodes)))}"
    was = "" if value is NOWHERE else f"found {as_written(value)}, "
    return f"{beginning}{was}expected {' or '.join(describe_all(nodes)) or 'something else'}"


def decode_plain(body: bytes) -> object:
    """Decode JSON or MessagePack, told apart by the first byte, without a type; `NOWHERE` if that fails."""
    module = msgspec.json if body.lstrip()[:1] in (b"{", b"[") else msgspec.msgpack
    try:
        return module.decode(body)
    except UNREADABLE:
        return NOWHERE  # what follows the named place is damaged too


def value_at(value: object, step: str | int | None) -> object:
    """Return the value at a key or index; `NOWHERE` if there is none, or its place is unknown."""
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step, NOWHERE)
    if isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        return value[step]
    return getattr(value, step, NOWHERE) if isinstance(step, str) else NOWHERE


def as_written(value: object) -> str:
    """Return a value, shortened, as its writer would write it."""
    plain = {None: "null", True: "true", False: "false"}
    return plain[value] if value is None or isinstance(value, bool) else reprlib.repr(value)


def alternatives(node: inspect.Type) -> list[inspect.Type]:
    """Return the members of a union, or the type itself, without metadata."""
    if isinstance(node, inspect.Metadata):
        return alternatives(node.type)
    if isinstance(node, inspect.UnionType):
        return [inner for each in node.types for inner in alternatives(each)]
    return [node]


def inner_types(node: inspect.Type, step: str | int | None) -> list[inspect.Type]:
    """Return the types that a value of this type may hold at a key or index."""
    found: list[inspect.Type] = []
    for each in alternatives(node):
        if isinstance(each, inspect.StructType):
            found += [field.type for field in each.fields if field.encode_name == step]
            found += [inspect.LiteralType((each.tag,))] if step is not None and each.tag_field == step else []
        elif isinstance(each, inspect.DictType):
            found.append(each.value_type)
        elif isinstance(each, inspect.TupleType) and isinstance(step, int):
            found += each.item_types[step : step + 1]
        elif isinstance(each, inspect.ListType | inspect.VarTupleType | inspect.SetType | inspect.FrozenSetType):
            found.append(each.item_type)
    return found


def key_types(nodes: Iterable[inspect.Type]) -> list[inspect.Type]:
    """Return the key types of those nodes that are maps."""
    return [each.key_type for node in nodes for each in alternatives(node) if isinstance(each, inspect.DictType)]


def allowed_keys(nodes: Iterable[inspect.Type], value: object) -> set[str]:
    """Return the keys that a map may have; where several structs are possible, those of the one that its tag names."""
    structs = [each for node in nodes for each in alternatives(node) if isinstance(each, inspect.StructType)]
    meant = [each for each in structs if each.tag_field and value_at(value, each.tag_field) == each.tag] or structs
    tags = {each.tag_field for each in meant if each.tag_field}
    return tags | {field.encode_name for each in meant for field in each.fields}


def describe_all(nodes: Iterable[inspect.Type]) -> Sequence[str]:
    """Return a phrase for each type that is expected, without repeating one."""
    return list(dict.fromkeys(phrase for node in nodes for phrase in describe(node)))


def describe(node: inspect.Type) -> list[str]:
    """Return phrases for what a type accepts; its own description where it has one."""
    if isinstance(node, inspect.Metadata):
        described = (node.extra_json_schema or {}).get("description")
        return [described] if described else describe(node.type)
    if isinstance(node, inspect.UnionType):
        return [phrase for each in node.types for phrase in describe(each)]
    if isinstance(node, inspect.LiteralType):
        return [f"one of {', '.join(map(str, node.values))}" if len(node.values) > 1 else repr(node.values[0])]
    if isinstance(node, inspect.IntType | inspect.FloatType):
        return [("a whole number" if isinstance(node, inspect.IntType) else "a number") + bounds(node)]
    names = {
        inspect.NoneType: "null",
        inspect.BoolType: "true or false",
        inspect.BytesType: "bytes",
        inspect.StructType: "a map",
        inspect.DictType: "a map",
        inspect.AnyType: "anything",
        inspect.RawType: "anything",
        inspect.StrType: "text",
    }
    name = names.get(type(node), "a list")
    least = getattr(node, "min_length", None)
    return [name if not least else f"{name} that is not empty" if least == 1 else f"{name} of at least {least}"]


def bounds(node: inspect.IntType | inspect.FloatType) -> str:
    """Return the range of a number as text that follows its type."""
    if node.ge is not None and node.le is not None:
        return f" from {node.ge} to {node.le}"
    limits = (("of at least", node.ge), ("above", node.gt), ("at most", node.le), ("below", node.lt))
    said = [f"{word} {limit}" for word, limit in limits if limit is not None]
    return f" {' and '.join(said)}" if said else ""
