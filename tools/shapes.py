"""What members are made of, in the words of the tables of docs/protocol/README.md."""

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from safeum_home.protocol.schemas import REFERENCE, Json, schemas

BODY = "Body"
"""What a message says: one of the types that are told apart by their `kind`."""
_PART = re.compile(REFERENCE.format(name=r"(\w+)"))
_WORDS = {"string": "text", "array": "list"}


class Shapes:
    """The types that commands and events have, and all that these are made of."""

    def __init__(self, tops: Sequence[type[Struct]]) -> None:
        self._schemas = schemas(tops)
        parts = {name for schema in self._schemas.values() for name in _PART.findall(json.dumps(schema))}
        self._parts = sorted(parts)

    def fields(self, struct: type[Struct]) -> str:
        """A struct's members. `?` marks those that may be left out; what is an object is named."""
        return self._members(struct.__name__, inspect.signature(struct), simple=False) or "none"

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Each type that stands in others: its name, what it is made of, and what it is."""
        for name in sorted([*self._parts, BODY]):
            if name == BODY:
                yield f"`{BODY}`", self._alternatives(), "What a message says, by its `kind`."
                continue
            schema = self._schemas[name]
            about = " ".join(schema.get("description", "").split())
            if "properties" in schema:
                yield f"`{name}`", self._members(name, None, simple=True), about
            else:
                yield f"`{name}`", self._word(schema), about

    def _members(self, name: str, signature: inspect.Signature | None, *, simple: bool) -> str:
        schema = self._schemas[name]
        required = schema.get("required", [])
        order: Iterable[str] = schema.get("properties", {})
        if signature is not None:
            order = signature.parameters
            required = [each for each, given in signature.parameters.items() if given.default is given.empty]
        members = []
        for each in order:
            word = self._word(schema["properties"][each])
            shown = f": {word}" if simple or any(letter.isupper() for letter in word) else ""
            members.append(f"`{each}{'' if each in required else '?'}{shown}`")
        return " ".join(members)

    def _word(self, schema: Json) -> str:
        if found := _PART.fullmatch(schema.get("$ref", "")):
            return found[1]
        if "anyOf" in schema:
            words = [self._word(each) for each in schema["anyOf"]]
            if len(words) > 1 and all(
                "kind" in self._schemas.get(each, {}).get("properties", {}) for each in words
            ):
                return BODY
            return " or ".join(words)
        if "enum" in schema:
            return "/".join(str(each) for each in schema["enum"])
        kind: str = schema["type"]
        return f"[{self._word(schema['items'])}]" if kind == "array" else _WORDS.get(kind, kind)

    def _alternatives(self) -> str:
        members = [schema.get("properties", {}) for schema in self._schemas.values()]
        [body, *_] = [each["body"] for each in members if "body" in each]
        return ", ".join(f"`{name}`" for name in sorted(_PART.findall(json.dumps(body))))
