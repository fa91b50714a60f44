"""Canonical JSON, as the Matrix specification has it (appendices, "Canonical JSON"), bounded and strict.

The one form of a value: UTF-8 without white space, members sorted by Unicode code point, the shortest
escapes, integers within 2**53, no floats. (RFC 8785 sorts by UTF-16 code units, which differs beyond the
Basic Multilingual Plane.) What comes from another node has to *be* in this form: octets that are read are
written again and compared, so that no two readers ever see two values in the same octets. A member that is
there twice, `1.0`, `-0`, a BOM or an escape that is not needed is refused by that.
"""

from typing import Any, Generic, NoReturn, TypeVar

import msgspec

MAX_INTEGER = 2**53 - 1
DEEPEST = 32
"""How many arrays and objects lie within each other at the most."""

T = TypeVar("T")


class NotCanonical(ValueError):
    """Not canonical JSON, or not within the bounds. It says nothing of what was read."""


def _no_floats(_: str) -> NoReturn:
    raise NotCanonical


_encoder = msgspec.json.Encoder(order="sorted")
_plain = msgspec.json.Decoder(float_hook=_no_floats)
_DIGITS = bytes(48 if chr(octet).isdigit() and octet < 128 else 32 for octet in range(256))
_LONG = b"0" * 16
"""What 16 digits become by `_DIGITS`: no integer that is out of range has fewer."""


def encode(value: object) -> bytes:
    """The canonical form of None, booleans, integers, texts, lists, and dicts of those by text.

    Raises `NotCanonical` for what has none, or is nested deeper than `DEEPEST`.
    """
    _check(value, DEEPEST)
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:  # a lone surrogate
        raise NotCanonical from None


def decode(octets: bytes, most: int) -> Any:
    """The value of at most `most` octets; raises `NotCanonical`."""
    return _PLAIN.decode(octets, most)


class Canonical(Generic[T]):
    """Reads and writes a type (a `msgspec.Struct`) in canonical form."""

    def __init__(self, of: type[T]) -> None:
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(of, float_hook=_no_floats)

    def decode(self, octets: bytes, most: int) -> T:
        """The value of at most `most` octets; raises `NotCanonical`, also where it is not of this type."""
        if len(octets) > most:
            raise NotCanonical
        try:
            value = self._decoder.decode(octets)
            if _encoder.encode(value) != octets:
                raise NotCanonical
            if octets.count(b"[") + octets.count(b"{") > DEEPEST or _LONG in octets.translate(_DIGITS):
                _check(_plain.decode(octets), DEEPEST)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise NotCanonical from None
        return value

    def encode(self, value: T) -> bytes:
        """The canonical form; raises `NotCanonical` as `encode` does."""
        return encode(msgspec.to_builtins(value))

    @staticmethod
    def encode_again(value: object) -> bytes:
        """The canonical form of what was read, or encoded before, with what is known to have one."""
        return _encoder.encode(value)


_PLAIN: Canonical[Any] = Canonical(Any)


def _check(value: object, deeper: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if isinstance(value, int) and kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotCanonical
    elif deeper == 0:
        raise NotCanonical
    elif isinstance(value, dict):
        for name, member in value.items():
            if type(name) is not str:
                raise NotCanonical
            _check(member, deeper - 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, deeper - 1)
    else:
        raise NotCanonical
