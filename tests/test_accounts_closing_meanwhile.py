"""Closing an account with a PIN: what comes at the same time, and what comes after a restart."""

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.chats.receipts import GATHER_SECONDS
from safeum_home.node.turning import LEAST_SECONDS
from safeum_home.storage.erasure import erase_account
from tests.closing_case import PIN, ClosingCase
from tests.world import LAPTOP, PASSWORD, Client, Refused, World, contact


class MeanwhileTests(ClosingCase):
    """What others do between the closing commit and the moment in which the reactor hears of it."""

    def unswept(self) -> Any:
        """Nothing is swept away while this is entered."""
        return patch("safeum_home.accounts.closing.sweep", return_value=False)

    def closing(self, *others: tuple[Client, str, dict[str, Any]]) -> list[str]:
        """Alice's account is closed; the others' commands come right behind. Their codes."""
        database = self.world.database
        database.hold = True
        phone = Client(self.world)
        asked = phone.ask("account.block", username="alice", pin=PIN)
        numbers = [(client, client.ask(method, **params)) for client, method, params in others]
        database.hold = False
        database.release()
        self.assertEqual(phone.answer(asked), {})
        self.world.settle()
        codes = []
        for client, number in numbers:
            try:
                codes.append("unanswered" if client.answer(number) is None else "ok")
            except Refused as refused:
                codes.append(refused.code)
        return codes

    def sweep(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.closing.sweep()))

    def owned(self, table: str, column: str) -> int:
        """How many rows Alice has in a table."""
        query = f"SELECT count(*) FROM {table} WHERE {column} = ?"
        blind = self.blind(self.alice)
        return int(self.world.database.now(lambda c: c.exec_driver_sql(query, (blind,)).scalar_one()))

    def check(self) -> None:
        """Nothing of hers is there, and nothing is left to be swept."""
        owned = "SELECT count(*) FROM {} WHERE {} = ?"
        blind, chat = self.blind(self.alice), self.world.vault.blinder.chat(self.chat)  # type: ignore[arg-type]
        for table, column in (
            ("contacts", "owner"),
            ("profiles", "account"),
            ("devices", "account"),
            ("members", "account"),
            ("keys", "owner"),
            ("accounts", "account"),
        ):
            query = owned.format(table, column)
            found = self.world.database.now(lambda c, q=query: c.exec_driver_sql(q, (blind,)).scalar_one())  # type: ignore[misc]
            self.assertEqual(found, 0, table)
        for table, column in (("events", "chat"), ("members", "chat"), ("chats", "chat"), ("keys", "owner")):
            query = owned.format(table, column)
            found = self.world.database.now(lambda c, q=query: c.exec_driver_sql(q, (chat,)).scalar_one())  # type: ignore[misc]
            self.assertEqual(found, 0, table)
        self.assertEqual(self.world.database.count("erasing"), 0)
        self.assertEqual(self.world.late, [])

    def test_messages(self) -> None:
        """A message behind it is taken, and swept away with the rest."""
        self.assertEqual(self.closing((self.bob, "chat.send", self.bob.message(self.chat, "late"))), ["ok"])
        self.check()
        self.assertEqual(self.world.database.count("dedupe"), self.world.database.count("events"))

    def test_contacts(self) -> None:
        """Neither a request nor a consent makes anything of her exist again."""
        dave = self.world.register("dave")
        self.alice.call("contact.request", account=self.carol.account, address="carol")
        about = {"account": self.alice.account}
        with self.unswept():
            codes = self.closing(
                (dave, "contact.request", {"address": "alice", **about}),
                (self.carol, "contact.accept", about),
                (self.bob, "contact.remove", about),
            )
        self.assertEqual(codes, ["ok", "wrong_contact_state", "ok"])
        self.assertEqual(self.owned("contacts", "owner"), 0)
        self.sweep()
        self.check()
        self.assertEqual(contact(dave, self.alice)["state"], "requested")

    def test_her_own(self) -> None:
        """What her other devices send at that moment comes to nothing: they are closed."""
        second = self.world.login("alice")
        self.carol.take()
        with self.unswept():
            codes = self.closing(
                (second, "profile.set", {"profile": {"display_name": "A", "status": ""}}),
                (second, "contact.request", {"account": self.carol.account, "address": "carol"}),
                (second, "account.pin.remove", {"password": PASSWORD, "ordinal": 1}),
                (second, "account.password", {"current": PASSWORD, "new": "staple battery horse"}),
            )
        self.assertEqual(codes, ["unanswered"] * 4)
        for table, column in (("profiles", "account"), ("contacts", "owner"), ("devices", "account")):
            self.assertEqual(self.owned(table, column), 0, table)
        self.assertEqual(self.carol.take("contact.changed"), [])
        self.sweep()
        self.assertEqual(second.connection.close_code, 4011)
        self.check()

    def test_a_login(self) -> None:
        """One that is under way is refused as with a wrong password, at whatever step it is."""
        about = {"username": "alice", "password": PASSWORD, "device": LAPTOP}
        self.assertEqual(self.closing((Client(self.world), "session.login", about)), ["bad_credentials"])
        self.check()

    def test_a_login_that_is_hashing(self) -> None:
        late = Client(self.world)
        self.world.pool.hold = True
        asked = late.ask("session.login", username="alice", password=PASSWORD, device=LAPTOP)
        phone = Client(self.world)
        block = phone.ask("account.block", username="alice", pin=PIN)
        self.world.pool._waiting.reverse()
        self.world.pool.run(1)
        self.assertEqual(phone.answer(block), {})
        self.world.pool.run()
        self.world.pool.hold = False
        self.assertEqual(self.assertRaises(Refused, late.answer, asked).code, "bad_credentials")
        self.check()

    def test_receipts(self) -> None:
        """A receipt in the same commit keeps nothing of the chat, and Bob can close his account as well."""
        self.bob.call("account.pin.set", password=PASSWORD, pin="371592")
        upto = self.alice.write(self.chat, "new")["id"]
        database = self.world.database
        with self.unswept():
            database.hold = True
            phone = Client(self.world)
            asked = phone.ask("account.block", username="alice", pin=PIN)
            self.bob.call("session.ack", cursor=upto)
            self.world.clock.advance(GATHER_SECONDS)
            while database.held:
                database.release()
            database.hold = False
            self.world.settle()
            self.assertEqual(phone.answer(asked), {})
            self.assertEqual(self.world.late, [])
            asked = phone.ask("account.block", username="bob", pin="371592")
            self.world.settle(LEAST_SECONDS)
            self.assertEqual(phone.answer(asked), {})
        self.sweep()
        self.check()

    def test_look_ups(self) -> None:
        """What was read before and arrives afterwards is read once more, not kept."""
        database = self.world.database
        for forgotten in (self.world.domain.directory, self.world.domain.registry):
            forgotten._open.clear()
        database.hold_reads = True
        asked = [
            (self.carol, self.carol.ask("contact.find", address="alice")),
            (self.bob, self.bob.ask("chat.send", **self.bob.message(self.chat, "late"))),
            (self.alice, self.alice.ask("session.resume", token=self.alice.token)),
        ]
        late = Client(self.world)
        asked[2] = (late, late.ask("session.resume", token=self.alice.token))
        database.hold_reads = False
        self.block()
        database.answer_reads()
        codes = [self.assertRaises(Refused, client.answer, number).code for client, number in asked]
        self.assertEqual(codes, ["not_found", "not_a_contact", "bad_token"])
        self.assertNotIn(self.alice.account, self.world.domain.directory._open)
        self.assertNotIn(self.chat, self.world.domain.registry._open)

    def test_history_that_is_being_read(self) -> None:
        """A page of a chat that goes between two reads is not found, and that is no fault of the node."""
        later: list[Any] = []

        def read(fn: Any) -> Deferred[Any]:
            done: Deferred[Any] = Deferred()
            later.append((fn, done))
            return done

        self.bob.history(self.other)
        with patch.object(self.world.database, "read", read):
            asked = self.bob.ask("chat.history", chat=self.chat)
        self.block()
        [(fn, done)] = later
        self.world.database.read(fn).chainDeferred(done)
        self.assertEqual(self.assertRaises(Refused, self.bob.answer, asked).code, "not_found")

    def test_catching_up(self) -> None:
        """Her second device, in the middle of its catch-up, gets nothing more; Bob's gets the end of it."""
        second = self.world.login("alice")
        second.drop()
        self.bob.drop()
        self.bob.connect()
        second.connect()
        self.world.database.hold_reads = True
        resumed = []
        for client, since in ((second, second.cursor), (self.bob, None)):
            number = client.ask("session.resume", token=client.token, since=since or self.bob.cursor)
            resumed.append((client, number))
            self.world.database.answer_reads()
        self.world.database.hold_reads = False
        self.block()
        self.world.database.answer_reads()
        self.world.settle()
        self.assertEqual(second.connection.close_code, 4011)
        self.assertEqual(self.world.late, [])
        states = [event["params"]["contact"]["state"] for event in self.bob.take("contact.changed")]
        self.assertEqual(states[-1], "closed")


class RestartTests(ClosingCase):
    def test_old_tokens_and_commands(self) -> None:
        """After a restart as well: neither her tokens nor what was sent before changes anything."""
        message = self.bob.message(self.chat, "once more")
        self.bob.call("chat.send", **message)
        self.block()
        self.world.settle()
        rows = self.rows()
        world = World(self.world.database, self.world.vault)
        world.database._position = world.database.committed
        self.refused("bad_token", Client(world), "session.resume", token=self.alice.token)
        bob = Client(world)
        bob.token, bob.device = self.bob.token, self.bob.device
        bob.call("session.resume", token=bob.token)
        self.refused("not_a_contact", bob, "chat.send", **message)
        self.refused("wrong_contact_state", bob, "contact.accept", account=self.alice.account)
        self.assertEqual(self.rows(), rows)

    def test_a_commit_that_was_taken_for_failed(self) -> None:
        """It turns out to be stored: memory is cleaned, and old copies are made void all the same."""
        keyring, blind = self.world.vault.keyring, self.blind(self.alice)
        with self.world.database.connection.begin():
            erase_account(self.world.database.connection, blind, keyring.epoch)
        self.world.domain.forget()
        self.assertEqual(keyring.epoch, 2)
        self.assertEqual(self.rows()["erasing"], 0)
        self.refused("not_found", self.alice, "device.list")
        self.world.domain.forget()
        self.assertEqual(keyring.epoch, 2)

    def test_a_sweep_that_was_cut_short(self) -> None:
        """What was not swept away is found by nobody, and is swept at the next start."""
        with patch("safeum_home.accounts.closing.sweep", return_value=False):
            self.block()
        self.assertGreater(self.rows()["erasing"], 0)
        world = World(self.world.database, self.world.vault)
        world.database._position = world.database.committed
        bob = Client(world)
        bob.call("session.resume", token=self.bob.token)
        self.refused("not_found", bob, "chat.history", chat=self.chat)
        self.successResultOf(Deferred.fromCoroutine(world.domain.closing.sweep()))
        self.assertEqual(self.rows()["erasing"], 0)
        self.assertEqual(self.rows()["dedupe"], self.rows()["events"])
