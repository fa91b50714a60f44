"""Disabling the history of a chat whose members are on two nodes: what is gone, told, confirmed, and when."""

from functools import partial
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.chats import ERASED, HISTORY
from safeum_home.protocol.federation.events import Event, sign_event
from tests.across_case import A, B
from tests.federation import signer
from tests.history_across_case import HistoryCase, life
from tests.world import Refused


class SwitchTests(HistoryCase):
    def test_off(self) -> None:
        """Erased at once here, then there; pending until the other node has signed that, for all devices."""
        answer = self.switch(self.alice)
        self.assertEqual((answer["history"], answer["pending"], answer["confirmed"]), (False, [B], []))
        self.assertEqual((self.said(self.alice), len(self.said(self.bob))), ([], 2))
        [told] = self.told(self.alice)
        self.assertEqual((told["history"], told["pending"]), (False, [B]))
        self.assertEqual(self.chat_of(self.alice)["pending"], [B])
        self.settle()
        for client in (self.alice, self.bob):
            self.assertEqual(self.said(client), [])
            self.assertEqual(self.rows_of(client.world), 1, "the notice alone")
            told = self.told(client)[-1]
            self.assertEqual((told["history"], told["pending"]), (False, []))
            [notice] = self.page(client)
            self.assertEqual(
                (notice["body"]["action"], notice["body"]["by"]), ("history_off", self.alice.account)
            )
        again = self.switch(self.alice)
        self.assertEqual(again["pending"], [])
        [receipt] = again["confirmed"]
        self.assertEqual(receipt["type"], "chat.erased")
        self.assertEqual((receipt["sender"], receipt["chat"]), (self.bob.account, self.chat))
        self.assertEqual(again["receipt"], answer["receipt"])
        asked = self.alice.call("chat.history.receipt", chat=self.chat)
        self.assertEqual(asked["confirmed"], [receipt])
        # The other side has one of each as well.
        [other] = self.bob.call("chat.history.receipt", chat=self.chat)["confirmed"]
        self.assertEqual(other["sender"], self.alice.account)

    def test_on(self) -> None:
        """An empty history begins, on both."""
        self.switch(self.alice)
        self.settle()
        self.assertEqual(self.switch(self.bob, True)["history"], True)
        self.write(self.bob, "kept")
        self.settle()
        self.write(self.alice, "kept too")
        self.settle()
        for client in (self.alice, self.bob):
            self.assertEqual(self.said(client), ["kept", "kept too"])
            self.assertTrue(self.chat_of(client)["history"])
            self.assertEqual(self.rows_of(client.world, "spool"), 1, "the first notice alone")

    def test_since(self) -> None:
        """A device that was away is told once what is gone, and that the other node has not confirmed it."""
        tablet = self.nodes[A].login("alice")
        tablet.cursor = tablet.world.cursor
        tablet.drop()
        self.nodes.away.add(B)
        self.switch(self.alice)
        self.write(self.alice, "after")
        tablet.resume(tablet.cursor)
        told = self.told(tablet)
        self.assertEqual([(info["history"], info["pending"]) for info in told], [(False, [B])])
        cursor = tablet.world.cursor
        tablet.drop()
        self.nodes.away.clear()
        self.settle()
        tablet.resume(cursor)
        [now] = self.told(tablet)
        self.assertEqual((now["pending"], now["erased"]), ([], told[0]["erased"]))
        self.assertEqual(self.said(tablet), ["after"])

    def test_not_a_contact(self) -> None:
        """Where the contact is over either may still erase both copies; no notice comes with that."""
        self.bob.call("contact.remove", account=self.alice.account)
        self.settle()
        self.switch(self.alice)
        self.settle()
        for client in (self.alice, self.bob):
            self.assertEqual(self.page(client), [])
        self.assertEqual(self.chat_of(self.alice)["pending"], [])
        params = {"chat": self.chat, "enabled": True}
        refused = self.assertRaises(Refused, self.alice.call, "chat.history.set", **params)
        self.assertEqual(refused.code, "not_a_contact")

    def test_limit(self) -> None:
        """Who switches all the time waits; the copies are erased all the same, and the receipt is late."""
        for _ in range(5):
            self.switch(self.alice)
            self.switch(self.alice, True)
            self.pass_by(200)
        self.switch(self.alice)
        self.settle()
        self.pass_by(1000)
        self.settle()
        self.assertEqual(self.chat_of(self.alice)["pending"], [])


class MeanwhileTests(HistoryCase):
    """What was on its way."""

    def test_waiting(self) -> None:
        """What waits to be told when it is switched off is told to nobody, and does not come back."""
        self.nodes.away.add(B)
        sent = self.write(self.alice, "secret")
        self.edit(self.alice, sent, "more secret")
        self.react(self.alice, sent, "👍")
        self.pin(self.alice, sent)
        self.write(self.bob, "secret of his")
        self.switch(self.alice)
        waiting = sorted(row.type for row in self.nodes.peers[A].waiting)
        self.assertEqual(waiting, ["chat.erased", "chat.history"], "nothing of what was erased")
        self.write(self.alice, "after")
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.nodes.peers[B].waiting, [])
        for client in (self.alice, self.bob):
            self.assertEqual(self.said(client), ["after"])
        self.assertNotIn("secret", "".join(each["body"]["text"] for each in self.bob.messages()))
        self.assertEqual(self.alice.messages(), [])
        for peer in self.nodes.peers.values():
            self.assertEqual(peer.waiting, [])

    def test_in_flight(self) -> None:
        """What the other one said before it heard of it is passed over, of every kind; it hears of it."""
        first = self.write(self.bob, "first")
        self.settle()
        [copy] = [each["id"] for each in self.page(self.alice) if each.get("origin") == first]
        reference, event = {"node": B, "id": first}, self.event
        told = (
            event("chat.message", self.message("again"), "another"),
            event("chat.message", self.message("again") | {"edited": self.now + 1}, first),
            event("chat.deletion", {}, first),
            event("chat.marker", {"delivered": {"node": A, "id": copy}, "read": None}, None),
            event("chat.reaction", {"message": reference, "emoji": "👍"}, None),
            event("chat.pins", {"pinned": [reference]}, None),
        )
        self.switch(self.alice)
        self.settle()
        self.alice.take()
        before = self.rows(self.nodes[A])
        for each in told:
            self.assertEqual(self.nodes.peers[A].waiting, [])
            self.hear(B, each)
            self.assertEqual(self.rows(self.nodes[A]), before, each.type)
            self.assertEqual(self.alice.take(), [], each.type)
            self.assertEqual([row.type for row in self.nodes.peers[A].waiting], [HISTORY], each.type)
            self.settle()

    def test_many_at_once(self) -> None:
        """Many messages are not stored at once where one is of before, or is not to be kept."""
        world = self.nodes[A]
        kind: Any = next(each for each in world.domain.shared if each.type == "chat.message")
        self.switch(self.alice)
        self.switch(self.alice, True)
        now = list(life(world, self.chat).life)
        for more, stored in (
            ({"life": now}, True),
            ({"life": now, "fleeting": True}, False),
            ({}, False),
        ):
            applied: list[Any] = []
            for name in ("one", "two"):
                told = self.event("chat.message", self.message(name, **more), f"{name} {more}"[:60])
                Deferred.fromCoroutine(kind.apply(B, told)).addBoth(applied.append)
            rows = [each.row for each in applied]
            outcome = world.database.now(partial(kind.store_rows, rows=rows))
            self.assertIs(outcome, stored, more)
        self.settle()

    def test_while_it_is_applied(self) -> None:
        """It is switched between the moment an event is looked at and the one it is stored: later."""
        event = self.event("chat.message", self.message("again"), "another")

        def switched() -> None:
            self.alice.ask("chat.history.set", chat=self.chat, enabled=False)

        problem = self.assertRaises(Problem, self.hear, B, event, switched)
        self.assertEqual(problem.code, Code.BUSY)
        self.settle()
        self.hear(B, event)
        self.assertEqual(self.said(self.alice), [])

    def test_outage(self) -> None:
        """The other node is away for two weeks: erased here at once, there before anything else is told."""
        self.nodes.away.add(B)
        self.switch(self.alice)
        self.switch(self.alice, True)
        self.write(self.alice, "new")
        for world in self.nodes.worlds.values():
            world.settle(14 * 24 * 3600)
        self.assertEqual(self.nodes._ready(A), [])
        self.nodes.away.clear()
        types = [row.type for row in self.nodes._ready(A)]
        self.assertEqual(types[0], HISTORY)
        self.assertEqual(len(self.said(self.bob)), 2, "nobody has told his node")
        self.settle()
        self.assertEqual(self.said(self.bob), ["new"])
        self.assertEqual(self.chat_of(self.alice)["pending"], [])

    def test_restart(self) -> None:
        """The other node dies when it has erased, and before its keyring turns: it signs when it is back."""
        self.switch(self.alice)
        world = self.nodes[B]
        with patch.object(world.domain.turns, "turned", Deferred):
            self.nodes.settle()
        self.assertEqual(world.database.count("owed"), 1)
        self.assertEqual(self.chat_of(self.alice)["pending"], [B])
        self.nodes.restart(B)
        again = self.nodes[B]
        self.successResultOf(Deferred.fromCoroutine(again.domain.owed.give()))
        self.settle()
        self.assertEqual(self.chat_of(self.alice)["pending"], [B], "nothing was turned yet")
        self.successResultOf(again.domain.turns.turned())
        self.successResultOf(Deferred.fromCoroutine(again.domain.owed.give()))
        self.settle()
        self.assertEqual(self.chat_of(self.alice)["pending"], [])
        self.assertEqual(again.database.count("owed"), 0)

    def test_erased_again(self) -> None:
        """A receipt that waits when the chat is erased once more is not signed before that is true, too."""
        self.switch(self.alice)
        self.settle()
        self.pass_by(600)
        self.nodes.away.add(A)
        self.switch(self.bob, True)
        self.switch(self.bob)
        self.pass_by(60)
        self.assertIn(ERASED, [row.type for row in self.nodes.peers[B].waiting])
        self.switch(self.bob, True)
        with patch.object(self.nodes[B].domain.turns, "turned", Deferred):
            self.bob.ask("chat.history.set", chat=self.chat, enabled=False)
            self.nodes.away.clear()
            self.nodes.settle()
            [receipt] = self.alice.call("chat.history.receipt", chat=self.chat)["confirmed"]
            self.assertIn(0, receipt["content"]["life"], "of what is not destroyed yet nothing is signed")
        self.successResultOf(self.nodes[B].domain.turns.turned())
        self.successResultOf(Deferred.fromCoroutine(self.nodes[B].domain.owed.give()))
        self.settle()
        [receipt] = self.alice.call("chat.history.receipt", chat=self.chat)["confirmed"]
        self.assertEqual(tuple(receipt["content"]["life"]), life(self.nodes[B], self.chat).life)

    def test_given_up(self) -> None:
        """A node that was away for too long is never told by itself, but when somebody asks once more."""
        self.switch(self.alice)
        self.nodes.give_up(A, B)
        self.settle()
        self.assertEqual(self.chat_of(self.alice)["pending"], [B])
        self.assertEqual(self.switch(self.alice)["pending"], [B])
        self.settle()
        self.assertEqual(self.chat_of(self.alice)["pending"], [])
        self.assertEqual(self.said(self.bob), [])


class LyingTests(HistoryCase):
    """A node that says of its receipt what is not so."""

    def receipt(self, life: list[int], at: int | None = None, epoch: int = 1, **more: Any) -> Event:
        content = {"life": life, "epoch": epoch}
        return self.event(ERASED, content, None, at=self.now if at is None else at, **more)

    def life(self, later: int = 0) -> list[int]:
        """The life that Alice's node has asked for; `later`: one that it has not."""
        now = life(self.nodes[A], self.chat).life or (0, 0)
        mine = self.alice.account > self.bob.account
        return [number + later * (place == mine) for place, number in enumerate(now)]

    def lies(self, code: str, event: Event) -> None:
        self.refused(code, B, event)
        self.assertEqual(self.chat_of(self.alice)["pending"], [B])

    def test_lies(self) -> None:
        """It is refused, and stays pending."""
        self.refused("receipt_refused", B, self.receipt([1, 1]))
        self.nodes.away.add(B)
        self.switch(self.alice)
        self.alice.take()
        self.lies("receipt_refused", self.receipt(self.life(1)))  # what was never asked
        self.lies("receipt_refused", self.receipt([]))
        minutes = 5 * 60 * 1000
        self.lies("receipt_refused", self.receipt(self.life(), self.now - minutes - 60_000))
        self.lies("receipt_refused", self.receipt(self.life(), self.now + minutes + 60_000))
        self.lies("malformed_event", self.receipt([1]))
        self.lies("malformed_event", self.receipt(self.life(), epoch=0))
        self.lies("malformed_event", self.receipt([-1, 1]))
        self.lies("not_a_contact", self.receipt(self.life(), chat="!" + "a" * 26))
        self.lies("wrong_sender_node", self.receipt(self.life(), sender=self.alice.account))
        stranger = f"@{'b' * 26}:{B}"
        self.lies("not_a_contact", self.receipt(self.life(), sender=stranger))
        self.hear(B, self.receipt(self.life()))
        self.assertEqual(self.chat_of(self.alice)["pending"], [])
        self.nodes.away.clear()
        self.settle()

    def test_an_older_one(self) -> None:
        """What was signed for the time before does not count for this one."""
        self.switch(self.alice)
        self.settle()
        before = self.life()
        self.pass_by(600)
        self.switch(self.alice, True)
        self.settle()
        self.nodes.away.add(B)
        self.switch(self.alice)
        self.hear(B, self.receipt(before))
        self.assertEqual(self.chat_of(self.alice)["pending"], [B])
        self.lies_about_now()
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.chat_of(self.alice)["pending"], [])

    def lies_about_now(self) -> None:
        self.alice.take()
        self.lies("receipt_refused", self.receipt(self.life(), self.now - 590_000))

    def test_switching(self) -> None:
        """Only a member can switch it, at his own node; lives that cannot be are malformed."""
        lives: list[Any] = [[1], [1, -1], [1, 2**52 + 1], [1, 2, 3], [1, None], "12"]
        contents: list[dict[str, Any]] = [{"life": each, "kept": False} for each in lives]
        for content in ({"life": [1, 0]}, *contents):
            self.refused("malformed_event", B, self.event(HISTORY, content, None))
        for more in ({"sender": f"@{'b' * 26}:{B}"}, {"chat": "!" + "a" * 26}):
            event = self.event(HISTORY, {"life": [1, 1], "kept": False}, None, **more)
            self.refused("not_a_contact", B, event)
        event = self.event(HISTORY, {"life": [1, 1], "kept": False}, None, sender=self.alice.account)
        self.refused("wrong_sender_node", B, event)
        self.assertEqual(len(self.said(self.alice)), 2)

    def test_the_highest_number(self) -> None:
        """A node that says of the other side's number what it likes keeps nobody from switching it off."""
        self.hear(B, self.event(HISTORY, {"life": [2**52, 2**52], "kept": True}, None))
        self.write(self.alice, "secret")
        self.switch(self.alice)
        self.assertEqual(self.said(self.alice), [])
        [noted] = [row for row in self.nodes.peers[A].waiting if row.type == HISTORY]
        kind = next(each for each in self.nodes[A].domain.shared if each.type == HISTORY)
        event = self.nodes[A].database.now(lambda c: kind.build(c, noted.pointer))
        assert event is not None
        self.assertTrue(sign_event(event, "ed25519:1", signer()))
        self.nodes.peers[A].waiting.clear()
