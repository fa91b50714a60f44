"""What cannot be taken now holds up what is behind it of the same chat, and nothing else.

Events of no chat hold up nothing. The sender tells what was refused so again later, in its order.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from math import ceil

from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ports.outbox import Refused
from safeum_home.protocol.federation.transactions import MOST_DETAIL

LATER = frozenset((Code.BUSY, Code.RATE_LIMITED))
"""What says that an event is to be told again."""
RETRY_AFTER = 2.0
LONGEST_PAUSE = 86_400
"""Seconds after which at the latest an event can be told again."""
Store = Callable[[Connection], object]


class Lines:
    """The chats of a transaction of which something was refused for now."""

    def __init__(self, refused: Sequence[Refused] = (), chats: Iterable[tuple[int, str | None]] = ()) -> None:
        """`refused` is what is known of the first events, `chats` of which chat each is, by its place."""
        self._before: dict[str, Problem] = {}
        later = {each.place: each.retry_after for each in refused if each.retry_after is not None}
        for place, chat in chats if later else ():
            if place in later:
                self.refused(chat, Problem(Code.BUSY, None, later[place]))

    def before(self, chat: str | None) -> Problem | None:
        """Why nothing of a chat is to be applied now."""
        return None if chat is None else self._before.get(chat)

    def refused(self, chat: str | None, problem: Problem) -> None:
        """This came of an event."""
        if chat is not None and problem.code in LATER:
            self._before.setdefault(chat, Problem(Code.BUSY, None, problem.retry_after))


def in_line(stores: Sequence[tuple[str | None, Store]]) -> list[Store]:
    """The same, one after another in a transaction: behind what cannot be stored nothing of its chat is."""
    standing = Lines()

    def store_of(chat: str | None, store: Store) -> Store:
        def stored(c: Connection) -> None:
            if (before := standing.before(chat)) is not None:
                raise before
            try:
                store(c)
            except Problem as problem:
                standing.refused(chat, problem)
                raise

        return stored

    return [store_of(*each) for each in stores]


_OF_THE_EVENT = frozenset((Code.MALFORMED_EVENT, Code.WRONG_SENDER_NODE, Code.BAD_SIGNATURE))
"""What is said to these is of what was sent alone, and of nothing that is here."""
_NOT_PLAIN = re.compile("[^ -~]")


def refused_event(place: int, problem: Problem) -> Refused:
    """What is answered of an event that was not taken."""
    if problem.code not in LATER:
        detail = (problem.detail or "") if problem.code in _OF_THE_EVENT else ""
        return Refused(place, problem.code.code, None, _NOT_PLAIN.sub("?", detail)[:MOST_DETAIL])
    seconds = min(max(ceil(problem.retry_after or RETRY_AFTER), 1), LONGEST_PAUSE)
    return Refused(place, problem.code.code, seconds)
