"""Who is in a chat with whom, by name: what is stored tells it by blind indexes alone."""

from collections.abc import Callable, Set

from sqlalchemy import Connection

from safeum_home.chats.opening import ChatOpener
from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.storage import chats, key_log

Named = Callable[[Connection, AccountId, Set[bytes]], dict[bytes, AccountId]]
"""Whose blind indexes are that an account has to do with, as far as that is known without chats."""


class Interlocutors:
    """`ports.Interlocutors`."""

    def __init__(self, blinder: Blinder, opener: ChatOpener, named: Named) -> None:
        self._blinder = blinder
        self._opener = opener
        self._named = named

    def of(self, c: Connection, account: AccountId) -> dict[bytes, AccountId]:
        blind = self._blinder.account(account)
        rows = chats.chats_of_member(c, blind)
        chats_of = undamaged(rows, lambda row: self._opener.people(c, row), "chats")
        found = {self._blinder.account(each): each for each in set().union(*chats_of)}
        # Where a chat cannot be opened: its members are concerned all the same.
        rest = key_log.interlocutors(c, blind) - found.keys()
        return found | self._named(c, account, rest) if rest else found
