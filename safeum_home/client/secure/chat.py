"""A secure chat: envelopes in, what was said and what is not as it should be out, and envelopes to be posted.

Nothing here does I/O; `safeum_home.client.secure` says how a program uses it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import succession
from safeum_home.client.secure.chat_memory import ChatMemory, remember, restore
from safeum_home.client.secure.events import Event, Gone, KeysChanged, NotVouched, Post, Told
from safeum_home.client.secure.payloads import Payload
from safeum_home.client.secure.people import People
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.room import Clock, Room
from safeum_home.client.secure.sending import Sender
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.taking import Taker, is_succession
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.watching import Watching


@dataclass(slots=True)
class Step:
    """What comes of something: to be shown, and to be posted in this order."""

    events: list[Event] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    @classmethod
    def of(cls, *parts: Iterable[Event | Post]) -> "Step":
        step = cls()
        for part in parts:
            for each in part:
                if isinstance(each, Post):
                    step.posts.append(each)
                else:
                    step.events.append(each)
        return step


class SecureChat:
    """One chat, with `peer` the other one's account, or None in a group."""

    def __init__(
        self,
        chat: str,
        own: UniqueKey,
        people: People,
        clock: Clock,
        peer: str | None = None,
        vault_version: Callable[[], int] = lambda: 0,
        former: list[UniqueKey] | None = None,
    ) -> None:
        """`former` are keys that the account had before, as far as they are at hand: the list as it is at any
        time."""
        self._room = Room(chat, own, people, clock, peer, vault_version, [] if former is None else former)
        people.own(own.account, own.public, self._room.now())
        self._watching = Watching(self._room.streams)
        self._warned: dict[str, PublicKeys] = {}
        """Of which keys that nobody has accepted it was told."""
        self._taker = Taker(self._room, self._watching)
        self._sender = Sender(self._room, self._taker, self._watching)

    # --- what the node tells

    def take(self, told: Told) -> Step:
        """An envelope that has come now, in the order of the node."""
        return Step.of(self._taker.take(told, False))

    def past(self, page: Iterable[Told]) -> Step:
        """A page of history, the oldest first: it is read, and nothing is said in its epochs.

        Successions are read before all else, as what comes before them is signed with the keys before.
        """
        told = list(page)
        first = [each for each in told if is_succession(each)]
        rest = [each for each in told if not is_succession(each)]
        return Step.of(*(self._taker.take(each, True) for each in (*first, *rest)))

    @property
    def lacks_past(self) -> bool:
        """Whether what was in history waits for epochs from further back."""
        return self._taker.lacks_past

    def members_told(self, accounts: Iterable[str]) -> Step:
        """The members of a group, as the node names them. Raises `Refused` in a chat of two."""
        room = self._room
        if room.peer is not None:
            raise Refused(Reason.NOT_A_MEMBER)
        before, room.told = room.told, frozenset(accounts)
        vouched = room.roster.members.keys()
        strange = room.told - vouched - ((before or frozenset()) - vouched)
        gone = (vouched - room.told) & (vouched if before is None else before)
        room.changed()
        events: list[Event] = []
        if strange:
            events.append(NotVouched(tuple(sorted(strange))))
        if gone:
            events.append(Gone(tuple(sorted(gone))))
        return Step.of(events, self._sender.again())

    def keys_told(self, account: str, keys: PublicKeys) -> Step:
        """Keys of the directory (`PublicKeys.of`): to be told to every chat with the account.

        Others than are known are shown in each of them, and used once they are accepted (`People.accept`).
        """
        room = self._room
        room.people.told(account, keys, room.now())
        person, events = room.people.get(account), list[Event]()
        if person and person.offered == keys and self._warned.get(account) != keys:
            self._warned[account] = keys
            events.append(KeysChanged(account, person.keys.hash, keys.hash, False))
        again = self.look_again()
        return Step(events + again.events, again.posts)

    def look_again(self) -> Step:
        """Keys have come, or were accepted."""
        self._room.changed()
        return Step.of(self._taker.again(), self._sender.again())

    def tick(self) -> Step:
        """Time has passed: call it every 20 seconds or so."""
        overdue = self._watching.overdue(self._room.now())
        return Step.of(self._taker.overdue(), overdue)

    # --- what somebody wants

    def say(self, payload: Payload, reference: str) -> Step:
        """Say something. What cannot be sealed yet waits in memory, and a `Waiting` tells for whom.

        Raises `Refused`: MALFORMED, TOO_LARGE, NOT_A_MEMBER, TOO_MANY.
        """
        return Step.of(self._sender.say(payload, reference))

    def forget(self, reference: str) -> bool:
        """Say something no more that waits; whether it did wait."""
        return self._sender.forget(reference)

    def renew(self, refused: str | None = None) -> None:
        """Go on with another stream: a node will not have a `Post`, of that `data`, nor any made since."""
        if refused is not None:
            self._room.streams.end_before(envelopes.read(refused).head)
        self._sender.renew()

    @property
    def own(self) -> UniqueKey:
        """The keys of this account with which things are said."""
        return self._room.own

    @property
    def members(self) -> Mapping[str, bytes]:
        """Who is in it, with the hash of the keys in force: by the word of members, not of the node."""
        return self._room.in_force()

    def admit(self, accounts: Iterable[str]) -> Step:
        """Vouch for new members of a group; also how its creator begins.

        It is in force once the node has told where it stands: `take` it like those of others, with the id
        that it was acknowledged with. One at a time. Raises `Refused`: NO_KEYS, TOO_MANY.
        """
        members = dict(self._room.roster.members)
        members.setdefault(self._room.own.account, self._room.own.hash)
        for account in accounts:
            person = self._room.people.get(account)
            if person is None or person.offered is not None:
                raise Refused(Reason.NO_KEYS)
            members[account] = person.keys.hash
        return self._sign_roster(members)

    def dismiss(self, accounts: Iterable[str]) -> Step:
        """Say that these, or oneself, are in the group no more. As with `admit`, `take` it back."""
        gone = set(accounts)
        left = {each: hash for each, hash in self._room.roster.members.items() if each not in gone}
        if not left:
            return Step()
        return self._sign_roster(left)

    def _sign_roster(self, members: Mapping[str, bytes]) -> Step:
        return Step(posts=[self._sender.sign_roster(members)])

    def succeed(self, new: UniqueKey, line: Line | None = None) -> Step:
        """Go on with other keys, which those of this chat have named (`succession.name`), and tell that.

        Not while a roster is on its way: raises `Refused(TOO_MANY)`. The keys before stay among `former`.
        """
        room = self._room
        if room.own.hash == new.hash and line is not None:
            return self.tell(line)
        if self._taker.own_rosters:
            raise Refused(Reason.TOO_MANY)
        line = succession.name(room.own, new.public, room.now()) if line is None else line
        if line.last != new.public:
            raise Refused(Reason.NO_KEYS)
        if all(each is not room.own for each in room.former):
            room.former.append(room.own)
        room.epochs.rekey(new)
        room.own = new
        room.people.follow(new.account, line.keys, room.now())
        room.succeed(new.account, line.keys)
        self._sender.renew()
        return Step.of(self.tell(line).posts, self._sender.again())

    def know(self, line: Line) -> None:
        """How the keys of this chat came to be in force: in lists of members they stand for those before."""
        self._room.people.follow(self._room.own.account, line.keys, self._room.now())
        self._room.succeed(self._room.own.account, line.keys)

    def tell(self, line: Line) -> Step:
        """Name the keys of this chat as the followers of those before, where that was not done yet."""
        return Step(posts=[self._sender.succeed(line)])

    def has_heard(self, account: str) -> bool:
        """Whether an account has ever said something here, as far as is known."""
        return self._room.streams.has(account)

    # --- memory

    def memory(self) -> ChatMemory:
        """What the vault keeps of it."""
        return remember(self._room, next(iter(self._taker.own_rosters.values()), None))

    def restore(self, memory: ChatMemory) -> None:
        """What the vault has kept: before anything is taken, or merged into what was."""
        restore(self._room, memory)

    def close(self) -> None:
        """Wipe the keys of its epochs, and drop what waits. The unique key is its owner's to wipe."""
        self._sender.close()
        self._room.epochs.wipe()
