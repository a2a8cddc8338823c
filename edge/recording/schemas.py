"""JSON Schemas of what a recording holds, in the part of JSON Schema that viewers read.

Foxglove, and Lichtblick, which is made from it, want an object whose properties have one type each; they do not show a
channel with any other schema. References are resolved therefore, maps have empty `properties`, and fields that may be
null stand among the `patternProperties`, which validators check and viewers pass over.
"""

from typing import Any

import msgspec

Schema = dict[str, Any]


def json_schema(kind: type[msgspec.Struct]) -> Schema:
    """Return the schema of a struct in JSON: an object, without references."""
    (root,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **resolve(root, parts)}


def resolve(schema: Schema, parts: dict[str, Schema]) -> Schema:
    """Return a schema in which its `parts` stand in place of references to them."""
    if "$ref" in schema:
        return resolve(parts[schema["$ref"]], parts)
    resolved = dict(schema)
    if "enum" in schema:  # of strings, all of them
        resolved["type"] = "string"
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            resolved[word] = resolve(schema[word], parts)
    for word in ("anyOf", "prefixItems"):
        if word in schema:
            resolved[word] = [resolve(each, parts) for each in schema[word]]
    if schema.get("type") == "object":
        fields = {name: resolve(field, parts) for name, field in schema.get("properties", {}).items()}
        resolved["properties"] = {name: field for name, field in fields.items() if "anyOf" not in field}
        resolved["patternProperties"] = {f"^{name}$": field for name, field in fields.items() if "anyOf" in field}
    return resolved
