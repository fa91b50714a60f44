"""Disabling the history of a group at three nodes: what is gone, told, confirmed, and when."""

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.chats.groups import lives as group_lives
from safeum_home.errors import Problem
from safeum_home.ids import ChatId, system_account
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.groups import ERASED, HISTORY
from tests.groups_across_case import A, B, C, GroupsAcrossCase
from tests.history_across_case import Shown, settle
from tests.world import Client


class GroupHistoryCase(GroupsAcrossCase):
    """A group of Alice's, with somebody at each node, who have said something."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.amy, self.bob, self.carol)
        self.members = (self.alice, self.amy, self.bob, self.carol)
        self.write(self.alice, "secret of hers")
        self.write(self.bob, "secret of his")
        for client in self.everybody:
            client.take()

    def settle(self) -> None:
        settle(self.nodes)

    def write(self, client: Client, words: str) -> dict[str, Any]:
        return self.come(client, "chat.send", **client.message(self.chat, words))

    def switch(self, client: Client, enabled: bool = False) -> dict[str, Any]:
        return self.come(client, "chat.history.set", chat=self.chat, enabled=enabled)

    def texts(self, client: Client) -> list[str]:
        return client.history(self.chat)

    def edit(self, client: Client, message: str, words: str) -> None:
        body = {"kind": "text", "text": words}
        self.come(client, "message.edit", chat=self.chat, message=message, body=body)

    def record(self, node: str) -> Any:
        opened: list[Any] = []
        self.nodes[node].domain.registry.load(ChatId(self.chat)).addCallback(opened.append)
        return opened[0].record

    def same(self, texts: list[str], pending: list[str] | None = None) -> None:
        """All members see this, and know who has not confirmed."""
        for client in self.members:
            self.assertEqual(self.texts(client), texts, client.address)
            self.assertEqual(self.info(client, self.chat)["pending"], pending or [], client.address)

    def hear(self, node: str, at: str, event: Event) -> None:
        """A node takes what another one tells."""
        kind = next(each for each in self.nodes[at].domain.shared if each.type == event.type)
        self.nodes._apply(self.nodes[at], kind, kind.apply(node, event))


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


class FleetingTests(GroupHistoryCase):
    """While it is off."""

    def setUp(self) -> None:
        super().setUp()
        for name in (A, B, C):
            self.nodes[name].domain.fleeting.start()
            self.addCleanup(self.nodes[name].domain.fleeting.stop)
        self.switch(self.alice)
        for client in self.members:
            client.take()

    def acknowledge(self) -> None:
        for client in self.members:
            client.call("session.ack", cursor=client.world.cursor)
        self.settle()
        for world in self.nodes.worlds.values():
            world.settle(70)

    def test_delivered(self) -> None:
        """At the hub until every node has it and its own devices hold it, at copies until those do."""
        self.nodes.away.add(C)
        self.write(self.alice, "one")
        self.write(self.bob, "two")
        self.assertEqual(self.texts(self.bob), ["one", "two"])
        self.acknowledge()
        self.assertEqual(self.texts(self.bob), [])
        self.assertEqual(self.of_chat(A, "spool"), 2, "one node has not taken them")
        self.assertEqual(self.of_chat(B, "spool"), 0)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.texts(self.carol), ["one", "two"])
        self.acknowledge()
        for node in (A, B, C):
            self.assertEqual(self.of_chat(node, "spool"), 0, node)
            self.assertEqual(self.of_chat(node, "passed_on"), 0, node)
            self.assertEqual(self.rows(self.nodes[node], "fleeting_keys"), 0, node)

    def test_week(self) -> None:
        """Seven days at the most, whoever is away."""
        self.nodes.away.add(C)
        self.write(self.bob, "one")
        for world in self.nodes.worlds.values():
            world.settle(7 * 24 * 3600)
            world.settle(3600)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.texts(self.carol), [])
        for node in (A, B):
            self.assertEqual(self.of_chat(node, "spool"), 0, node)

    def test_changes(self) -> None:
        """Edits, reactions and deletions work while it lives; the events of others go with it."""
        sent = self.write(self.bob, "one")
        self.edit(self.bob, sent["id"], "two")
        page = self.carol.call("chat.history", chat=self.chat, limit=1)["messages"]
        self.come(self.carol, "message.react", chat=self.chat, message=page[0]["id"], emoji="👍")
        self.settle()
        self.same(["two"])
        self.assertEqual(self.of_chat(A, "passed_on"), 2)
        self.acknowledge()
        self.assertEqual(self.of_chat(A, "passed_on"), 0)

    def test_post_waits(self) -> None:
        """A post that waits has a key of its own, which goes with it."""
        before = self.rows(self.nodes[B], "fleeting_keys")
        self.nodes.away.add(A)
        self.bob.ask("chat.send", **self.bob.message(self.chat, "one"))
        self.nodes[B].clock.advance(5)
        self.assertEqual(self.rows(self.nodes[B], "fleeting_keys"), before + 1)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.texts(self.carol), ["one"])
        self.acknowledge()
        self.assertEqual(self.rows(self.nodes[B], "fleeting_keys"), 0)

    def test_post_waits_for_a_week(self) -> None:
        """A post of such a group waits for seven days at the most; nothing of it is left, and it is told."""
        self.nodes.away.add(A)
        self.bob.ask("chat.send", **self.bob.message(self.chat, "one"))
        self.nodes[B].settle(6 * 24 * 3600)
        self.assertEqual(self.bob.take("chat.post"), [])
        self.nodes[B].settle(24 * 3600)
        self.nodes[B].settle(3600)
        [told] = self.bob.take("chat.post")
        self.assertEqual(told["params"]["code"], "not_taken")
        self.assertEqual(self.rows(self.nodes[B], "fleeting_keys"), 0)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.texts(self.alice), [])


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
