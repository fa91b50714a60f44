"""What follows of what another node tells of the keys of one of its accounts, or answers.

The log has what was heard. The first hash is taken as it is; another one is a change, which everybody here
who is in a chat with the account is told, whether or not its node has said that it is one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import to_builtins
from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.keys.log import Entry, KeyLog, Newest
from safeum_home.keys.telling import KeyTelling
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Database
from safeum_home.ports.federation import Applied
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.account_keys import KEY_CHANGED, KeyChanged
from safeum_home.protocol.federation.events import AHEAD, Event, new_event, node_of
from safeum_home.protocol.federation.people import content
from safeum_home.storage import key_log

OF_NODE = 0.01
"""What a change of one account is of a node: all of its accounts together may change 100 times as often."""


class News(NamedTuple):
    """`hash` is in force since `at`; as an event says it, in place of `before`."""

    hash: str
    at: int
    before: str | None = None


def heard(account: AccountId, newest: Newest, news: News, position: int) -> Entry | None:
    """What becomes of the log; None where it stays as it is. With a position it is told."""
    known = newest.entry
    if known is None:
        told = 0 if news.before is None else position
        return Entry(account, newest.next, told, news.hash, news.at, news.before or "")
    if news.hash != known.hash:
        if news.at <= known.at:
            return None  # of before what is known
        return Entry(account, newest.next, position, news.hash, news.at, known.hash)
    if news.before is not None and not known.position and news.at == known.at:
        # It was asked for before it was told: those who are in a chat with the account hear of it now.
        return known._replace(position=position, before=news.before)
    if news.before is None:
        return None  # it may have been another one meanwhile: that is told yet, as what it was
    # They came back to this one meanwhile: what is told of between comes behind.
    return known._replace(at=news.at) if news.at > known.at else None


class ForeignKeys:
    """`ports.SharedKind` `key.changed`; `learn` is for answers to questions."""

    type = KEY_CHANGED
    may_wait = True
    lasting = True
    """A change that is not told is a swap that is not shown."""
    late = (Code.INTERNAL.code, Code.MALFORMED_EVENT.code)
    """Its clock may be behind."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        log: KeyLog,
        telling: KeyTelling,
        now: Callable[[], int],
        limit: RateLimit,
    ) -> None:
        """`now` is in milliseconds. `limit` is how often the keys of an account may change."""
        self._database = database
        self._blinder = blinder
        self._log = log
        self._telling = telling
        self._now = now
        self._limit = limit

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """A change of keys of an account of this node."""
        entry = self._log.entry(c, pointer[:BLIND], int.from_bytes(pointer[BLIND:], "big"))
        if entry is None or not entry.before:
            return None
        said = KeyChanged(entry.before, entry.hash)
        return new_event(self.type, entry.account, entry.at, to_builtins(said))

    async def apply(self, node: str, event: Event) -> Applied:
        """Refused as `not_a_contact` where nobody here is in a chat with the account."""
        if node_of(event.sender) != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        told, account = content(event, KeyChanged), AccountId(event.sender)
        if told.before == told.after or event.at > self._now() + AHEAD:
            raise Problem(Code.MALFORMED_EVENT)
        hearing = self._hearing(account, News(told.after, event.at, told.before))
        await self._prepare([hearing])
        if hearing.refused is not None:
            raise hearing.refused
        return Applied(hearing.store, hearing.publish, hearing.ended, hearing.placed)

    async def learn(self, news: Mapping[AccountId, News]) -> set[AccountId]:
        """What an account's node has answered of each, in one commit; of which that is in force now.

        The rest is not to be believed now: it is of before what is known, of the future, or keys change too
        often.
        """
        latest = self._now() + AHEAD
        hearings = [self._hearing(account, each) for account, each in news.items() if each.at <= latest]
        try:
            await self._prepare(hearings)
            fresh = [each for each in hearings if each.is_news]
            for each in fresh:
                each.placed()
            if fresh:
                await self._database.transact(lambda c: _each(fresh, lambda hearing: hearing.try_store(c)))
            for each in fresh:
                each.publish()
        finally:
            for each in hearings:
                each.ended()
        return {each.account for each in hearings if each.in_force == each.news.hash}

    def _hearing(self, account: AccountId, news: News) -> "_Hearing":
        return _Hearing(
            self._database, self._log, self._telling, self._blinder.account(account), account, news
        )

    async def _prepare(self, hearings: Sequence["_Hearing"]) -> None:
        """Who would be told is read of changes alone, and once it is known that they are not too many."""
        await self._database.read(lambda c: _each(hearings, lambda hearing: hearing.look(c)))
        changes = [each for each in hearings if each.is_change and self._may_change(each)]
        if changes:
            try:
                await self._database.read(lambda c: _each(changes, lambda hearing: hearing.find(c)))
            except Problem:
                for each in changes:
                    each.ended()
                raise

    def _may_change(self, hearing: "_Hearing") -> bool:
        """Take a change out of what is left for the account, and for its node."""
        account, node = hearing.account, node_of(hearing.account)
        try:
            self._limit.take(account)
        except Problem as problem:
            return hearing.refuse(problem)
        try:
            self._limit.take(node, OF_NODE)
        except Problem as problem:
            self._limit.give_back(account)
            return hearing.refuse(problem)

        def give_back() -> None:
            self._limit.give_back(account)
            self._limit.give_back(node, OF_NODE)

        hearing.give_back = give_back
        return True


class _Hearing:
    """News on their way into the log: `placed`, `store`, `publish` and `ended` are as of `Applied`."""

    def __init__(
        self,
        database: Database,
        log: KeyLog,
        telling: KeyTelling,
        blind: bytes,
        account: AccountId,
        news: News,
    ) -> None:
        self._database = database
        self._log = log
        self._telling = telling
        self._blind = blind
        self.account = account
        self.news = news
        self._audience = telling.unread(account)
        self._position = database.next_position()
        self._told: tuple[Entry, list[AccountId]] | None = None
        self.is_news = False
        """Whether the log is to say something else then, as far as it was looked at."""
        self.is_change = False
        """Whether that is to be told."""
        self.in_force = ""
        """The hash that the log ends with then."""
        self.refused: Problem | None = None
        self.give_back: Callable[[], None] = _nothing
        """Called where nobody was told of a change."""

    def refuse(self, problem: Problem) -> bool:
        """There is nothing to be stored: always False."""
        self.refused, self.is_news, self.in_force = problem, False, ""
        return False

    def look(self, c: Connection) -> None:
        """What is to be expected, on a reading connection."""
        if not key_log.is_in_any_chat(c, self._blind):
            self.refuse(Problem(Code.NOT_A_CONTACT))
            return
        entry = self._entry(c)
        self.is_news, self.is_change = entry is not None, self._is_told(entry)

    def find(self, c: Connection) -> None:
        """Who would be told of it."""
        self._audience = self._telling.audience(c, self.account)

    def placed(self) -> None:
        self._position = self._database.next_position()

    def store(self, c: Connection) -> None:
        self._told = None
        if (entry := self._entry(c)) is None:
            return
        if not (people := self._audience.now(c)):
            raise Problem(Code.NOT_A_CONTACT)
        self._log.put(c, entry)
        self.in_force = entry.hash
        if self._is_told(entry):
            self._told = entry, self._telling.here(people)

    def try_store(self, c: Connection) -> None:
        """The same among others: where it is refused nothing was stored."""
        try:
            self.store(c)
        except Problem as problem:
            self.refuse(problem)

    def publish(self) -> None:
        if self._told is not None:
            self._telling.tell(*self._told)
            self.give_back = _nothing

    def ended(self) -> None:
        self.give_back()
        self.give_back = _nothing

    def _entry(self, c: Connection) -> Entry | None:
        """What comes of the log, which says for now what `in_force` does."""
        newest = self._log.newest(c, self.account)
        self.in_force = newest.entry.hash if newest.entry else ""
        return heard(self.account, newest, self.news, self._position)

    def _is_told(self, entry: Entry | None) -> bool:
        return entry is not None and entry.position == self._position


def _each(hearings: Iterable[_Hearing], act: Callable[[_Hearing], None]) -> None:
    for hearing in hearings:
        act(hearing)


def _nothing() -> None:
    """Nothing was taken, or it is used up."""
