"""Who is in a conference: plain values, and what has changed between two of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from safeum_home.ids import AccountId
from safeum_home.protocol.commands.conferences import Participant

People = Mapping[AccountId, Participant]


def by_account(participants: Iterable[Participant]) -> dict[AccountId, Participant]:
    return {AccountId(each.account): each for each in participants}


def in_order(people: Iterable[Participant]) -> list[Participant]:
    """The oldest first: the same at all nodes."""
    return sorted(people, key=lambda each: (each.since, each.account))


class Change(NamedTuple):
    """Who is in it no more, and who has come; one with another `hello` or `since` has come anew."""

    left: list[Participant]
    joined: list[Participant]


def change(before: People, after: People) -> Change:
    left = [
        was
        for account, was in before.items()
        if (now := after.get(account)) is None or now.device != was.device
    ]
    joined = [now for account, now in after.items() if before.get(account) != now]
    return Change(left, in_order(joined))


class Stamps:
    """Times in milliseconds, each later than the one before, whatever the clock does."""

    def __init__(self, milliseconds: Callable[[], int]) -> None:
        self._milliseconds = milliseconds
        self._last = 0

    def next(self) -> int:
        self._last = max(self._last + 1, self._milliseconds())
        return self._last
