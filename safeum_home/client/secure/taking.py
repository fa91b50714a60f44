"""Taking envelopes: who has signed them, whether they follow, whether they may, and what is in them."""

from collections import OrderedDict
from collections.abc import Iterator

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import message as messages
from safeum_home.client.secure import payloads, roster, succession
from safeum_home.client.secure.envelope import NONE, Head, Kind
from safeum_home.client.secure.epochs import GRACE, KnownEpoch
from safeum_home.client.secure.events import (
    Event,
    Gap,
    KeysChanged,
    KeysNeeded,
    Overtaken,
    Received,
    Refusal,
    RosterChanged,
    Told,
    VaultNewer,
)
from safeum_home.client.secure.holding import HeldEnvelope, Holding
from safeum_home.client.secure.octets import HASH, Reader, malformed
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Held, Reason, Refused
from safeum_home.client.secure.room import Room
from safeum_home.client.secure.signers import signer_of
from safeum_home.client.secure.streams import Noted, Verdict
from safeum_home.client.secure.watching import Watching
from safeum_home.protocol.signing import decode_octets

MOST_AUTHORS = 20_000


class Taker:
    """Takes what a node tells of a chat. `own_stream` is that of this program, which need not come back."""

    def __init__(self, room: Room, watching: Watching) -> None:
        self._room = room
        self._watching = watching
        self._holding = Holding()
        self._authors: OrderedDict[bytes, tuple[str, str]] = OrderedDict()
        """Of messages, by their hash: who has written them, and what the node calls them."""
        self.own_stream = b""
        self.own_rosters: dict[bytes, Head] = {}
        """Those that this program has signed and that have not come back, by their hash."""
        self._followed: dict[str, bytes] = {}
        """Of accounts, the hash of the keys that were told here as the followers of others."""

    # --- in

    def take(self, told: Told, past: bool) -> Iterator[Event]:
        """An envelope that has come."""
        try:
            envelope = envelopes.read(told.data)
            if envelope.head.quiet != told.quiet:
                raise malformed()
        except Refused as refused:
            yield Refusal(refused.reason, told.sender, told.id)
            return
        place, now = self._room.place(told.sender), self._room.now()
        yield from self._try(HeldEnvelope(told, place, envelope, past, Reason.NO_KEYS, now), True)
        if envelope.head.kind is not Kind.MESSAGE:
            yield from self.again()

    def again(self) -> Iterator[Event]:
        """Something has come that others may have waited for."""
        while held := self._holding.take():
            waiting = len(held)
            for each in held:
                yield from self._try(each, False)
            if len(self._holding) >= waiting:
                return

    @property
    def lacks_past(self) -> bool:
        """Whether something of history waits for an epoch."""
        return self._holding.lacks_past()

    def overdue(self) -> Iterator[Event]:
        """That something waits in vain, so far."""
        for each in self._holding.overdue(self._room.now()):
            yield Refusal(each.reason, each.told.sender, each.told.id)

    def wrote(self, hash: bytes, account: str) -> None:
        """This program has said something."""
        self._remember(hash, account, "")

    # --- whose it is, and whether it follows

    def _try(self, held: HeldEnvelope, first: bool) -> Iterator[Event]:
        told = held.told
        try:
            keys = signer_of(self._room, held)
            if not held.noted:
                noted = self._note(held)
                if noted is None:
                    return
                late, known = noted.verdict is Verdict.LATE, noted.verdict is Verdict.AGAIN
                held = HeldEnvelope(*held[:6], True, late, known)
                # Who is out lacks what is said meanwhile, up to the roster that has him in again.
                if noted.gap and not self._room.roster.is_out:
                    yield Gap(told.sender, len(noted.gap))
            yield from self._read(held, keys)
        except Held as wait:
            known = held.known or wait.reason is Reason.ROSTER_FORKED
            for gone in self._holding.add(held._replace(reason=wait.reason, known=known)):
                yield Refusal(Reason.TOO_MANY, gone.told.sender, gone.told.id)
            if wait.account and first:
                yield KeysNeeded((wait.account,))
        except Refused as refused:
            # What nobody would have read is not missed by who had other keys.
            if refused.reason is not Reason.FORMER_KEYS or not held.envelope.head.quiet:
                yield Refusal(refused.reason, told.sender, told.id)

    def _note(self, held: HeldEnvelope) -> Noted | None:
        """None of what is there already, and came so; raises `Refused`."""
        told, head, hash = held.told, held.envelope.head, held.envelope.hash
        noted = self._room.streams.note(head, told.sender, hash, not held.past)
        again = noted.verdict is Verdict.AGAIN and not held.past
        _, known = self._authors.get(hash, ("", ""))
        if again and known not in ("", told.id):
            raise Refused(Reason.REPLAYED)
        self._remember(hash, told.sender, told.id)
        return None if again and hash not in self.own_rosters else noted

    def _remember(self, hash: bytes, account: str, id: str) -> None:
        self._authors[hash] = (account, id)
        if len(self._authors) > MOST_AUTHORS:
            self._authors.popitem(last=False)

    # --- what it is

    def _read(self, held: HeldEnvelope, keys: PublicKeys) -> Iterator[Event]:
        match held.envelope.head.kind:
            case Kind.MESSAGE:
                yield from self._message(held, keys)
            case Kind.EPOCH:
                self._epoch(held, keys)
            case Kind.ROSTER:
                yield from self._roster(held, keys)
            case Kind.SUCCESSION:
                yield from self._succession(held)

    def _message(self, held: HeldEnvelope, keys: PublicKeys) -> Iterator[Event]:
        room, sender, envelope = self._room, held.told.sender, held.envelope
        sealed = messages.read(envelope)
        known = room.epochs.get(sealed.epoch)
        if known is None:
            raise Held(Reason.NO_EPOCH)
        if known.hashes is not None and known.hashes.get(sender) != keys.hash:
            raise Refused(Reason.NOT_A_MEMBER)
        if not held.past:
            self._check_now(known, sender, keys)
        key = room.epochs.key(known).of_sender(sender, keys.hash)
        inner = messages.open(envelope, sealed, held.place, key)
        payload = payloads.decode(inner.payload)
        self._check_author(payload, sender)
        if not held.past:
            known.count += 1
        hash, head = envelope.hash, envelope.head
        place = head.stream, head.number
        yield Received(sender, hash, held.told.id, inner.at, payload, held.past, held.late, *place)
        if sender == room.own.account and inner.vault > room.vault_version():
            yield VaultNewer(inner.vault)
        if not held.past:
            yield from self._watching.heard(sender, inner, self.own_stream, room.now())

    def _check_now(self, known: KnownEpoch, sender: str, keys: PublicKeys) -> None:
        """Something may be said in an epoch yet, by this one; raises `Refused`."""
        if known.stale is not None and self._room.now() > known.stale + GRACE:
            raise Refused(Reason.STALE_EPOCH)
        # Of one from history, or the vault, it is not known who was a member of what then.
        if not known.good and self._room.in_force().get(sender) != keys.hash:
            raise Refused(Reason.NOT_A_MEMBER)

    def _check_author(self, payload: payloads.Payload | payloads.Unknown, sender: str) -> None:
        match payload:
            case payloads.Edit(message=message):
                changed: tuple[str, ...] = (message,)
            case payloads.Deletion(messages=several):
                changed = several
            case _:
                return
        hashes = (decode_octets(each, HASH) or b"" for each in changed)
        if any(self._authors.get(each, (sender, ""))[0] != sender for each in hashes):
            raise Refused(Reason.NOT_ITS_AUTHOR)

    def _epoch(self, held: HeldEnvelope, keys: PublicKeys) -> None:
        room, maker = self._room, held.told.sender
        epoch, id = epochs.read(held.envelope), held.envelope.hash
        if room.epochs.get(id) is not None and held.past:
            return
        if epoch.hashes.get(maker) != keys.hash:
            raise Refused(Reason.NOT_A_MEMBER)
        in_force = None if held.past else room.in_force()
        if in_force is not None:
            if room.has_ghosts(epoch):
                raise Refused(Reason.GHOST)
            if room.epochs.is_late(epoch, in_force, room.now()):
                raise Refused(Reason.STALE_EPOCH)
        room.epochs.add(id, epoch, room.open(epoch), in_force)

    def _roster(self, held: HeldEnvelope, keys: PublicKeys) -> Iterator[Event]:
        room, signer = self._room, held.told.sender
        statement = roster.read(held.envelope)
        if room.peer is not None:
            raise Refused(Reason.NOT_A_MEMBER)
        hash = held.envelope.hash
        own = self.own_rosters.pop(hash, None) is not None
        was_out = room.roster.is_out
        try:
            known = held.known and not own
            change, in_force = room.roster.follow(statement, hash, signer, keys.hash, held.past, known)
        except Refused:
            leaves = room.roster.head == NONE and signer not in statement.members
            if held.past or leaves:
                return  # it is of before what is in force, or of who leaves before anybody has vouched
            raise
        if was_out and room.roster.is_in:
            room.streams.let_in_again(room.now(), held.envelope.head.stream)
        room.changed()
        if in_force or change.removed:
            yield RosterChanged(signer, change)
        if own and not in_force:
            yield Overtaken()
        elif not in_force and not held.past and room.roster.adds(statement):
            # Its signer will sign anew, where it was meant well; who has not done so in a minute is told of.
            raise Held(Reason.ROSTER_FORKED)

    def _succession(self, held: HeldEnvelope) -> Iterator[Event]:
        room, account = self._room, held.told.sender
        line = succession.take(Reader(held.envelope.content))
        is_news = room.people.check_line(account, line.keys)
        before = room.people.follow(account, line.keys, room.now()) if is_news else None
        room.succeed(account, line.keys)
        told = self._followed.get(account) == line.last.hash or line.last == room.own.public
        # Those before keys that were seen first, or compared since, are nothing that has changed.
        elsewhere = is_news and room.people.trust(account) is Trust.CHANGED
        if before is not None or (elsewhere and not held.past and not told):
            self._followed[account] = line.last.hash
            yield KeysChanged(account, (before or line.before).hash, line.last.hash, True)


def hash_of(told: Told) -> bytes | None:
    """What names an envelope; None of what is none."""
    try:
        return envelopes.read(told.data).hash
    except Refused:
        return None


def is_succession(told: Told) -> bool:
    """Whether an envelope says that it names other keys."""
    try:
        return envelopes.read(told.data).head.kind is Kind.SUCCESSION
    except Refused:
        return False
