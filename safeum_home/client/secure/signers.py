"""Whose an envelope is: the keys that have signed it, in force or before, as they are known here."""

from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import succession
from safeum_home.client.secure.envelope import Envelope, Kind
from safeum_home.client.secure.epochs import GRACE
from safeum_home.client.secure.holding import HeldEnvelope
from safeum_home.client.secure.people import Person
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Held, Reason, Refused
from safeum_home.client.secure.room import Room


def signer_of(room: Room, held: HeldEnvelope) -> PublicKeys:
    """The keys of its sender that have signed it; raises `Held(NO_KEYS)`, `Refused`."""
    account, envelope = held.told.sender, held.envelope
    place, person = held.place, room.people.get(account)
    if person is None:
        raise Held(Reason.NO_KEYS, account)
    if envelope.head.kind is Kind.SUCCESSION:
        return _successor(room, held, person)
    is_own = account == room.own.account
    for keys in (room.own.public, person.keys) if is_own else (person.keys,):
        if envelope.is_signed(place, keys.sign):
            return keys
    for keys in reversed(person.former):
        if envelope.is_signed(place, keys.sign):
            _check_time(room, held, person)
            return keys
    if person.offered and envelope.is_signed(place, person.offered.sign):
        raise Held(Reason.NO_KEYS)
    if held.past and is_own:
        _check_lost(room, envelope, person.since)
    raise Refused(Reason.BAD_SIGNATURE)


def _successor(room: Room, held: HeldEnvelope, person: Person) -> PublicKeys:
    """The last keys of a succession, which have signed it."""
    account = held.told.sender
    line = succession.read(held.envelope, account)
    if not held.envelope.is_signed(held.place, line.last.sign):
        raise Refused(Reason.BAD_SIGNATURE)
    if not room.people.check_line(account, line.keys):
        _check_time(room, held, person)
    return line.last


def _check_time(room: Room, held: HeldEnvelope, person: Person) -> None:
    """Keys of before are good for what was under way, and for history; raises `Refused(OLD_KEYS)`."""
    if not held.past and room.now() > person.since + GRACE:
        raise Refused(Reason.OLD_KEYS)


def _check_lost(room: Room, envelope: Envelope, since: int) -> None:
    """Raises `Refused(FORMER_KEYS)` of what this account may have signed with keys that nobody knows.

    Epochs are noted: what somebody else has said in one is signed by that one.
    """
    if not room.people.lost or envelope.head.began >= since:
        return
    if envelope.head.kind is Kind.EPOCH:
        epoch = epochs.read(envelope)
        if epoch.hashes.get(room.own.account) in room.people.lost:
            room.epochs.add(envelope.hash, epoch, None, None)
    raise Refused(Reason.FORMER_KEYS)
