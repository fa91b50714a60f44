"""Bodies of kinds that are not known here: what a node takes and carries, and how a client gets them.

All decoders take the kinds that are known in one pass. Only what they refuse gets a second look here.
"""

import re
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Struct

from safeum_home.protocol.message_types import Unknown
from safeum_home.protocol.types import KnownBody, Message

MAX_CARRIED = 16 * 1024
"""Octets of a body that is carried, as canonical JSON."""
MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1
RESERVED = "node."
"""Kinds that begin with this are for nodes of later versions to write; no account can send one."""
KIND_PATTERN = r"^[a-z][a-z0-9_.-]{0,63}$(?!\n)"
_KIND = re.compile(KIND_PATTERN, re.ASCII)
_NAME = re.compile(r"[\x21-\x7e]{1,64}")
KINDS: frozenset[str] = frozenset(str(kind.__struct_config__.tag) for kind in get_args(KnownBody))
_PLACE = {"kind": "text", "text": "-"}
_messages = msgspec.json.Decoder(Message)
S = TypeVar("S", bound=Struct)


class NotCarried(ValueError):
    """A body of an unknown kind that is not of the form for that; says why, and nothing of it."""


def carried(plain: object) -> Unknown:
    """A body of an unknown kind, out of decoded JSON, in a form that can be signed.

    Raises `NotCarried` where it is of such a kind, and not of that form; ValueError where it is none of that.

    It is an object of objects, lists, texts, integers within 2^53, booleans and nulls, whose members'
    names are of visible ASCII: for those RFC 8785 leaves one form, the one that is stored.
    """
    if not isinstance(plain, dict):
        raise ValueError("the body is no object")
    kind = plain.get("kind")
    if not isinstance(kind, str) or _KIND.fullmatch(kind) is None:
        raise ValueError("the body has no kind that is well formed")
    if kind in KINDS:
        raise ValueError("this kind is known, and not of that form")
    if kind.startswith(RESERVED):
        raise NotCarried(f"kinds that begin with `{RESERVED}` are written by nodes alone")
    _check(plain, MAX_DEPTH)
    body = Unknown(plain)
    if len(octets := body.octets) > MAX_CARRIED:
        raise NotCarried(f"the body has {len(octets)} octets; {MAX_CARRIED} is the most")
    return Unknown(msgspec.json.decode(octets))


def _check(value: object, depth: int) -> None:
    if depth == 0:
        raise NotCarried(f"the body is deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for name, inner in value.items():
            if _NAME.fullmatch(name) is None:
                raise NotCarried("a member of the body has a name that is not of visible ASCII")
            _check(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth - 1)
    elif isinstance(value, float):
        raise NotCarried("the body holds a number that is no integer")
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise NotCarried("the body holds an integer beyond 2^53-1")


def decode(octets: bytes, kind: type[S]) -> S:
    """A value of `kind` out of JSON, whose messages may have bodies of kinds that are not known.

    Raises what msgspec raises where it is not of that form for another reason.
    """
    try:
        return msgspec.json.decode(octets, type=kind)
    except msgspec.ValidationError:
        return _second_look(octets, kind)


def decode_message(octets: bytes) -> Message:
    """A message out of its JSON, as it is stored."""
    try:
        return _messages.decode(octets)
    except msgspec.ValidationError:
        return _second_look(octets, Message)


def _second_look(octets: bytes, kind: type[S]) -> S:
    plain = msgspec.json.decode(octets)
    bodies: dict[str, Unknown] = {}
    _take_out(plain, bodies)
    value = msgspec.convert(plain, kind)
    _put_in(value, bodies)
    return value


def _take_out(value: Any, bodies: dict[str, Unknown]) -> None:
    """Put a text in place of each body of an unknown kind, and note that under its message's id."""
    if isinstance(value, list):
        for inner in value:
            _take_out(inner, bodies)
    elif isinstance(value, dict):
        body, message = value.get("body"), value.get("id")
        if isinstance(message, str) and "sender" in value and isinstance(body, dict) and not _known(body):
            bodies[message] = Unknown(body)
            value["body"] = _PLACE
        for name, inner in value.items():
            if name != "body":
                _take_out(inner, bodies)


def _known(body: dict[str, Any]) -> bool:
    try:
        msgspec.convert(body, KnownBody)
    except msgspec.ValidationError:
        return False
    return True


def _put_in(value: Any, bodies: dict[str, Unknown]) -> None:
    if isinstance(value, list | tuple):
        for inner in value:
            _put_in(inner, bodies)
    elif isinstance(value, Message):
        if (body := bodies.get(value.id)) is not None:
            msgspec.structs.force_setattr(value, "body", body)
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            _put_in(getattr(value, name), bodies)
