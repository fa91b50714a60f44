"""Members as a node tells them: so many are held as a group can have, and a list that has no end is none."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import BadAnswer
from safeum_home.client.unlocked import members
from safeum_home.client.unlocked.members import Told
from safeum_home.protocol.commands.groups import GroupMemberList
from safeum_home.protocol.group_types import GroupMember
from tests.secure_case import account


def member(number: int, state: Any = "member") -> GroupMember:
    return GroupMember(account(number), f"n{number}", "", "member", state)


class Lists:
    """A node's list of members, in pages; where it has `no_end` the last one comes again and again."""

    def __init__(self, pages: Sequence[list[GroupMember]], no_end: bool = False) -> None:
        self._pages = list(pages)
        self._no_end = no_end

    async def members(self, chat: str, after: str | None = None) -> GroupMemberList:
        page, *rest = self._pages
        self._pages = rest or [page]
        return GroupMemberList(page, "more" if rest or self._no_end else None)


class ToldTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(members, "MOST", 4)
        self.told = Told()

    def load(self, lists: Any) -> "Deferred[None]":
        return Deferred.fromCoroutine(self.told.load(lists, "!a"))

    def test_pages(self) -> None:
        lists = Lists([[member(0), member(1)], [member(2, "invited"), member(3, "left")]])
        self.successResultOf(self.load(lists))
        self.assertEqual(self.told.members, {account(0), account(1)})
        self.assertTrue(self.told.is_invited(account(2)))
        self.assertEqual(len(self.told.states), 3)

    def test_told_meanwhile(self) -> None:
        """What comes while they are asked for is newer."""
        told = self.told

        class Slow(Lists):
            async def members(self, chat: str, after: str | None = None) -> GroupMemberList:
                told.take([member(0, "left"), member(2)])
                return await super().members(chat, after)

        self.successResultOf(self.load(Slow([[member(0), member(1)]])))
        self.assertEqual(self.told.members, {account(1), account(2)})

    def test_again(self) -> None:
        """Whom the node does not name any more is none."""
        for page in ([member(0), member(1)], [member(1)]):
            self.successResultOf(self.load(Lists([page])))
        self.assertEqual(self.told.members, {account(1)})
        self.assertTrue(self.told.has_come(account(0)))

    def test_without_end(self) -> None:
        """Of members, of the same ones, or of none."""
        pages: list[list[GroupMember]] = [[member(0), member(1)], [member(0)], []]
        for page in pages:
            self.failureResultOf(self.load(Lists([page], no_end=True)), BadAnswer)

    def test_more_than_there_can_be(self) -> None:
        """Who was told of longest ago makes room."""
        for number in range(9):
            self.told.take([member(number)])
            self.told.came(account(number))
        last = {account(number) for number in range(5, 9)}
        self.assertEqual((self.told.members, set(self.told.newcomers)), (last, last))

    def test_gone(self) -> None:
        """Who has left is not held, and comes again as anybody."""
        self.told.take([member(0), member(0, "removed")])
        self.assertEqual(self.told.states, {})
        self.told.take([member(0)])
        self.assertEqual(self.told.members, {account(0)})
