"""What rings before a program has said that it takes calls.

A device that was woken for a call is told of it as soon as its session begins.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from safeum_home.protocol.events import CallEnded, CallInvitation, ConferenceRings
from safeum_home.protocol.telephone_events import TelephoneIncoming, TelephoneOver

MOST = 8
"""Kept at once: those beyond do not ring."""
Ring = CallInvitation | ConferenceRings | TelephoneIncoming


class EarlyRings:
    """`seconds` says what time it is."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._rings: dict[str, tuple[float, Ring]] = {}

    def take(self, event: Struct) -> None:
        """An event has come."""
        if isinstance(event, CallEnded | TelephoneOver):
            self._rings.pop(event.call, None)
        elif isinstance(event, Ring):
            now = self._seconds()
            self._rings = {call: ring for call, ring in self._rings.items() if ring[0] > now}
            if len(self._rings) < MOST:
                self._rings[event.call] = (now + event.seconds, event)

    def give(self) -> list[Struct]:
        """Those that ring still, with the seconds that are left; none is kept."""
        now, rings = self._seconds(), self._rings
        self._rings = {}
        return [
            msgspec.structs.replace(event, seconds=until - now)
            for until, event in rings.values()
            if until > now
        ]
