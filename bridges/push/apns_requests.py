"""What APNs is asked: of each class one constant, but for the device, the time and a random number.

See https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, NamedTuple

import msgspec

from bridges.push.template import PAYLOADS
from safeum_home.outgoing.http2.asking import Fields
from safeum_home.ports.push import Wake

LOC_KEY = "SAFEUM_WAKE"
"""What the application's own translations have for a wake that it shows nothing better for."""


class Kind(NamedTuple):
    """All of a request that is the same for every device."""

    fields: Fields
    body: bytes


class Kinds:
    """The requests for messages, for calls, and for calls to devices that have no token for them.

    All are of one size.
    """

    def __init__(self, topic: str, shown: bool, text: str | None) -> None:
        """`shown`: messages wake with something to see; `text` is that, else the application's own."""
        seen = {"loc-key": LOC_KEY} if text is None else {"body": text}
        alert = {"alert": seen, "sound": "default", "mutable-content": 1}
        silent = {"content-available": 1}
        self._topic = topic
        self._size = max(len(_body(wake, aps)) for wake in Wake for aps in (alert, silent))
        if shown:
            self.message = self._kind(Wake.MESSAGE, "alert", b"10", alert)
        else:
            self.message = self._kind(Wake.MESSAGE, "background", b"5", silent)
        self.call = self._kind(Wake.CALL, "voip", b"10", {}, ".voip")
        self.call_shown = self._kind(Wake.CALL, "alert", b"10", alert)

    def _kind(
        self, wake: Wake, push_type: str, priority: bytes, aps: Mapping[str, Any], suffix: str = ""
    ) -> Kind:
        fields = (
            (b"user-agent", b"SafeUM-Home"),
            (b"apns-topic", (self._topic + suffix).encode("ascii")),
            (b"apns-push-type", push_type.encode("ascii")),
            (b"apns-priority", priority),
            # Of those that wait for a device APNs keeps the last, and a device shows one.
            (b"apns-collapse-id", wake.value.encode("ascii")),
        )
        return Kind(fields, _body(wake, aps).ljust(self._size))


def _body(wake: Wake, aps: Mapping[str, Any]) -> bytes:
    return b'{"aps":' + msgspec.json.encode(aps) + b"," + PAYLOADS[wake].removeprefix(b"{")


@dataclass(frozen=True, slots=True)
class Post:
    """A request, but for what is different when it is asked once more."""

    path: bytes = field(repr=False)
    kind: Kind
    until: bytes
    """When a wake is of no use any more, in seconds since 1970."""


def random_id() -> bytes:
    """A UUID (RFC 9562, version 4): APNs would give one, and calls it back in its answer."""
    text = token_hex(16)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}".encode("ascii")
