"""From a change of one account to frames for those who look: gathered, paged, and never queued up."""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from safeum_home.ports import Published
from safeum_home.ports.expiring import SayNow
from safeum_home.presence.foreign import Looker
from safeum_home.presence.peers import Peers
from safeum_home.presence.people import Device, People, Person
from safeum_home.protocol import frames
from safeum_home.protocol.events import PresenceChanged, PrivacyChanged
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.now import PRESENCE
from safeum_home.protocol.presence import MOST_PRESENCES, PresenceState, Privacy
from safeum_home.rounds import Rounds

SETTLE = 2.0
"""For how many seconds an account's changes are gathered before its contacts are told of the last one."""
GATHER = 1.0
"""For how many seconds changes of others are gathered for a device that looks."""
_FEW = 8
"""So many are looked up in `Peers` one by one; of more a set is made first."""
PEOPLE_AT_ONCE = 50
FRAMES_AT_ONCE = 50


class Telling:
    """Decides when whom is told of whom. `clock` provides IReactorTime."""

    def __init__(self, clock: Any, rounds: Rounds, people: People, say: SayNow) -> None:
        """`say` tells other nodes."""
        self._clock = clock
        self._people = people
        self._say = say
        self.leaving: Callable[[Person], None] = lambda person: None
        """Called before one that has no device any more leaves."""
        self._settling = rounds.queue(SETTLE, PEOPLE_AT_ONCE, self._settled)
        self._begun = rounds.queue(0.0, FRAMES_AT_ONCE, self._flush)
        self._gathering = rounds.queue(GATHER, FRAMES_AT_ONCE, self._flush)
        self._elsewhere = rounds.queue(GATHER, FRAMES_AT_ONCE, self._flush)
        """For those of other nodes: however many they are, devices of this one do not wait behind them."""

    def changed(self, person: Person) -> None:
        """How it is with an account may have changed."""
        self._settling.add(person, self._clock.seconds())

    def at_once(self, person: Person) -> None:
        """It has begun or ceased to be shown."""
        self._settling.drop(person)
        person.told = person.presence()
        self.fan_out(person)

    def begin(self, device: Device, reset: bool = False) -> None:
        """Tell a device of everybody that it may see."""
        device.begin(reset)
        self._soon(device)

    def met(self, first: Person | None, second: Person | None) -> None:
        """The two see each other from now on: what is told of them already is told to each other."""
        if first is not None and second is not None:
            self._put(first, second)
            self._put(second, first)

    def privacy(self, device: Device, privacy: Privacy) -> None:
        """Tell a device what its account hides."""
        _deliver(device, PrivacyChanged(privacy))

    def _settled(self, person: Person) -> None:
        if person.devices and person.peers is None:
            return  # its contacts are being read, and it is told of then
        presence = person.presence()
        if presence != person.told:
            person.told = presence
            self.fan_out(person)
        if not person.devices and self._people.here(person.account) is person:
            self.leaving(person)
            self._people.leave(person)

    def fan_out(self, person: Person) -> None:
        """Tell who looks of one that has changed."""
        for device in self._lookers(person):
            device.note(person)
            self._gather(device)

    def _lookers(self, person: Person) -> Iterator[Device]:
        for blind in person.seen_by:
            peer = self._people.behind(blind)
            if peer is not None:
                yield from (device for device in peer.devices.values() if device.looks)

    def _put(self, looker: Person, seen: Person) -> None:
        if not _is_told(seen):
            return
        for device in looker.devices.values():
            if device.looks:
                device.note(seen)
                self._gather(device)

    def _flush(self, device: Device) -> None:
        """Tell a device of as many as go into a frame; the rest waits for the next round."""
        if not device.connected:
            return
        if not device.subscriber.keeps_up:
            # Not written, and not queued either: what it is told when it reads again is how it is then.
            self._gather(device)
            return
        told = self._next(device) if device.looks else []
        if isinstance(device, Looker):
            for person in told:
                self._say(node_of(device.person.account), PRESENCE, (person.blind, device.person.blind))
            told = []
        reset, device.reset = device.reset, False
        changes = [person.public for person in told]
        if reset:
            changes = [each for each in changes if each.state is not PresenceState.UNKNOWN]
        if changes or reset:
            _deliver(device, PresenceChanged(changes, reset))
        if device.pending or device.rest:
            self._soon(device)

    def _gather(self, device: Device) -> None:
        queue = self._elsewhere if isinstance(device, Looker) else self._gathering
        queue.add(device, self._clock.seconds())

    def _soon(self, device: Device) -> None:
        queue = self._elsewhere if isinstance(device, Looker) else self._begun
        queue.add(device, self._clock.seconds())

    def _next(self, device: Device) -> list[Person]:
        """Of whom it is told now: as many as go into a frame."""
        if device.whole:
            device.whole = False
            known = (self._people.behind(blind) for blind in device.person.peers or ())
            device.rest = [each for each in known if each is not None and _is_told(each)]
        told = device.rest[-MOST_PRESENCES:]
        del device.rest[-MOST_PRESENCES:]
        while device.pending and len(told) < MOST_PRESENCES:
            told.append(device.pending.popitem()[0])
        # Who is no contact any more since it was noted is not told of.
        peers = device.person.peers or Peers()
        still = frozenset(peers) if len(told) > _FEW else peers
        return [person for person in told if person.blind in still]


def _is_told(person: Person) -> bool:
    return person.public.state is not PresenceState.UNKNOWN


def _deliver(device: Device, event: Struct) -> None:
    device.subscriber.deliver(Published(frames.text_frame(frames.encode_event(event))))
