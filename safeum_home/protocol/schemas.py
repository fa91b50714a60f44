"""JSON Schemas of the contract's types, as the generated documents hold them."""

import ast
import inspect
import sys
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Any, get_args

import msgspec
from msgspec import Struct

from safeum_home.protocol.carried import KIND_PATTERN, KINDS
from safeum_home.protocol.types import KnownBody

Json = dict[str, Any]
REFERENCE = "#/components/schemas/{name}"
_BODIES = {REFERENCE.format(name=body.__name__) for body in get_args(KnownBody)}
CARRIED = "UnknownBody"
_CARRIED: Json = {
    "title": CARRIED,
    "description": "Of a kind that the node does not know, and carries: docs/messages.md has the form.",
    "type": "object",
    "properties": {"kind": {"type": "string", "pattern": KIND_PATTERN, "not": {"enum": sorted(KINDS)}}},
    "required": ["kind"],
}


def schemas(types: Iterable[type[Struct]]) -> dict[str, Json]:
    """The schemas of `types` and of all that they are made of, by name and in the order of names.

    Descriptions come from the docstrings of classes and fields.
    """
    types = _with_parts(types)
    _, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    for struct in types:
        for name, description in field_docs(struct).items():
            components[struct.__name__]["properties"][name]["description"] = description
    if _with_carried(components):
        components[CARRIED] = _CARRIED
    return {name: _without_discriminator(components[name]) for name in sorted(components)}


def reference(struct: type[Struct]) -> Json:
    """A `$ref` to a type's schema."""
    return {"$ref": REFERENCE.format(name=struct.__name__)}


def field_docs(struct: type[Struct]) -> dict[str, str]:
    """The docstrings that follow a class's fields; none for types made at run time."""
    body = _classes(struct.__module__).get(struct.__qualname__, [])
    return {
        before.target.id: inspect.cleandoc(after.value.value)
        for before, after in pairwise(body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }


@cache
def _classes(module: str) -> dict[str, list[ast.stmt]]:
    """What the classes of a module consist of. `inspect` would parse the module for each of them."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


def _with_parts(types: Iterable[type[Struct]]) -> list[type[Struct]]:
    """`types` and every struct that their fields are made of, each once."""
    found: dict[type[Struct], None] = {}
    waiting: list[Any] = list(types)
    while waiting:
        kind = waiting.pop()
        if not (isinstance(kind, type) and issubclass(kind, Struct)):
            waiting += get_args(kind)
        elif kind not in found:
            found[kind] = None
            waiting += [field.type for field in msgspec.structs.fields(kind)]
    return list(found)


def _with_carried(schema: Any) -> bool:
    """Put bodies of unknown kinds beside the known ones, wherever these are; whether that is anywhere."""
    found = False
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        found = _with_carried(each) or found
    if isinstance(schema, dict) and {each.get("$ref") for each in schema.get("anyOf", [])} == _BODIES:
        schema["anyOf"].append({"$ref": REFERENCE.format(name=CARRIED)})
        return True
    return found


def _without_discriminator(schema: Any) -> Any:
    """AsyncAPI knows only a text there; `enum` of the tag's one value says the same in plain JSON Schema."""
    if isinstance(schema, dict):
        return {key: _without_discriminator(inner) for key, inner in schema.items() if key != "discriminator"}
    if isinstance(schema, list):
        return [_without_discriminator(inner) for inner in schema]
    return schema
