"""Saying something: whom it is sealed to, in which epoch, and what waits until that can be."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from safeum_home.client.secret import Secret, fresh
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import message as messages
from safeum_home.client.secure import payloads, roster
from safeum_home.client.secure.envelope import MOST, NONE, Envelope, Head, Kind
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.epochs import KnownEpoch
from safeum_home.client.secure.events import Event, KeysDiffer, KeysNeeded, Post, Waiting
from safeum_home.client.secure.members import Members
from safeum_home.client.secure.message import Inner
from safeum_home.client.secure.octets import number
from safeum_home.client.secure.payloads import Payload
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.room import Room, Wanted
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.taking import Taker
from safeum_home.client.secure.watching import Watching

MOST_WAITING = 100
ROOM = 256
"""Octets that an epoch has more than the roster that it goes by, besides boxes, and an envelope around it."""
WEEK = 7 * 24 * 60 * 60 * 1000
"""Milliseconds after which a program begins another stream."""


class Said(NamedTuple):
    """A payload, as JSON, that is to be sealed."""

    payload: bytes
    quiet: bool
    reference: str


class Sender:
    """Says things in the stream of this program."""

    def __init__(self, room: Room, taker: Taker, watching: Watching) -> None:
        self._room = room
        self._taker = taker
        self._watching = watching
        self._waiting: deque[Said] = deque()
        self._own_epochs: list[bytes] = []
        """Those that were made in this stream."""
        self.renew()

    def renew(self) -> None:
        """Begin another stream, and say nothing in epochs of this one: others may not have them."""
        self._room.epochs.retire(self._own_epochs)
        self._own_epochs.clear()
        self._taker.own_rosters.clear()
        self._begin_stream()

    def _begin_stream(self) -> None:
        self._stream, self._number, self._previous = number(self._room.now()) + fresh(8), 0, NONE
        self._taker.own_stream = self._stream

    def say(self, payload: Payload, reference: str) -> Iterator[Event | Post]:
        """Seal it, or let it wait for keys; raises `Refused` as `SecureChat.say`."""
        said = Said(payloads.encode(payload), payloads.is_quiet(payload), reference)
        if not self._room.is_in:
            raise Refused(Reason.NOT_A_MEMBER)
        wanted = self._room.wanted()
        if not self._waiting and wanted.is_whole:
            yield from self._seal(said, wanted)
            return
        if len(self._waiting) >= MOST_WAITING:
            raise Refused(Reason.TOO_MANY)
        self._waiting.append(said)
        yield from _lacking(wanted)
        yield Waiting(reference, (*wanted.missing, *wanted.differ))

    def again(self) -> Iterator[Event | Post]:
        """Keys have come: say what waits, if they are those that are missing."""
        while self._waiting:
            wanted = self._room.wanted()
            if not wanted.is_whole:
                yield from _lacking(wanted)
                return
            yield from self._seal(self._waiting.popleft(), wanted)

    def forget(self, reference: str) -> bool:
        """Say something no more that waits; whether it did."""
        left = [each for each in self._waiting if each.reference != reference]
        forgotten = len(left) != len(self._waiting)
        self._waiting = deque(left)
        return forgotten

    def close(self) -> None:
        """What waits is said no more."""
        self._waiting.clear()

    def sign_roster(self, members: Members) -> Post:
        """Sign another roster, which is in force once it was taken; raises `Refused`."""
        room = self._room
        if room.peer is not None:
            raise Refused(Reason.NOT_A_MEMBER)
        if room.is_succeeded:
            raise Refused(Reason.OLD_KEYS)
        if self._taker.own_rosters:
            raise Refused(Reason.TOO_MANY)
        content = roster.make(room.now(), room.roster.head, members)
        if len(content) + len(members) * epochs.SEALED > MOST - ROOM:
            raise Refused(Reason.TOO_LARGE)
        head = self._next(Kind.ROSTER, True)
        envelope = envelopes.seal(head, content, room.own_place, room.own.signing)
        self._taker.own_rosters[envelope.hash] = head
        return self._post(envelope, None)

    def succeed(self, line: Line) -> Post:
        """Name the keys of this chat as the followers of those before."""
        head, room = self._next(Kind.SUCCESSION, True), self._room
        return self._post(envelopes.seal(head, line.octets, room.own_place, room.own.signing), None)

    # --- sealing

    def _seal(self, said: Said, wanted: Wanted) -> Iterator[Event | Post]:
        room = self._room
        known = room.epochs.usable(wanted.hashes, room.now())
        if known is None:
            post, known = self._begin(wanted)
            yield post
        key = room.epochs.key(known).of_sender(room.own.account, room.own.hash)
        head = self._next(Kind.MESSAGE, said.quiet)
        seen = room.streams.seen(self._stream)
        inner = Inner(room.now(), room.vault_version(), seen, said.payload)
        content = messages.seal(inner, head, room.own_place, known.id, key)
        known.count += 1
        yield self._post(envelopes.seal(head, content, room.own_place, room.own.signing), said.reference)

    def _begin(self, wanted: Wanted) -> tuple[Post, KnownEpoch]:
        """A new epoch."""
        room, key = self._room, EpochKey(Secret.random())
        try:
            previous = room.epochs.newest
            content = epochs.make(key, room.now(), room.roster.head, previous, wanted.members)
        except ValueError:
            key.wipe()
            raise Refused(Reason.NO_KEYS) from None
        head = self._next(Kind.EPOCH, True)
        envelope = envelopes.seal(head, content, room.own_place, room.own.signing)
        id = envelope.hash
        room.epochs.add(id, epochs.read(envelope), key, room.in_force())
        self._own_epochs.append(id)
        known = room.epochs.get(id)
        assert known is not None
        return self._post(envelope, None), known

    def _next(self, kind: Kind, quiet: bool) -> Head:
        began, now = int.from_bytes(self._stream[:8], "big"), self._room.now()
        if now > began + WEEK:
            self.renew()
        elif not self._number and now > began:
            self._begin_stream()  # as of its first envelope: who comes before that knows that it lacks none
        return Head(kind, quiet, self._stream, self._number + 1, self._previous)

    def _post(self, envelope: Envelope, reference: str | None) -> Post:
        room, hash, own = self._room, envelope.hash, self._room.own.account
        self._number, self._previous = envelope.head.number, hash
        room.streams.note(envelope.head, own, hash, True)
        self._taker.wrote(hash, own)
        self._watching.said(self._stream, self._number, room.now())
        return Post(envelope.data, envelope.head.quiet, hash, reference)


def _lacking(wanted: Wanted) -> Iterator[Event]:
    if wanted.missing:
        yield KeysNeeded(wanted.missing)
    for account in wanted.differ:
        yield KeysDiffer(account)
