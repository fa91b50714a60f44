"""Disabling the history of a chat: what is gone, who is told, and who may do it."""

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.chats.sealed import seal_message
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, direct_chat_id
from safeum_home.node.turning import LEAST_SECONDS
from safeum_home.sealing.keys import SealedKey
from safeum_home.sealing.libc import ffi
from tests.erasure_case import ErasureCase
from tests.world import Client, World, texts


class SwitchTests(ErasureCase):
    def test_nothing_is_left(self) -> None:
        """For neither side, on no device; and both are told at once."""
        answer = self.off()
        self.assertIs(answer["history"], False)
        for client in (self.alice, self.bob, self.world.login("alice"), self.world.login("bob")):
            self.assertEqual(client.history(self.chat), [])
        for client in (self.alice, self.bob):
            [told] = client.take("chat.updated")
            info = told["params"]["chat"]
            self.assertEqual((info["chat"], info["history"]), (self.chat, False))
            self.assertEqual(info["erased"], told["params"]["cursor"])
            self.assertEqual(answer["receipt"]["erased"], info["erased"])
        self.assertEqual([self.rows(table) for table in ("events", "spool")], [1, 1], "the notice alone")
        self.assertEqual(self.world.database.count("erasing"), 0)

    def test_both_sides(self) -> None:
        """Whoever does it does it for both; the other one is answered with the same receipt, at no cost."""
        first = self.off(self.bob)
        epoch = self.world.vault.keyring.epoch
        self.assertEqual(self.off(self.alice), first)
        self.assertEqual(self.alice.call("chat.history.receipt", chat=self.chat)["receipt"], first["receipt"])
        self.world.settle(LEAST_SECONDS)
        self.assertEqual(self.world.vault.keyring.epoch, epoch)

    def test_others(self) -> None:
        """Other chats, and who is in none of these, notice nothing."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        carol.write(other, "stays")
        self.refused("not_found", carol, "chat.history.set", chat=self.chat, enabled=False)
        self.refused("not_found", carol, "chat.history.receipt", chat=self.chat)
        self.off()
        self.assertEqual(carol.history(other), ["stays"])
        self.assertEqual(carol.take("chat.updated"), [])

    def test_chats_of_the_node(self) -> None:
        """What the node writes, and what was said to its operator, stays."""
        registry = self.world.domain.registry
        account = AccountId(self.alice.account)
        for chat in (registry.system_chat(account), registry.support_chat(account)):
            for method, more in (("chat.history.set", {"enabled": False}), ("chat.history.receipt", {})):
                self.refused("history_fixed", self.alice, method, chat=chat, **more)
        self.assertIsNone(self.successResultOf(registry.load(registry.support_chat(account))))

    def test_with_oneself(self) -> None:
        """The chat with oneself is like others, also before anything was written into it."""
        own = direct_chat_id(AccountId(self.alice.account), AccountId(self.alice.account))
        self.assertIs(self.off(chat=own)["history"], False)
        self.alice.write(own, "note")
        self.assertEqual(self.alice.history(own), ["note"])
        self.refused("not_found", self.bob, "chat.history.set", chat=own, enabled=True)

    def test_never_erased(self) -> None:
        """There is no receipt for what has not happened; switching on what is on is nothing."""
        self.refused("nothing_erased", self.alice, "chat.history.receipt", chat=self.chat)
        self.assertEqual(self.on(), {"history": True, "receipt": None, "pending": [], "confirmed": []})
        self.assertEqual(self.alice.take("chat.updated"), [])
        self.assertEqual(self.alice.history(self.chat), ["before", "before too"])

    def test_on_again(self) -> None:
        """It begins empty, and is kept from then on; the receipt can still be had."""
        receipt = self.off()["receipt"]
        self.assertEqual(
            self.on(self.bob), {"history": True, "receipt": None, "pending": [], "confirmed": []}
        )
        [off, on] = self.alice.take("chat.updated")
        self.assertEqual(on["params"]["chat"]["erased"], off["params"]["chat"]["erased"])
        self.assertIs(on["params"]["chat"]["history"], True)
        self.alice.write(self.chat, "kept")
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.gather()
        self.look()
        self.assertEqual(self.world.login("bob").history(self.chat), ["kept"])
        self.assertEqual(self.bob.call("chat.history.receipt", chat=self.chat)["receipt"], receipt)

    def test_how_often(self) -> None:
        """Each time makes all keys of the node anew: it is limited."""
        for _ in range(2):
            self.off()
            self.on()
            self.world.settle(LEAST_SECONDS)
        self.off()
        self.refused("rate_limited", self.alice, "chat.history.set", chat=self.chat, enabled=True)
        self.on(self.bob)

    def test_markers_and_pins(self) -> None:
        """How far everybody got says nothing of what is gone; an acknowledgement that comes late neither."""
        message = self.alice.write(self.chat, "read")
        self.bob.call("chat.read", chat=self.chat, upto=message["id"])
        self.bob.call("session.ack", cursor=message["id"])
        self.off()
        self.refused("not_found", self.bob, "chat.read", chat=self.chat, upto=message["id"])
        rows = "SELECT delivered, read FROM members WHERE chat = ?"
        found = self.world.database.now(lambda c: c.exec_driver_sql(rows, (self.blind(),)).all())
        self.assertEqual(list(map(tuple, found)), [(0, 0), (0, 0)])

    def test_nothing_is_pinned_that_is_not_kept(self) -> None:
        """Neither while the history is off, nor of that time later: nobody could see what to unpin."""
        self.off()
        sent = self.alice.write(self.chat, "fleeting")["id"]
        self.refused("message_not_kept", self.alice, "chat.pin", chat=self.chat, message=sent)
        self.on()
        self.refused("message_not_kept", self.alice, "chat.pin", chat=self.chat, message=sent)
        kept = self.alice.write(self.chat, "kept")["id"]
        self.alice.call("chat.pin", chat=self.chat, message=kept)

    def test_a_contact_that_is_over(self) -> None:
        """What both wrote stays either's to erase: but nothing is said with that, and nothing is undone."""
        self.bob.call("contact.block", account=self.alice.account)
        self.bob.take()
        self.off(self.alice)
        self.assertEqual([event["method"] for event in self.bob.take()], ["chat.updated"])
        self.assertEqual(self.bob.call("chat.history", chat=self.chat)["messages"], [])
        self.refused("not_a_contact", self.alice, "chat.history.set", chat=self.chat, enabled=True)

    def test_the_answer_waits_for_the_turn(self) -> None:
        """Others are told before, and only then is it true that nobody can open the past."""
        held: list[tuple[Any, Deferred[Any]]] = []

        def in_thread(call: Any) -> Deferred[Any]:
            held.append((call, Deferred()))
            return held[-1][1]

        with patch.object(self.world.domain.turns, "_in_thread", in_thread):
            asked = self.alice.ask("chat.history.set", chat=self.chat, enabled=False)
            self.assertEqual(len(self.bob.take("chat.updated")), 1)
            self.assertEqual(self.bob.history(self.chat), [])
            wanted = self.bob.ask("chat.history.receipt", chat=self.chat)
            for step in range(2):
                self.assertEqual([self.alice.answer(asked), self.bob.answer(wanted)], [None, None], step)
                call, done = held[step]
                done.callback(call())
            answer = self.alice.answer(asked)
            assert answer is not None
            self.assertLess(answer["receipt"]["epoch"], self.world.vault.keyring.oldest)
            self.world.settle(LEAST_SECONDS)
            for step in range(2, len(held)):
                held[step][1].callback(held[step][0]())

    def test_the_old_key_is_zeroed(self) -> None:
        chat = self.world.domain.registry.get(ChatId(self.chat))
        assert chat is not None and isinstance(chat.key, SealedKey)
        place = chat.key._pointer
        assert place is not None
        self.assertNotEqual(bytes(ffi.buffer(place, 32)), bytes(32))
        del chat
        found: list[bytes] = []
        release = type(self.world.vault.keyring._arena).release

        def note(arena: Any, pointer: Any, size: int) -> None:
            release(arena, pointer, size)
            if pointer == place:
                found.append(bytes(ffi.buffer(pointer, 32)))

        with patch.object(type(self.world.vault.keyring._arena), "release", note):
            self.off()
        self.assertEqual(found[:1], [bytes(32)])

    def test_a_commit_that_fails(self) -> None:
        """Then nothing has happened, and it can be tried again."""
        self.world.database.failing = True
        self.refused("storage_unavailable", self.alice, "chat.history.set", chat=self.chat, enabled=False)
        self.world.database.failing = False
        self.assertEqual(self.alice.history(self.chat), ["before", "before too"])
        self.assertEqual(self.bob.take("chat.updated"), [])
        self.off()

    def test_lost_before_the_turn(self) -> None:
        """The node dies behind the commit: the next one turns and sweeps; who asks again gets the receipt."""
        with patch.object(self.world.domain.turns, "turned", side_effect=Problem(Code.SHUTTING_DOWN)):
            self.refused("shutting_down", self.alice, "chat.history.set", chat=self.chat, enabled=False)
        self.assertGreater(self.rows("events"), 0)
        world = World(self.world.database, self.world.vault)
        client = Client(world)
        client.token = self.alice.token
        client.opened(client.call("session.resume", token=client.token))
        self.assertEqual(client.history(self.chat), [])
        world.domain.forget()  # as a start does: it looks for what is due
        world.settle()
        self.assertEqual((self.rows("events"), world.vault.keyring.oldest), (1, 2))
        answer = client.call("chat.history.set", chat=self.chat, enabled=False)
        self.assertEqual(answer["receipt"]["epoch"], 1)


class MeanwhileTests(ErasureCase):
    """What is under way while the history is disabled."""

    def begin(self) -> int:
        """Alice disables it, and the disk is slow."""
        self.world.database.hold = True
        return self.alice.ask("chat.history.set", chat=self.chat, enabled=False)

    def end(self) -> None:
        self.world.database.hold = False
        while self.world.database.held:
            self.world.database.release()
            self.world.database.answer_reads()
        self.world.settle()

    def test_messages_on_their_way(self) -> None:
        """One that came before it is erased with the rest; one that came behind it can be read."""
        self.world.database.hold = True
        first = self.bob.ask("chat.send", **self.bob.message(self.chat, "just before"))
        asked = self.begin()
        second = self.bob.ask("chat.send", **self.bob.message(self.chat, "just after"))
        self.end()
        for client, number in ((self.bob, first), (self.bob, second), (self.alice, asked)):
            self.assertIsNotNone(client.answer(number))
        self.assertEqual(self.alice.history(self.chat), ["just after"])
        events = [event["method"] for event in self.alice.take("chat.message", "chat.updated")]
        self.assertEqual(events, ["chat.message", "chat.updated", *["chat.message"] * 2])

    def test_sent_again(self) -> None:
        """A message whose answer got lost is answered, and not stored into the new history; swept or not."""
        about = self.bob.message(self.chat, "lost answer", "its-id")
        sent = self.bob.call("chat.send", **about)
        self.off()
        for _ in range(2):
            again = self.bob.call("chat.send", **about)
            self.assertEqual((again["id"], again["erased"]), (sent["id"], True))
            self.world.settle()
        self.assertEqual(self.alice.history(self.chat), [])
        self.world.clock.advance(8 * 86400)
        self.world.domain.fleeting.start()
        self.world.settle()
        self.world.domain.fleeting.stop()
        found = self.world.database.now(
            lambda c: c.exec_driver_sql("SELECT count(*) FROM dedupe WHERE gone IS NOT NULL").scalar_one()
        )
        self.assertEqual(found, 1, "the notice, which nobody has taken for a week")

    def test_sent_again_before_the_sweep(self) -> None:
        about = self.bob.message(self.chat, "lost answer", "its-id")
        sent = self.bob.call("chat.send", **about)
        with patch("safeum_home.accounts.closing.sweep", return_value=False):
            self.off()
            self.assertGreater(self.rows("events"), 0)
            self.assertEqual(self.bob.call("chat.send", **about)["id"], sent["id"])
            self.assertEqual(self.alice.history(self.chat), [])

    def test_a_page_that_was_read_before(self) -> None:
        """It is not handed out after the chat was wiped."""
        self.world.database.hold_reads = True
        page = self.bob.ask("chat.history", chat=self.chat)
        chats = self.bob.ask("chat.list")
        self.world.database.hold_reads = False
        self.off()
        self.world.database.answer_reads()
        [answer] = [self.bob.answer(page)]
        assert answer is not None
        self.assertEqual([message["body"]["kind"] for message in answer["messages"]], ["notice"])
        listed = self.bob.answer(chats)
        assert listed is not None
        self.assertNotIn("before", repr(listed))

    def test_a_device_that_was_away(self) -> None:
        """It is told when it comes back, and gets nothing of before, wherever its pages ended."""
        since = self.bob.cursor
        self.bob.drop()
        self.alice.write(self.chat, "more")
        self.off()
        self.alice.write(self.chat, "after")
        self.bob.resume(since)
        self.world.settle()
        self.assertEqual(texts(self.bob.messages()), ["after"])
        self.bob.resume(since)
        self.world.settle()
        [told] = self.bob.take("chat.updated")
        self.assertIs(told["params"]["chat"]["history"], False)

    def test_in_the_middle_of_pages(self) -> None:
        """A device is being sent what it missed: what comes last tells it to wipe what came first."""
        since = self.bob.cursor
        self.bob.drop()
        for number in range(450):  # more than two pages
            self.alice.write(self.chat, f"{number}")
        self.bob.connect()
        session = self.bob.connection.session
        session.paused()
        number = self.bob.ask("session.resume", token=self.bob.token, since=since)
        self.off()
        self.alice.write(self.chat, "after")
        session.resumed()
        self.world.settle()
        self.assertIsNotNone(self.bob.answer(number))
        seen = self.bob.take("chat.message", "chat.updated")
        methods = [event["method"] for event in seen]
        self.assertEqual(methods.count("chat.updated"), 1)
        behind = [event["params"] for event in seen[methods.index("chat.updated") + 1 :]]
        self.assertEqual([one["body"].get("text") for one in behind], [None, "after"])
        self.assertIn(
            "session.synced", [event["method"] for event in self.bob.connection.written if "method" in event]
        )

    def test_both_at_once(self) -> None:
        """Both disable it in the same moment: one has done it, the other is told so."""
        mine = self.begin()
        his = self.bob.ask("chat.history.set", chat=self.chat, enabled=False)
        self.end()
        self.world.settle(LEAST_SECONDS)  # the one who came later may wait for another turn
        self.world.settle(LEAST_SECONDS)
        self.assertEqual(self.alice.answer(mine), self.bob.answer(his))
        self.assertEqual(len(self.bob.take("chat.updated")), 1)

    def test_sealed_with_what_it_was(self) -> None:
        """Whoever held the chat while it changed is refused, rather than have a row that nobody can open."""
        chat = self.world.domain.registry.get(ChatId(self.chat))
        assert chat is not None
        seal_message(chat, 1, b"{}")
        self.off()
        problem = self.assertRaises(Problem, seal_message, chat, 1, b"{}")
        self.assertIs(problem.code, Code.BUSY)

    def test_closed_meanwhile(self) -> None:
        """The chat goes for good: what erases its past comes too late, and what was to be swept is swept."""
        self.alice.call("account.pin.set", password="correct horse battery", pin="284716")
        with patch("safeum_home.accounts.closing.sweep", return_value=False):
            self.off()
        number = self.alice.ask("session.block", pin="284716")
        self.world.settle(LEAST_SECONDS)
        self.world.settle()
        self.assertEqual(self.alice.answer(number), {})
        for table in ("events", "members", "chats", "spool"):
            self.assertEqual(self.rows(table), 0, table)
        self.assertEqual(self.world.database.count("erasing"), 0)
