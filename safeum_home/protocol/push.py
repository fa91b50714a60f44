"""What a wake looks like to the device that gets it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

MOST = 4096
"""Octets of a payload: what all providers carry (RFC 8030 section 7.2)."""

Payload = bytes | str | Mapping[str, object]
"""A push as a device has it: the text that came, or its members as an operating system hands them over."""


class Wake(StrEnum):
    """The class of a wake: all that a provider, and whoever reads the payload, learns of why."""

    MESSAGE = "msg"
    """There is something to fetch."""
    CALL = "call"
    """Somebody calls now."""


class _Told(Struct, frozen=True):
    wake: Annotated[str, Meta(min_length=1, max_length=32)]


_decoder = msgspec.json.Decoder(_Told)


def read_wake(payload: Payload) -> Wake | None:
    """What a push is for, whatever else is in it; None for one that is no wake of a node's.

    A class of a newer node is as good as `MESSAGE`: there is something to fetch.
    """
    try:
        if isinstance(payload, Mapping):
            told = msgspec.convert(payload, _Told)
        elif len(payload) > MOST:
            return None
        else:
            told = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return Wake(told.wake) if told.wake in list(Wake) else Wake.MESSAGE
