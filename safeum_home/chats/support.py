"""What accounts write to support: limited, and noted as unanswered in the commit that stores it."""

from collections.abc import Callable

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.config import LimitSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Database
from safeum_home.storage import chats, events, support
from safeum_home.storage.rows import NewEvent


class SupportInbox:
    """The accounts' side of support."""

    def __init__(self, rate: RateLimit, database: Database) -> None:
        self.rate = rate
        self._database = database

    @classmethod
    def of(cls, section: LimitSection, now: Callable[[], float], database: Database) -> "SupportInbox":
        rate, burst = section.support_messages_per_account, section.support_messages_per_account_burst
        return cls(RateLimit(rate, burst, now), database)

    def append(
        self, sender: AccountId, row: NewEvent, check: Callable[[Connection], None] | None = None
    ) -> "Deferred[int | None]":
        """Store a message of `sender` as `events.append_events` does; fails with `rate_limited`.

        `check` raises what is in the way of one that was not stored before.
        """
        try:
            self.rate.take(sender)
        except Problem as problem:
            return self._sent_before(row, problem)

        def store(c: Connection) -> int | None:
            if chats.chat(c, row.chat) is None:
                raise Problem(Code.NOT_FOUND)  # the account was closed, and this chat erased
            if check is not None and events.recognised(c, row.sent) is None:
                check(c)
            [earlier] = events.append_events(c, [row])
            if earlier is None:
                support.asked(c, row.chat, row.position)
            return earlier

        return self._database.transact(store)

    def _sent_before(self, row: NewEvent, problem: Problem) -> "Deferred[int | None]":
        """What is stored already is answered for, however often it is sent."""

        def answer(earlier: int | None) -> int:
            if earlier is None:
                raise problem
            return earlier

        return self._database.read(lambda c: events.recognised(c, row.sent)).addCallback(answer)
