"""Who is in a chat with whom, by name: what is stored tells it by blind indexes alone."""

from sqlalchemy import Connection

from safeum_home.chats.opening import ChatOpener
from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.storage import chats


class Interlocutors:
    """`ports.Interlocutors`."""

    def __init__(self, blinder: Blinder, opener: ChatOpener) -> None:
        self._blinder = blinder
        self._opener = opener

    def of(self, c: Connection, account: AccountId) -> dict[bytes, AccountId]:
        rows = chats.chats_of_member(c, self._blinder.account(account))
        chats_of = undamaged(rows, lambda row: self._opener.people(c, row), "chats")
        return {self._blinder.account(each): each for each in set().union(*chats_of)}
