"""An account that is closed takes its conversation with support along."""

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.admin.service import AdminFactory
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.node.support_operation import support_handlers
from tests.closing_case import PIN, ClosingCase
from tests.support_case import ask_staff
from tests.world import Client, Refused


class ClosingTests(ClosingCase):
    """Alice has a PIN, and has written to support or is just about to."""

    def setUp(self) -> None:
        super().setUp()
        self.factory = AdminFactory(self.world.clock, support_handlers(lambda: self.world.domain))
        self.support = self.world.services.support_chat(AccountId(self.alice.account))

    def test_closed_while_the_staff_closes(self) -> None:
        """A conversation whose account was closed since it was looked up is not found."""
        self.alice.write(self.support, "help")
        self.world.settle()
        database, desk = self.world.database, self.world.domain.support
        database.hold_reads = True
        closing = Deferred.fromCoroutine(desk.close(AccountId(self.alice.account)))
        database.hold_reads = False
        self.block()
        database.answer_reads()
        self.assertIs(self.failureResultOf(closing, Problem).value.code, Code.NOT_FOUND)

    def _gone(self) -> None:
        """Nobody finds anything of it, and no table holds it."""
        self.world.settle()
        self.assertEqual(self._staff("list")["conversations"], [])
        for method, more in (("read", {}), ("reply", {"text": "x"}), ("close", {})):
            for whom in ("alice", self.alice.account):
                refusal = self.assertRaises(Refused, self._staff, method, account=whom, **more)
                self.assertEqual(refusal.code, "not_found")
        chat = self.world.vault.blinder.chat(self.support)
        for table in ("support", "chats", "members", "events"):
            self.assertEqual(self._count(table, chat), 0, table)

    def _count(self, table: str, chat: bytes) -> int:
        query = f"SELECT count(*) FROM {table} WHERE chat = ?"
        return int(self.world.database.now(lambda c: c.exec_driver_sql(query, (chat,)).scalar_one()))

    def _staff(self, method: str, **params: Any) -> dict[str, Any]:
        return ask_staff(self, self.factory, method, **params)

    def test_with_a_conversation(self) -> None:
        """What was said is erased on both sides."""
        self.alice.write(self.support, "help")
        self._staff("read", account="alice")
        self._staff("reply", account="alice", text="done")
        self.bob.write(self.world.services.support_chat(AccountId(self.bob.account)), "me too")
        self.block()
        self.world.settle()
        [left] = self._staff("list")["conversations"]
        self.assertEqual(left["login"], "bob")
        self._staff("read", account="bob")
        self._staff("close", account="bob")
        self._gone()

    def test_the_first_message_comes_right_behind(self) -> None:
        """Nothing is made for an account that is closed already."""
        self._behind()
        self._gone()

    def test_another_message_comes_right_behind(self) -> None:
        """Nor is anything stored in a chat that is erased."""
        self.alice.write(self.support, "help")
        self._behind()
        self._gone()

    def test_before_anything_is_swept(self) -> None:
        """The list is without it from the closing on, and what comes behind is not even stored."""
        self.alice.write(self.support, "help")
        chat = self.world.vault.blinder.chat(self.support)
        with patch("safeum_home.accounts.closing.sweep", return_value=False):
            self._behind()
            self.assertEqual((self._count("support", chat), self._count("events", chat)), (0, 1))
            self.assertEqual(self._staff("list")["conversations"], [])
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.closing.sweep()))
        self._gone()

    def _behind(self) -> None:
        database = self.world.database
        phone = Client(self.world)
        database.hold = True
        phone.ask("account.block", username="alice", pin=PIN)
        self.alice.ask("chat.send", **self.alice.message(self.support, "and this"))
        for _ in range(4):
            database.release()
        database.hold = False
        database.release()

    def test_an_answer_comes_right_behind(self) -> None:
        """The staff is told that nobody is there any more."""
        self.alice.write(self.support, "help")
        database = self.world.database
        phone = Client(self.world)
        database.hold = True
        phone.ask("account.block", username="alice", pin=PIN)
        desk = self.world.domain.support
        reply = Deferred.fromCoroutine(desk.reply(AccountId(self.alice.account), "done"))
        for _ in range(4):
            database.release()
        database.hold = False
        database.release()
        self.assertEqual(self.failureResultOf(reply, Problem).value.code, Code.NOT_FOUND)
        self._gone()
