"""Disabling the history of a group at three nodes: what is gone, told, confirmed, and when."""

from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.chats.groups import lives as group_lives
from safeum_home.errors import Problem
from safeum_home.ids import ChatId, system_account
from safeum_home.protocol.federation.events import new_event
from safeum_home.protocol.federation.groups import ERASED, HISTORY
from tests.group_history_case import GroupHistoryCase
from tests.groups_across_case import A, B, C
from tests.history_across_case import Shown


class SwitchTests(GroupHistoryCase):
    def test_off(self) -> None:
        """Erased at once at the hub, then in all copies; pending until each has signed that."""
        self.nodes.away.add(C)
        answer = self.switch(self.alice)
        self.assertEqual((answer["history"], answer["pending"]), (False, [B, C]))
        for client in (self.alice, self.amy, self.bob):
            self.assertEqual(self.texts(client), [])
            self.assertEqual(self.info(client, self.chat)["pending"], [C])
            told = [each["params"]["chat"] for each in client.take("chat.updated")][-1]
            self.assertEqual((told["history"], told["pending"]), (False, [C]))
            self.assertEqual(self.words(client, self.chat), ["history_off"])
        self.assertEqual(len(self.texts(self.carol)), 2, "nobody has told her node")
        self.nodes.away.clear()
        self.settle()
        self.same([])
        self.assertEqual(self.words(self.carol, self.chat), ["history_off"])
        receipt = self.alice.call("chat.history.receipt", chat=self.chat)
        self.assertEqual(receipt["receipt"]["node"], A)
        self.assertEqual(
            {(one["type"], one["node"]) for one in receipt["confirmed"]}, {(ERASED, B), (ERASED, C)}
        )
        for client, node in ((self.bob, B), (self.carol, C)):
            own = client.call("chat.history.receipt", chat=self.chat)
            self.assertEqual((own["receipt"]["node"], own["pending"]), (node, []))
            self.assertEqual([one["node"] for one in own["confirmed"]], [A])
        for node in (A, B, C):
            self.assertEqual(self.of_chat(node, "passed_on"), 0)
            self.assertEqual(self.events(node), 1, "the notice alone")
            self.assertEqual(self.rows(self.nodes[node], "owed"), 0)

    def test_owner_elsewhere(self) -> None:
        """An owner of another node switches, as one of the hub does; nobody else may."""
        self.refused("not_permitted", self.bob, "chat.history.set", chat=self.chat, enabled=False)
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="owner")
        self.settle()
        self.refused("not_permitted", self.alice, "chat.history.set", chat=self.chat, enabled=False)
        self.nodes.away.add(C)
        self.switch(self.bob)
        again = self.switch(self.bob)
        self.assertEqual((again["history"], again["pending"]), (False, [C]))
        self.assertEqual(again["receipt"]["node"], B)
        self.nodes.away.clear()
        self.settle()
        self.same([])
        for client in self.members:
            page = client.call("chat.history", chat=self.chat, limit=50)["messages"]
            self.assertEqual([m["body"]["by"] for m in page], [self.bob.account])
        self.assertEqual(self.switch(self.bob, True)["history"], True)
        self.write(self.carol, "kept")
        self.settle()
        self.same(["kept"])

    def test_hub_is_away(self) -> None:
        """Then nothing has changed."""
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="owner")
        self.settle()
        self.nodes.away.add(A)
        self.refused("node_unreachable", self.bob, "chat.history.set", chat=self.chat, enabled=False)
        self.assertEqual(len(self.texts(self.bob)), 2)

    def test_on(self) -> None:
        """An empty history begins everywhere."""
        self.switch(self.alice)
        self.switch(self.alice, True)
        self.settle()
        for each in self.members:
            self.write(each, f"by {each.address}")
        self.settle()
        self.same([f"by {each.address}" for each in self.members])
        for node in (A, B, C):
            self.assertEqual(self.events(node), 6)

    def test_away_for_days(self) -> None:
        """A node that is away for days erases before it is told anything newer."""
        self.nodes.away.add(C)
        self.write(self.alice, "secret too")
        self.switch(self.alice)
        self.switch(self.alice, True)
        self.write(self.bob, "new")
        for world in self.nodes.worlds.values():
            world.settle(4 * 24 * 3600)
        self.nodes.away.clear()
        ready = [row.type for row in self.nodes._ready(A) if row.node == C]
        self.assertEqual(ready[0], HISTORY)
        shown = Shown(self.carol, self.chat)
        self.settle()
        self.assertEqual(shown.look(), ["new"])
        self.same(["new"])

    def test_own_node(self) -> None:
        """What one's own node has not confirmed to the hub yet it does not name among the others."""
        with patch.object(self.nodes[C].domain.turns, "turned", Deferred):
            self.switch(self.alice)
            self.nodes.settle()
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [C])
        self.assertEqual(self.info(self.bob, self.chat)["pending"], [C])
        self.assertEqual(self.info(self.carol, self.chat)["pending"], [])

    def test_restart(self) -> None:
        """A copy's node that is started anew before its keyring has turned signs when it is back."""
        self.nodes.away.add(C)
        self.switch(self.alice)
        self.nodes.away.clear()
        with patch.object(self.nodes[C].domain.turns, "turned", Deferred):
            self.nodes.settle()
        self.assertEqual(self.rows(self.nodes[C], "owed"), 1)
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [C])
        self.nodes.restart(C)
        world = self.nodes[C]
        self.successResultOf(world.domain.turns.turned())
        self.successResultOf(Deferred.fromCoroutine(world.domain.owed.give()))
        self.settle()
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [])

    def test_last_one_leaves(self) -> None:
        """A node whose last member leaves before it was told confirms it all the same."""
        self.nodes.away.add(C)
        self.switch(self.alice)
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [C])
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.of_chat(C, "chats"), 0)
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [])

    def test_killed_before_the_turn(self) -> None:
        """A copy was dropped, and its node is killed before the keyring has turned: it is confirmed then."""
        self.nodes.away.add(C)
        self.switch(self.alice)
        self.nodes.away.clear()
        with patch.object(self.nodes[C].domain.turns, "turned", Deferred):
            self.nodes.settle()
            self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
            self.nodes.settle()
            self.nodes[C].settle(60)
            self.nodes.settle()
        self.assertEqual((self.of_chat(C, "chats"), self.rows(self.nodes[C], "owed")), (0, 0))
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [C], "nothing is destroyed yet")
        self.nodes.restart(C)
        self.successResultOf(Deferred.fromCoroutine(self.nodes[C].domain.turns.if_due()))
        self.settle()
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [])

    def test_none_left(self) -> None:
        """Nor is anything left where the copy was gone before."""
        self.hold(C)
        self.come(self.carol, "group.leave", chat=self.chat)
        self.assertEqual(self.of_chat(C, "chats"), 0)
        self.come(self.amy, "chat.typing", chat=self.chat)
        across = group_lives.switched_off(self.record(A), 1, [C])
        self.assertEqual(across.awaited, (C,))
        told = {"life": across.life[0], "kept": False, "pending": [C]}
        self.hear(A, C, new_event(HISTORY, system_account(A), 1, told, ChatId(self.chat)))
        self.nodes[C].settle(60)
        [row] = [row for row in self.nodes.peers[C].waiting if row.type == ERASED]
        self.nodes.peers[C].waiting.remove(row)
        kind = self.nodes._kind(C, ERASED)
        event = self.nodes[C].database.now(lambda c: kind.build(c, row.pointer))
        assert event is not None
        self.assertEqual((event.chat, event.content["life"]), (self.chat, across.life[0]))
        self.release()

    def test_come_later(self) -> None:
        """Somebody of another node comes into a group that keeps no history, and has the same life of it."""
        self.come(self.carol, "group.leave", chat=self.chat)
        self.settle()
        self.switch(self.alice)
        self.alice.call("group.invite", chat=self.chat, accounts=[self.carol.account])
        self.settle()
        self.come(self.carol, "group.accept", chat=self.chat)
        self.settle()
        self.assertFalse(self.info(self.carol, self.chat)["history"])
        self.write(self.carol, "not kept")
        self.settle()
        self.assertEqual(self.texts(self.bob), ["not kept"])
        self.switch(self.alice, True)
        self.write(self.carol, "kept")
        self.switch(self.alice)
        self.settle()
        self.same([])


class MeanwhileTests(GroupHistoryCase):
    """What was on its way."""

    def test_waiting(self) -> None:
        """What waits to be told to a copy is told to nobody; of whatever kind."""
        self.hold(C)
        sent = self.write(self.bob, "secret three")
        page = self.bob.call("chat.history", chat=self.chat, limit=50)["messages"]
        self.edit(self.bob, sent["id"], "secret")
        self.come(self.bob, "message.react", chat=self.chat, message=page[0]["id"], emoji="👍")
        [newest] = self.alice.call("chat.history", chat=self.chat, limit=1)["messages"]
        self.come(self.alice, "chat.pin", chat=self.chat, message=newest["id"])
        shown = Shown(self.carol, self.chat)
        self.switch(self.alice)
        self.write(self.alice, "after")
        self.release()
        self.assertEqual(shown.look(), ["after"])
        self.assertEqual(self.texts(self.carol), ["after"])

    def test_post_of_before(self) -> None:
        """A post that waits is erased with the copy; its author's devices are told, and no text is left."""
        self.nodes.away.add(A)
        number = self.bob.ask("chat.send", **self.bob.message(self.chat, "secret post"))
        self.nodes[B].clock.advance(5)
        answer = self.bob.answer(number)
        assert answer is not None
        self.nodes.away.clear()
        tablet = self.nodes[B].login("bob")
        cursor = tablet.world.cursor
        tablet.drop()
        self.bob.take()
        self.nodes.peers[B].held.add(A)
        self.switch(self.alice)
        [told] = self.bob.take("chat.post")
        self.assertEqual((told["params"]["code"], told["params"]["post"]), ("history_erased", answer["id"]))
        self.assertIsNone(told["params"].get("message"))
        tablet.resume(cursor)
        [told] = tablet.take("chat.post")
        self.assertEqual(told["params"]["code"], "history_erased")
        self.nodes.peers[B].held.clear()
        self.settle()
        self.same([])
        page = self.bob.call("chat.history", chat=self.chat, limit=50)
        self.assertEqual(page.get("waiting", []), [])

    def test_post_under_way(self) -> None:
        """A post that reaches the hub behind the switch is refused there: it was written before."""
        self.nodes.away.add(A)
        self.bob.ask("chat.send", **self.bob.message(self.chat, "secret post"))
        kind = self.nodes._kind(B, "group.post")
        [row] = [row for row in self.nodes.peers[B].waiting if row.type == "group.post"]
        event = self.nodes[B].database.now(lambda c: kind.build(c, row.pointer))
        assert event is not None
        self.nodes.away.clear()
        self.hold(B)
        self.nodes.peers[B].held.add(A)
        self.switch(self.alice)
        self.hear(B, A, event)
        self.nodes.peers[B].held.clear()
        self.release()
        self.settle()
        self.same([])
        codes = [each["params"]["code"] for each in self.bob.take("chat.post") if each["params"].get("code")]
        self.assertEqual(codes, ["history_erased"])

    def test_message_under_way(self) -> None:
        """What a copy is told behind the switch, and was written before, comes to nothing."""
        kind, rows = self.nodes._kind(A, "group.message"), self.nodes.peers[A].waiting
        self.hold(C)
        self.write(self.bob, "secret three")
        [row] = [each for each in rows if each.type == "group.message" and each.node == C]
        event = self.nodes[A].database.now(lambda c: kind.build(c, row.pointer))
        assert event is not None
        self.switch(self.alice)
        self.release()
        self.carol.take()
        self.hear(A, C, event)
        self.assertEqual((self.texts(self.carol), self.carol.take()), ([], []))

    def test_later_life(self) -> None:
        """A copy that has not heard of the switch, and is told of what was written since, erases first."""
        self.hold(C)
        self.switch(self.alice)
        self.write(self.alice, "after")
        kind, rows = self.nodes._kind(A, "group.message"), self.nodes.peers[A].waiting
        row = [each for each in rows if each.type == "group.message" and each.node == C][-1]
        event = self.nodes[A].database.now(lambda c: kind.build(c, row.pointer))
        assert event is not None
        self.hear(A, C, event)
        self.assertEqual(self.texts(self.carol), ["after"])
        self.assertFalse(self.info(self.carol, self.chat)["history"])
        self.release()
        self.settle()
        self.same(["after"])


class ReceiptTests(GroupHistoryCase):
    """Nodes that lie."""

    def setUp(self) -> None:
        super().setUp()
        self.nodes.away.update((B, C))
        self.switch(self.alice)
        self.life = group_lives.life_of(self.record(A))

    def refusal(self, node: str, life: int, at: int | None = None, sender: str = "") -> str:
        now = int(self.nodes[A].clock.seconds() * 1000)
        told = {"life": life, "epoch": 1}
        by = sender or system_account(node)
        event = new_event(ERASED, by, now if at is None else at, told, ChatId(self.chat))  # type: ignore[arg-type]
        try:
            self.hear(node, A, event)
        except Problem as problem:
            return problem.code.code
        return ""

    def test_lies(self) -> None:
        """A receipt for what was not asked, of before, of the future, or by others: still pending."""
        now = int(self.nodes[A].clock.seconds() * 1000)
        asked = self.record(A).across.asked
        self.assertEqual(self.refusal(B, self.life + 1), "receipt_refused")
        self.assertEqual(self.refusal(B, 0), "receipt_refused")
        self.assertEqual(self.refusal(B, self.life, asked - 360_000), "receipt_refused")
        self.assertEqual(self.refusal(B, self.life, now + 360_000), "receipt_refused")
        self.assertEqual(self.refusal(B, self.life, sender=self.bob.account), "wrong_sender_node")
        self.assertEqual(self.refusal(B, self.life, sender=system_account(C)), "wrong_sender_node")
        self.assertEqual(self.refusal("d.example", self.life), "receipt_refused")
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [B, C])
        self.assertEqual(self.refusal(B, self.life - 1), "")
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [B, C], "of an earlier one")
        self.assertEqual(self.refusal(B, self.life), "")
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [C])
        self.nodes.away.clear()
        self.settle()

    def test_copies_are_told_by_the_hub_alone(self) -> None:
        """Another node cannot have a copy erased, nor the group at its hub."""
        told = {"life": self.life, "kept": False}
        event = new_event(HISTORY, system_account(C), 1, told, ChatId(self.chat))
        for at in (A, B):
            problem = self.assertRaises(Problem, self.hear, C, at, event)
            self.assertEqual(problem.code.code, "not_a_contact")
        self.assertEqual(len(self.texts(self.bob)), 2)
        self.nodes.away.clear()
        self.settle()

    def test_asked_again(self) -> None:
        """To disable it once more tells those who have not confirmed it."""
        for row in list(self.nodes.peers[A].waiting):
            self.nodes.peers[A].waiting.remove(row)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(len(self.texts(self.bob)), 2)
        self.switch(self.alice)
        self.settle()
        self.assertEqual(self.info(self.alice, self.chat)["pending"], [])
        self.assertEqual(self.texts(self.bob), [])
