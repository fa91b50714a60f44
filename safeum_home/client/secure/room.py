"""What both halves of a secure chat, that which takes and that which says, share."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from safeum_home.client.secure import succession
from safeum_home.client.secure.envelope import Place
from safeum_home.client.secure.epoch import Epoch, EpochKey
from safeum_home.client.secure.epochs import Epochs
from safeum_home.client.secure.people import People
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.roster import Roster
from safeum_home.client.secure.streams import Streams
from safeum_home.client.secure.unique_key import UniqueKey


class Clock(Protocol):
    """As Twisted's `IReactorTime` has it."""

    def seconds(self) -> float:
        """Since 1970-01-01 UTC."""


class Wanted(NamedTuple):
    """Whom something that is said is sealed to."""

    members: dict[str, PublicKeys]
    missing: tuple[str, ...]
    """Accounts whose keys are not known."""
    differ: tuple[str, ...]
    """Accounts whose keys are not those that were vouched for, or others were offered and not accepted."""
    hashes: dict[str, bytes]
    """Those of the members' keys."""

    @property
    def is_whole(self) -> bool:
        return not self.missing and not self.differ


class Room:
    """A chat of two, where `peer` is the other one's account, or of a group, where it is None."""

    def __init__(
        self,
        chat: str,
        own: UniqueKey,
        people: People,
        clock: Clock,
        peer: str | None,
        vault_version: Callable[[], int],
        former: list[UniqueKey],
    ) -> None:
        self.chat = chat
        self.own = own
        self.own_place = self.place(own.account)
        self.former = former
        """Keys that this account had before, as far as they are at hand: to open what is for these."""
        self.people = people
        self._clock = clock
        self.peer = peer
        self.vault_version = vault_version
        self.roster = Roster(own.account)
        self.streams = Streams(self.now())
        self.epochs = Epochs(own, former)
        self.told: frozenset[str] | None = None
        """Members as the node names them; None as long as it has not."""
        self._wanted: tuple[object, Wanted] | None = None

    def now(self) -> int:
        """Milliseconds."""
        return int(self._clock.seconds() * 1000)

    def place(self, account: str) -> Place:
        return Place(self.chat, account)

    @property
    def is_succeeded(self) -> bool:
        """Whether the keys of this program have named others: nothing is said with them any more."""
        person = self.people.get(self.own.account)
        return person is not None and self.own.public in person.former

    def open(self, epoch: Epoch) -> EpochKey | None:
        """The key of an epoch; None where it is for keys that this account has no more. Raises `Refused`."""
        account = self.own.account
        hash, _ = epoch.members.get(account, (b"", b""))
        for key in (self.own, *self.former):
            if hash == key.hash:
                return epoch.open(key)
        if self.people.was_own(account, hash):
            return None
        raise Refused(Reason.EXCLUDED)

    @property
    def is_in(self) -> bool:
        """Whether this account is a member here."""
        if self.peer is not None:
            return True
        return self.roster.is_in and (self.told is None or self.own.account in self.told)

    def in_force(self) -> dict[str, bytes]:
        """Who is a member, with the hash of the keys that are in force here."""
        if self.peer is None:
            members = self.roster.members
            told = self.told
            return {each: hash for each, hash in members.items() if told is None or each in told}
        found = {self.own.account: self.own.hash}
        if (person := self.people.get(self.peer)) is not None:
            found[self.peer] = person.keys.hash
        return found

    def wanted(self) -> Wanted:
        """Whom something that is said now is sealed to, and what is missing for that."""
        of = (self.people.revision, self.roster.revision, self.told)
        if self._wanted is None or self._wanted[0] != of:
            self._wanted = of, self._find_wanted()
        return self._wanted[1]

    def _find_wanted(self) -> Wanted:
        in_force: Iterable[tuple[str, bytes | None]] = self.in_force().items()
        if self.peer is not None:
            in_force = ((self.own.account, None), (self.peer, None))
        members: dict[str, PublicKeys] = {}
        missing, differ = [], []
        for account, hash in in_force:
            if account == self.own.account:
                members[account] = self.own.public
                if hash not in (None, self.own.hash) or self.is_succeeded:
                    differ.append(account)
            elif (person := self.people.get(account)) is None:
                missing.append(account)
            elif person.offered is not None or hash not in (None, person.keys.hash):
                differ.append(account)
            else:
                members[account] = person.keys
        hashes = {account: keys.hash for account, keys in members.items()}
        return Wanted(members, tuple(missing), tuple(differ), hashes)

    def has_ghosts(self, epoch: Epoch) -> bool:
        """Whether somebody is in it, or keys are, that nobody has vouched for.

        Raises `Held` where the roster that it goes by has not come.
        """
        if self.peer is None:
            vouched = self.roster.at(epoch.roster)
            return any(
                vouched.get(each) != self.roster.now(each, hash) for each, hash in epoch.hashes.items()
            )
        person = self.people.get(self.peer)
        known = set() if person is None else {each.hash for each in (person.keys, *person.former)}
        return any(
            each != self.own.account and (each != self.peer or hash not in known)
            for each, hash in epoch.hashes.items()
        )

    def succeed(self, account: str, keys: Sequence[PublicKeys]) -> None:
        """Keys of an account have named each other, the oldest first: the last stand for all in rosters."""
        for before, after in succession.steps(keys):
            self.roster.succeed(account, before, after)
        self.changed()

    def changed(self) -> None:
        """Members, or keys, are others now."""
        self.epochs.changed(self.in_force(), self.now())
