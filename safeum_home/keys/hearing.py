"""What follows of what another node tells of the keys of one of its accounts, or answers.

The log has what was heard. The first hash is taken as it is; another one is a change, which everybody here
who is in a chat with the account is told, whether or not its node has said that it is one.
"""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import to_builtins
from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.keys.log import Entry, KeyLog, Newest
from safeum_home.keys.telling import Audience, KeyTelling
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.account_keys import KEY_CHANGED, KeyChanged
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import content
from safeum_home.storage import key_log

AHEAD = 5 * 60 * 1000
"""By how many milliseconds the clock of another node may be ahead."""
OF_NODE = 0.01
"""What a change of one account is of a node: all of its accounts together may change 100 times as often."""
_BLIND = 16


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
        entry = self._log.entry(c, pointer[:_BLIND], int.from_bytes(pointer[_BLIND:], "big"))
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
        hearing = await self._hearing(account, News(told.after, event.at, told.before))
        return Applied(hearing.store, hearing.publish, hearing.ended, hearing.placed)

    async def learn(self, account: AccountId, news: News) -> bool:
        """What an account's node has answered; False where it is not to be believed now.

        So it is where it is of before what is known, of the future, or keys change too often.
        """
        if news.at > self._now() + AHEAD:
            return False
        try:
            hearing = await self._hearing(account, news)
        except Problem as problem:
            if problem.code in (Code.RATE_LIMITED, Code.NOT_A_CONTACT):
                return False
            raise
        try:
            hearing.placed()
            await self._database.transact(hearing.store)
            hearing.publish()
        finally:
            hearing.ended()
        return hearing.in_force == news.hash

    async def _hearing(self, account: AccountId, news: News) -> "_Hearing":
        """Who would be told is read of a change alone, and once it is known that it is not one too many."""
        blind = self._blinder.account(account)
        position = self._database.next_position()

        def read(c: Connection) -> Entry | None:
            if not key_log.is_in_any_chat(c, blind):
                raise Problem(Code.NOT_A_CONTACT)
            return heard(account, self._log.newest(c, account), news, position)

        expected = await self._database.read(read)
        if expected is None or expected.position != position:
            audience, give_back = self._telling.unread(account), _nothing
        else:
            give_back = self._take(account)
            try:
                audience = await self._database.read(lambda c: self._telling.audience(c, account))
            except Problem:
                give_back()
                raise
        return _Hearing(
            self._database, self._log, self._telling, account, news, audience, position, give_back
        )

    def _take(self, account: AccountId) -> Callable[[], None]:
        """Take a change out of what is left for the account, and for its node; what undoes that."""
        node = node_of(account)
        self._limit.take(account)
        try:
            self._limit.take(node, OF_NODE)
        except Problem:
            self._limit.give_back(account)
            raise

        def give_back() -> None:
            self._limit.give_back(account)
            self._limit.give_back(node, OF_NODE)

        return give_back


class _Hearing:
    """News on their way into the log: `placed`, `store` and `publish` are as of `Applied`."""

    def __init__(
        self,
        database: Database,
        log: KeyLog,
        telling: KeyTelling,
        account: AccountId,
        news: News,
        audience: Audience,
        position: int,
        give_back: Callable[[], None],
    ) -> None:
        """`give_back` is called where nobody was told of a change."""
        self._give_back = give_back
        self._database = database
        self._log = log
        self._telling = telling
        self._account = account
        self._news = news
        self._audience = audience
        self._position = position
        self._told: tuple[Entry, list[AccountId]] | None = None
        self.in_force = ""
        """The hash that the log ends with then."""

    def placed(self) -> None:
        self._position = self._database.next_position()

    def store(self, c: Connection) -> None:
        self._told = None
        newest = self._log.newest(c, self._account)
        entry = heard(self._account, newest, self._news, self._position)
        if entry is None:
            self.in_force = newest.entry.hash if newest.entry else ""
            return
        if not (people := self._audience.now(c)):
            raise Problem(Code.NOT_A_CONTACT)
        self._log.put(c, entry)
        self.in_force = entry.hash
        if entry.position == self._position:
            self._told = entry, self._telling.here(people)

    def publish(self) -> None:
        if self._told is not None:
            self._telling.tell(*self._told)
            self._give_back = _nothing

    def ended(self) -> None:
        self._give_back()
        self._give_back = _nothing


def _nothing() -> None:
    """Nothing was taken, or it is used up."""
