"""Voicemail: what somebody has left, as a message of the chat that is for it, and the account's rules."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.files import File
from safeum_home.protocol.scalars import Milliseconds
from safeum_home.protocol.telephone_types import Number

MAX_GREETING = 40 * 1024
"""Octets of a greeting: base64 of it fits a frame."""
GREETING_SECONDS = 30


class Voicemail(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="voicemail"
):
    """Written by the node's system contact into the voicemail chat: a caller has left a message.

    He called `at` that time; from `until` on nobody can open it any more, and clients show it no longer.
    """

    sound: File
    """Ogg Opus, with its `duration`. It is fetched as the file of this message, and cannot be forwarded."""
    at: Milliseconds
    until: Milliseconds
    caller: Number | None = None
    """Left out where withheld."""


class VoicemailRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When the voicemail takes a call."""

    enabled: bool = True
    """False: it takes none, whatever else is said here."""
    no_answer: bool = True
    busy: bool = True
    declined: bool = True
    offline: bool = True
    """No device is connected, or can be woken."""
    always: bool = False
    """No device rings: it takes each call at once."""


Greeting = Annotated[bytes, Meta(min_length=1, max_length=MAX_GREETING, description="A sound file, base64.")]
