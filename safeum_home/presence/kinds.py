"""What nodes tell each other of presence: how it is with accounts, and who looks."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from safeum_home.ids import AccountId, system_account
from safeum_home.limits import RateLimit
from safeum_home.ports.expiring import GATHERED
from safeum_home.presence.elsewhere import Elsewhere
from safeum_home.presence.foreign import Foreign
from safeum_home.presence.people import MINUTE, People
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.now import (
    LOOKING,
    MOST_LOOKERS,
    PRESENCE,
    LookingContent,
    PresenceContent,
)
from safeum_home.protocol.federation.people import content
from safeum_home.protocol.presence import MOST_PRESENCES, Presence, PresenceState

LIVES = 30.0
"""Seconds for which it is worth while to tell how it is with somebody, or who looks."""
_RATE, _BURST = 2_000.0, 50_000.0
"""How many accounts each node may name: per second, and at once."""
_LAST_SEEN = frozenset((PresenceState.AWAY, PresenceState.OFFLINE))


class PresenceKind:
    """`ports.ExpiringKind` `presence`. A subject is one of ours, and one elsewhere that looks."""

    type = PRESENCE
    lives = LIVES
    turn = GATHERED

    def __init__(self, node: str, people: People, elsewhere: Elsewhere, seconds: Callable[[], float]) -> None:
        """`seconds` is the time now, since 1970."""
        self._node = node
        self._people = people
        self._elsewhere = elsewhere
        self._seconds = seconds
        self._limit = RateLimit(_RATE, _BURST, seconds)

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        """Each account once, whoever looks, where at least one may."""
        found: dict[AccountId, Presence] = {}
        for subject in subjects:
            ours, theirs = subject
            person, looker = self._people.behind(ours), self._people.behind(theirs)
            if person is None or not isinstance(looker, Foreign) or looker.node != node:
                continue
            if looker.looking and ours in (looker.peers or ()):
                found[person.account] = person.public
        told = list(found.values())
        pages = (told[at : at + MOST_PRESENCES] for at in range(0, len(told), MOST_PRESENCES))
        return [_event(self._node, self.type, self._seconds(), {"presences": _plain(page)}) for page in pages]

    async def apply(self, node: str, event: Event) -> None:
        """Of strangers, and of accounts that are not of the node that says it, nothing is taken."""
        presences, now = content(event, PresenceContent).presences, int(self._seconds() * 1000)
        self._limit.take(node, len(presences) or 1)
        for presence in presences:
            if node_of(presence.account) == node:
                self._elsewhere.told(_sane(presence, now), event.at)

    def lost(self, node: str) -> None:
        self._elsewhere.lost(node)

    def missed(self, node: str, subjects: Sequence[Any]) -> None:
        """It is told how it is then where it changes, or is asked for again."""

    def back(self, node: str) -> None:
        self._elsewhere.back(node)


class LookingKind:
    """`ports.ExpiringKind` `presence.looking`. A subject is an account of ours."""

    type = LOOKING
    lives = LIVES
    turn = GATHERED

    def __init__(self, node: str, people: People, elsewhere: Elsewhere, seconds: Callable[[], float]) -> None:
        self._node = node
        self._people = people
        self._elsewhere = elsewhere
        self._seconds = seconds
        self._limit = RateLimit(_RATE, _BURST, seconds)

    def build(self, node: str, subjects: Sequence[Any]) -> Sequence[Event]:
        accounts = [AccountId(str(subject)) for subject in subjects]
        look = [account for account in accounts if self._looks(account)]
        rest = [account for account in accounts if not self._looks(account)]
        return [
            _event(self._node, self.type, self._seconds(), {"accounts": page, "look": whether})
            for whether, some in ((True, look), (False, rest))
            for page in _pages(some)
        ]

    async def apply(self, node: str, event: Event) -> None:
        told = content(event, LookingContent)
        self._limit.take(node, len(told.accounts) or 1)
        for account in dict.fromkeys(told.accounts):
            if node_of(account) == node:
                self._elsewhere.lookers.looks(AccountId(account), event.at, told.look)

    def lost(self, node: str) -> None:
        """`PresenceKind` does what is to be done."""

    back = lost

    def missed(self, node: str, subjects: Sequence[Any]) -> None:
        """That somebody looks is said again after a while."""

    def _looks(self, account: AccountId) -> bool:
        person = self._people.here(account)
        return person is not None and person.watching


def _event(node: str, type: str, at: float, content: dict[str, object]) -> Event:
    """It is of many accounts, and the node itself says it: they are all its own."""
    return new_event(type, system_account(node), int(at * 1000), content)


def _plain(presences: Iterable[Presence]) -> list[dict[str, object]]:
    plain: list[dict[str, object]] = []
    for each in presences:
        seen: dict[str, object] = {} if each.last_seen is None else {"last_seen": each.last_seen}
        plain.append({"account": each.account, "state": each.state.value, **seen})
    return plain


def _pages(accounts: Iterable[AccountId]) -> Iterable[list[AccountId]]:
    rest = iter(accounts)
    while page := list(islice(rest, MOST_LOOKERS)):
        yield page


def _sane(presence: Presence, now: int) -> Presence:
    """What another node says as this one would: in minutes, not of the future, where it means anything."""
    seen = presence.last_seen if presence.state in _LAST_SEEN else None
    if seen is not None:
        minute = MINUTE * 1000
        seen = min(seen, now) // minute * minute
    return Presence(presence.account, presence.state, seen)
