"""Who is in a group, by the word of its members: what stands between a node and a member of its making.

    at          8   when it was signed, in milliseconds
    previous   32   hash of the roster that it follows on; zeros for the first
    members         all that there are now: count (2), and each account (2 + length) and hash of its keys (32)

A roster is a signed list. The next one is signed by a member of the one before, and may add, remove, and
change as it likes: what it changes is told, with who has done it. Whoever is not in it is in no epoch.

Of two that follow on the same one the node's order decides. Whom the other one removes is out all the same,
and its signer signs anew: so a node, with who is to be removed, cannot keep that from anybody by the order.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from safeum_home.client.secure import members as listed
from safeum_home.client.secure.envelope import NONE, Envelope
from safeum_home.client.secure.members import Members
from safeum_home.client.secure.octets import HASH, Reader, number
from safeum_home.client.secure.refused import Held, Reason, Refused

MOST_KEPT = 32
"""Former rosters that epochs may still go by."""
MOST_SUCCESSORS = 1024


class Statement(NamedTuple):
    """What an envelope says."""

    at: int
    previous: bytes
    members: Members


class Change(NamedTuple):
    """What a roster has changed: accounts, in their order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rekeyed: tuple[str, ...] = ()
    """Of these the keys are others, by somebody's word who is not themselves."""


def make(at: int, previous: bytes, members: Members) -> bytes:
    """The content of an envelope; raises `Refused(TOO_MANY)`."""
    return number(at) + previous + listed.write(members)


def read(envelope: Envelope) -> Statement:
    """Raises `Refused(MALFORMED)`."""
    reader = Reader(envelope.content)
    at, previous = reader.number(), reader.take(HASH)
    members = {account: hash for account, (hash, _) in listed.read(reader).items()}
    reader.end()
    return Statement(at, previous, members)


class Roster:
    """The roster in force, as far as this account has heard of it."""

    def __init__(self, own: str) -> None:
        self._own = own
        self.head = NONE
        self.made = 0
        """When that was signed, as its signer says: milliseconds."""
        self.revision = 0
        """Another one with each change."""
        self.members: dict[str, bytes] = {}
        self._former: OrderedDict[bytes, dict[str, bytes]] = OrderedDict()
        self._successors: dict[tuple[str, bytes], bytes] = {}

    def restore(
        self, head: bytes, made: int, members: Members, former: Iterable[tuple[bytes, Members]] = ()
    ) -> None:
        """As it was in the vault; `former` as `former` gives it."""
        self._set(head, made, dict(members))
        for each, signed in reversed(list(former)):  # the one in force comes last: it is kept for longest
            self._former.pop(each, None)
            self._former[each] = dict(signed)

    def former(self) -> Iterator[tuple[bytes, Members]]:
        """The one in force and those before, the newest first, as they were signed, with the keys of now."""
        return ((head, self._current(members)) for head, members in reversed(self._former.items()))

    def successors(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Keys that have named their followers: the account, and the hashes of both."""
        return ((account, before, after) for (account, before), after in self._successors.items())

    @property
    def is_in(self) -> bool:
        return self._own in self.members

    @property
    def is_out(self) -> bool:
        """Whether a member has signed that this account is in it no more."""
        return self.head != NONE and not self.is_in

    def at(self, head: bytes) -> Members:
        """The members of a roster, with their keys now; raises `Held` for one that has not been heard of."""
        if head not in self._former:
            raise Held(Reason.NO_EPOCH)
        return self._current(self._former[head])

    def follow(
        self,
        statement: Statement,
        head: bytes,
        signer: str,
        hash: bytes,
        past: bool = False,
        known: bool = False,
    ) -> tuple[Change, bool]:
        """A roster signed by `signer` with keys of this hash: what it changes, and whether it is in force.

        In the `past` may be one that was never in force: there each has to follow on the one before. Of what
        is `known` already the removals count no more: who was removed may have come back since.

        Raises `Refused(NOT_A_MEMBER)`. Who is in none takes the first that has it in, from whoever it comes:
        that one vouches for the rest.
        """
        members = self._current(statement.members)
        vouched = self.members if self.head != NONE else members
        if vouched.get(signer) != self.now(signer, hash) or (not self.is_in and self._own not in members):
            raise Refused(Reason.NOT_A_MEMBER)
        further = self._is_further(statement) and not (past and self.head != NONE)
        if statement.previous != self.head and not further:
            return Change() if known else self._strike(statement.previous, members), False
        before = self._former.get(statement.previous, {})
        # Whom another one has removed is not back by a list that knew nothing of that.
        struck = before.keys() - self.members.keys()
        members = {account: each for account, each in members.items() if account not in struck}
        change = compare(self.members, members)
        self._set(head, statement.at, members)
        return change, True

    def adds(self, statement: Statement) -> bool:
        """Whether one beside the one in force has members, or keys, that neither that nor the one before has.

        Where it does not, as where two sign the same list at once, it makes no difference.
        """
        before = self._current(self._former.get(statement.previous, {}))
        new = self._current(statement.members).items() - before.items() - self.members.items()
        return bool(new)

    def _is_further(self, statement: Statement) -> bool:
        """Whether those between it and the one in force have not come: a whole list needs none of them.

        Where one that removes its signer is among these it could have been signed on the one in force, too.
        """
        known = statement.previous in self._former or statement.previous == NONE
        return not known and statement.at >= self.made

    def _strike(self, previous: bytes, members: Members) -> Change:
        """Remove whom a roster beside the one in force removes."""
        before = self._former.get(previous, {})
        removed = tuple(sorted((before.keys() - members.keys()) & self.members.keys()))
        self.members = {each: hash for each, hash in self.members.items() if each not in removed}
        self.revision += 1
        return Change(removed=removed)

    def succeed(self, account: str, before: bytes, after: bytes) -> None:
        """Keys were followed by others, as they have said themselves."""
        self._successors.setdefault((account, before), after)
        if len(self._successors) > MOST_SUCCESSORS:
            del self._successors[next(iter(self._successors))]
        self.revision += 1
        if self.members.get(account) == before:
            self.members[account] = self.now(account, after)

    def now(self, account: str, hash: bytes) -> bytes:
        """The hash of an account's keys now, where those with this one have named their followers."""
        for _ in range(len(self._successors)):
            if (after := self._successors.get((account, hash))) is None:
                break
            hash = after
        return hash

    def _current(self, members: Members) -> dict[str, bytes]:
        return {account: self.now(account, hash) for account, hash in members.items()}

    def _set(self, head: bytes, made: int, members: dict[str, bytes]) -> None:
        self.head, self.made, self.members = head, made, members
        self.revision += 1
        self._former[head] = dict(members)
        while len(self._former) > MOST_KEPT:
            self._former.popitem(last=False)


def compare(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Change:
    """What is different."""
    both = before.keys() & after.keys()
    return Change(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(account for account in both if before[account] != after[account])),
    )
