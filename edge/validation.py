"""Decoded data that is not what it should be, in plain words: which key, what was found there, what was expected."""

import re
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import inspect

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError)
"""What decoding raises: bad text, endless nesting and, in older versions, keys of a map that can be none are not among
msgspec's own errors."""

PLACE = re.compile(r"(?P<problem>.*) - at (?P<key>`key` in )?`\$(?P<path>.*)`$", re.DOTALL)
STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")
UNKNOWN = re.compile(r"Object contains unknown field `(.*)`$")
MISSING = re.compile(r"Object missing required field `(.*)`$")
MALFORMED = re.compile(r"(JSON|MessagePack) (?:data )?is malformed: (.*) \(byte (\d+)\)$")
YAML = re.compile(r"""(?:.*\n)*?(?P<problem>[^\n]+)\n\s+in ".*", (?:line (\d+), column (\d+)|position \d+)[^"]*$""")
OF_THE_LIBRARY = re.compile(r"Expected |Invalid |Object |Number out|Integer |.*`", re.DOTALL)
"""Otherwise the text is that of a check of our own, which says more."""
NOWHERE = object()
"""In place of a value that cannot be told."""


def explain(error: Exception, found: object, kind: Any = Any) -> str:
    """What is wrong with `found`, the data or its bytes, which is no `kind`."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeError):
        return "it is no text in UTF-8"
    if isinstance(error, msgspec.ValidationError):
        return explain_place(str(error), decoded(found) if isinstance(found, bytes) else found, kind)
    text = str(error)
    if parts := MALFORMED.match(text):
        return f"it is no {parts[1]}: {parts[2]} at byte {parts[3]}"
    if parts := YAML.match(text):
        return f"{parts['problem']}{f' in line {parts[2]}, column {parts[3]}' if parts[2] else ''}"
    return "it breaks off" if "truncated" in text else text


def explain_place(text: str, data: object, kind: Any) -> str:
    """A value that is no `kind`, by the place that msgspec's text names."""
    parts = PLACE.match(text)
    problem, path = (parts["problem"], parts["path"]) if parts else (text, "")
    steps = [name or (int(number) if number else None) for name, number, _ in STEP.findall(path)]
    place = path.removeprefix(".").replace("[...]", "[]")
    nodes, value = [inspect.type_info(kind)], data
    for step in steps:
        nodes = [inner for node in nodes for inner in within(node, step)]
        value = entry(value, step)
    beginning = f"{place}: " if place else ""
    if unknown := UNKNOWN.match(problem):
        return f"{beginning}{unknown[1]!r} is none of {', '.join(sorted(keys(nodes, value)))}"
    if missing := MISSING.match(problem):
        return f"{place or 'it'} lacks {missing[1]!r}"
    if not OF_THE_LIBRARY.match(problem):
        return f"{beginning}{problem}"
    if parts and parts["key"]:
        return f"{beginning}a key is not {' or '.join(expected(key_types(nodes)))}"
    was = "" if value is NOWHERE else f"found {shown(value)}, "
    return f"{beginning}{was}expected {' or '.join(expected(nodes)) or 'something else'}"


def decoded(body: bytes) -> object:
    """The value of bytes in JSON or MessagePack, told apart by their first, without looking at its form."""
    module = msgspec.json if body.lstrip()[:1] in (b"{", b"[") else msgspec.msgpack
    try:
        return module.decode(body)
    except UNREADABLE:
        return NOWHERE  # what follows the named place is damaged too


def entry(value: object, step: str | int | None) -> object:
    """What stands at a key or number; `NOWHERE` where that is not told."""
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step, NOWHERE)
    if isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        return value[step]
    return getattr(value, step, NOWHERE) if isinstance(step, str) else NOWHERE


def shown(value: object) -> str:
    """A value, shortened, as its writer would write it."""
    plain = {None: "null", True: "true", False: "false"}
    return plain[value] if value is None or isinstance(value, bool) else reprlib.repr(value)


def bare(node: inspect.Type) -> list[inspect.Type]:
    """The alternatives of a type, without what is said about it."""
    if isinstance(node, inspect.Metadata):
        return bare(node.type)
    return [inner for each in node.types for inner in bare(each)] if isinstance(node, inspect.UnionType) else [node]


def within(node: inspect.Type, step: str | int | None) -> list[inspect.Type]:
    """The types of what may stand at a key or number inside a value of this type."""
    found: list[inspect.Type] = []
    for each in bare(node):
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
    """Of maps: the types of their keys."""
    return [each.key_type for node in nodes for each in bare(node) if isinstance(each, inspect.DictType)]


def keys(nodes: Iterable[inspect.Type], value: object) -> set[str]:
    """The keys that a map may have, of several kinds that which its tag says."""
    structs = [each for node in nodes for each in bare(node) if isinstance(each, inspect.StructType)]
    meant = [each for each in structs if each.tag_field and entry(value, each.tag_field) == each.tag] or structs
    tags = {each.tag_field for each in meant if each.tag_field}
    return tags | {field.encode_name for each in meant for field in each.fields}


def expected(nodes: Iterable[inspect.Type]) -> Sequence[str]:
    """What may stand there, each kind once."""
    return list(dict.fromkeys(word for node in nodes for word in words(node)))


def words(node: inspect.Type) -> list[str]:
    """What a type takes, as a person says it; its own description where it has one."""
    if isinstance(node, inspect.Metadata):
        described = (node.extra_json_schema or {}).get("description")
        return [described] if described else words(node.type)
    if isinstance(node, inspect.UnionType):
        return [word for each in node.types for word in words(each)]
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
    """The range of a number."""
    if node.ge is not None and node.le is not None:
        return f" from {node.ge} to {node.le}"
    limits = (("of at least", node.ge), ("above", node.gt), ("at most", node.le), ("below", node.lt))
    said = [f"{word} {limit}" for word, limit in limits if limit is not None]
    return f" {' and '.join(said)}" if said else ""
