"""Direct chats across nodes: what crosses, what was erased, what is not told, and what is refused."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from safeum_home.chats.across.telling import Telling, ToldEvent
from safeum_home.errors import Code, Problem
from safeum_home.ids import ChatId
from safeum_home.ports.federation import Noted
from safeum_home.storage import erasure
from safeum_home.storage.rows import NewEvent
from tests.across_case import A, AcrossCase, B, consent
from tests.world import Client, Refused


class NotingTests(AcrossCase):
    """What is told, and what is not."""

    def setUp(self) -> None:
        super().setUp()
        self.noted: dict[str, list[str]] = {}
        for name, peer in self.nodes.peers.items():
            self._watch(peer, self.noted.setdefault(name, []))

    def _watch(self, peer: Any, noted: list[str]) -> None:
        note = peer.note

        def watched(c: Connection, rows: Sequence[Noted]) -> None:
            noted.extend(row.type for row in rows)
            note(c, rows)

        peer.note = watched

    def test_once(self) -> None:
        """A message that is sent again, and a marker that does not move, are not told again."""
        params = self.alice.message(self.chat, "hi", "1")
        sent = self.alice.call("chat.send", **params)
        self.assertEqual(self.alice.call("chat.send", **params), sent)
        answer = self.alice.message(self.chat, "ho", "2") | {"reply_to": sent["id"]}
        self.assertEqual(self.alice.call("chat.send", **answer), self.alice.call("chat.send", **answer))
        self.assertEqual(self.noted, {A: ["chat.message"] * 2, B: []})
        self.settle()
        newest = self.page(self.bob)[-1]["id"]
        self.settle()
        for _ in range(3):
            self.bob.call("chat.read", chat=self.chat, upto=newest)
        self.assertEqual(self.noted[B], ["chat.marker"] * 2)

    def test_no_echo(self) -> None:
        """What came from another node is not told back to it."""
        sent = self.write(self.alice, "hi")
        self.settle()
        self.edit(self.alice, sent, "ho")
        self.react(self.alice, sent, "👍")
        self.settle()
        self.delete(self.alice, sent)
        self.settle()
        self.assertEqual(self.noted[B], [])

    def test_local(self) -> None:
        """Of chats within a node nobody is told."""
        carol = self.nodes[A].register("carol")
        self.chat = self.nodes[A].befriend(self.alice, carol)
        sent = self.write(self.alice, "hi")
        self.edit(self.alice, sent, "ho")
        self.react(carol, sent, "👍")
        carol.call("chat.read", chat=self.chat, upto=sent)
        self.delete(self.alice, sent)
        self.settle()
        self.assertEqual(self.noted[A], [])


class BehindTests(AcrossCase):
    """Too much waits for another node."""

    def setUp(self) -> None:
        super().setUp()
        self.peers = self.nodes.peers[A]
        self.noted: list[int] = []
        note = self.peers.note

        def watched(c: Connection, rows: Sequence[Noted]) -> None:
            self.noted.append(len(rows))
            note(c, rows)

        self.peers.note = watched  # type: ignore[method-assign]

    def send(self, *texts: str) -> list[str]:
        """All in one commit; with which codes they are refused, "" for those that are not."""
        database = self.alice.world.database
        database.hold = True
        asked = [self.alice.ask("chat.send", **self.alice.message(self.chat, text, text)) for text in texts]
        database.release()
        database.hold = False
        return [self.code(number) for number in asked]

    def code(self, number: int) -> str:
        try:
            assert self.alice.answer(number)
        except Refused as refused:
            return refused.code
        return ""

    def test_counted_together(self) -> None:
        """As many as there is room for are stored, and told, together; the rest is refused."""
        self.peers.most[B] = 3
        self.assertEqual(self.send(*"abcde"), ["", "", "", "peer_behind", "peer_behind"])
        self.assertEqual(self.noted, [3])
        self.peers.most[B] = 0
        self.noted.clear()
        # What was stored before is answered as it was.
        self.assertEqual(self.send(*"axb"), ["", "peer_behind", ""])
        self.assertEqual(sum(self.noted), 0)
        self.peers.most[B] = 10
        self.settle()
        self.assertEqual(self.bob.history(self.chat), ["a", "b", "c"])
        self.assertEqual(self.alice.history(self.chat), ["a", "b", "c"])

    def test_one(self) -> None:
        """A message that is stored by itself is refused as well, and nothing of it is there."""
        sent = self.write(self.alice, "hi")
        self.peers.most[B] = 0
        params = self.alice.message(self.chat, "ho", "2") | {"reply_to": sent}
        with self.assertRaises(Refused) as refused:
            self.alice.call("chat.send", **params)
        self.assertEqual(refused.exception.code, "peer_behind")
        self.assertEqual(self.alice.history(self.chat), ["hi"])
        # So that what is stored with it is undone.
        row = ToldEvent(NewEvent(bytes(16), 1, b"", bytes(16)), (B,))
        with self.assertRaises(Problem):
            self.alice.world.database.now(
                lambda c: Telling(self.peers, self.alice.world.vault.blinder).append_one(c, row)
            )
        self.peers.most[B] = 1
        self.alice.call("chat.send", **params)
        self.assertEqual(self.alice.history(self.chat), ["hi", "ho"])


class CrossingTests(AcrossCase):
    """What both do at once."""

    def setUp(self) -> None:
        super().setUp()
        self.sent = self.write(self.alice, "hi")
        self.settle()
        [self.copy] = [message["id"] for message in self.bob.messages()]
        self.nodes.away.add(B)

    def meet(self) -> None:
        self.nodes.away.clear()
        self.settle()

    def test_reaction_and_deletion(self) -> None:
        """Who reacts to what is deleted meanwhile has reacted to nothing."""
        self.delete(self.alice, self.sent)
        self.react(self.bob, self.copy, "👍")
        self.meet()
        for client in (self.alice, self.bob):
            [message] = self.page(client)
            self.assertEqual(message["body"]["kind"], "deleted")
            self.assertNotIn("reactions", message)

    def test_deletion_and_reaction(self) -> None:
        """The same where the reaction comes to the node of the author, who has deleted it."""
        sent = self.write(self.bob, "ho")
        self.meet()
        copy = self.page(self.alice)[-1]["id"]
        self.nodes.away.add(B)
        self.react(self.alice, copy, "👍")
        self.delete(self.bob, sent)
        self.meet()
        for client in (self.alice, self.bob):
            message = self.page(client)[-1]
            self.assertEqual(message["body"]["kind"], "deleted")
            self.assertNotIn("reactions", message)

    def test_reactions(self) -> None:
        """Both react: both count, at both nodes."""
        self.react(self.alice, self.sent, "👍")
        self.react(self.bob, self.copy, "👍")
        self.meet()
        for client in (self.alice, self.bob):
            self.assertEqual(self.page(client)[0]["reactions"], [{"emoji": "👍", "count": 2}])
            self.assertEqual(self.page(client)[0]["mine"], "👍")

    def test_reaction_and_edit(self) -> None:
        """An edit leaves the reactions that it did not know of."""
        self.edit(self.alice, self.sent, "ho")
        self.react(self.bob, self.copy, "👍")
        self.meet()
        for client in (self.alice, self.bob):
            self.assertEqual(self.page(client)[0]["body"]["text"], "ho")
            self.assertEqual(self.page(client)[0]["reactions"], [{"emoji": "👍", "count": 1}])

    def test_pins(self) -> None:
        """Of what both have pinned at once the later state counts, at both nodes; then each adds to it."""
        self.nodes[B].clock.advance(1)
        self.pin(self.bob, self.copy)
        other = self.write(self.alice, "ho")
        self.pin(self.alice, other)
        self.meet()
        self.assertEqual(self.pinned(self.alice), [self.sent])
        self.assertEqual(self.pinned(self.bob), [self.copy])
        self.pin(self.alice, other)  # at a time that is earlier by her node's clock
        self.meet()
        self.assertEqual(self.pinned(self.alice), [self.sent, other])
        self.assertEqual(self.pinned(self.bob), [self.copy, self.page(self.bob)[-1]["id"]])

    def test_pins_of_new_messages(self) -> None:
        """Pins that wait are told behind the messages that they are of, once."""
        self.pin(self.alice, self.sent)
        new = self.write(self.alice, "new")
        self.pin(self.alice, new)
        self.meet()
        self.assertEqual(self.pinned(self.alice), [self.sent, new])
        self.assertEqual(self.pinned(self.bob), [self.copy, self.page(self.bob)[-1]["id"]])
        self.assertEqual(len(self.bob.take("chat.updated")), 1)

    def test_pin_and_deletion(self) -> None:
        """What is deleted meanwhile is not pinned."""
        self.pin(self.alice, self.sent)
        mine = self.write(self.bob, "mine")
        self.meet()
        copy = self.page(self.alice)[-1]["id"]
        self.nodes.away.add(B)
        self.pin(self.alice, copy)
        self.delete(self.bob, mine)
        self.meet()
        self.assertEqual(self.pinned(self.alice), [self.sent])
        self.assertEqual(self.pinned(self.bob), [self.copy])

    def test_answer_to_deleted(self) -> None:
        """An answer to what is deleted meanwhile answers its stub."""
        self.delete(self.alice, self.sent)
        self.write(self.bob, "what?", reply_to=self.copy)
        self.meet()
        self.assertEqual(self.page(self.alice)[-1]["reply_to"], self.sent)


class ErasedTests(AcrossCase):
    """What one of the nodes has erased."""

    def setUp(self) -> None:
        super().setUp()
        self.sent = self.write(self.alice, "hi")
        self.settle()
        [self.copy] = [message["id"] for message in self.bob.messages()]

    def _erase(self, client: Client, message: str) -> None:
        world = client.world
        chat = world.vault.blinder.chat(ChatId(self.chat))
        position = world.vault.cursors.decode(message)
        world.database.transact(lambda c: erasure.drop_messages(c, chat, [position], 1, 1, [bytes(16)]))

    def test_copy(self) -> None:
        """A copy that was erased does not come back with an edit; the rest goes on."""
        self._erase(self.bob, self.copy)
        self.edit(self.alice, self.sent, "ho")
        self.write(self.alice, "again", reply_to=self.sent)
        self.settle()
        [message] = self.page(self.bob)
        self.assertEqual(message["body"]["text"], "again")
        self.assertNotIn("reply_to", message)
        self.delete(self.alice, self.sent)
        self.settle()
        self.assertEqual(len(self.page(self.bob)), 1)

    def test_original(self) -> None:
        """What is said of a message that its own node has erased is set aside, and holds up nothing."""
        self._erase(self.alice, self.sent)
        self.react(self.bob, self.copy, "👍")
        self.bob.call("chat.read", chat=self.chat, upto=self.copy)
        self.write(self.bob, "ho", reply_to=self.copy)
        self.settle()
        [message] = self.page(self.alice)
        self.assertNotIn("reply_to", message)
        refused = self.nodes.peers[B].refused
        self.assertEqual({problem.code for _, problem in refused}, {Code.MESSAGE_GONE})
        self.assertEqual({row.type for row, _ in refused}, {"chat.reaction", "chat.marker"})
        refused.clear()

    def test_before_it_was_told(self) -> None:
        """What was erased while it waited is told to nobody."""
        self.nodes.away.add(B)
        sent = self.write(self.alice, "secret")
        self._erase(self.alice, sent)
        self.write(self.alice, "after")
        self.nodes.away.clear()
        self.settle()
        self.assertEqual([words for _, words in self.shown(self.bob)], ["hi", "after"])

    def test_chat(self) -> None:
        """Of a chat that was erased as a whole nothing is told, whatever waits."""
        self.nodes.away.add(B)
        self.write(self.alice, "secret")
        self.edit(self.alice, self.sent, "ho")
        self.react(self.alice, self.sent, "👍")
        self.pin(self.alice, self.sent)
        self.alice.call("chat.read", chat=self.chat, upto=self.sent)
        self.delete(self.alice, self.sent)
        world = self.alice.world
        blind = world.vault.blinder.chat(ChatId(self.chat))
        self.assertEqual(len(self.nodes.peers[A].waiting), 6)
        world.database.transact(lambda c: erasure.erase_chat(c, blind, 1))
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.nodes.peers[A].waiting, [])
        self.assertEqual([words for _, words in self.shown(self.bob)], ["hi"])


class RefusedTests(AcrossCase):
    """What cannot be done in such a chat, for now."""

    def test_not_reached(self) -> None:
        """Where this node has to do with the other one no more, that is said; what was sent stays sent."""
        params = self.alice.message(self.chat, "hi", "1")
        sent = self.alice.call("chat.send", **params)
        self.settle()
        self.nodes.peers[A].reaches = lambda node: False  # type: ignore[method-assign]
        self.assertEqual(self.alice.call("chat.send", **params), sent)
        for more in ({}, {"mentions": [self.bob.account]}):
            params = self.alice.message(self.chat, "ho") | more
            refused = self.assertRaises(Refused, self.alice.call, "chat.send", **params)
            self.assertEqual(refused.code, "federation_refused")
        self.assertEqual(len(self.page(self.alice)), 1)

    def test_not_a_contact(self) -> None:
        """Who is not in the other's list is told so at home, and nothing is sent."""
        consent(self.alice, self.bob, False)
        refused = self.assertRaises(Refused, self.alice.write, self.chat, "hi")
        self.assertEqual(refused.code, "not_a_contact")
        self.assertEqual(self.nodes.peers[A].waiting, [])
