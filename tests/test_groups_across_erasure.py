"""What is left in the tables of three nodes of a group's history that was switched off, and of a copy."""

from typing import Any

from sqlalchemy import Connection

from safeum_home.ids import ChatId
from safeum_home.protocol.federation.group_posts import POST
from safeum_home.storage.keys import FLEETING, LASTING
from tests.group_history_case import GroupHistoryCase
from tests.groups_across_case import A, B, C


class LeftCase(GroupHistoryCase):
    def react(self, client: Any, emoji: str) -> None:
        """To the newest message."""
        [newest] = client.call("chat.history", chat=self.chat, limit=1)["messages"]
        self.come(client, "message.react", chat=self.chat, message=newest["id"], emoji=emoji)

    def post(self, words: str = "secret post") -> None:
        """Bob writes what his node cannot tell the hub."""
        self.nodes.peers[B].held.add(A)
        self.bob.ask("chat.send", **self.bob.message(self.chat, words))
        self.nodes[B].clock.advance(5)

    def left(self, node: str) -> dict[str, int]:
        """How many rows of tables are of the group; and of `dedupe`, those that recognise what is nowhere."""
        world = self.nodes[node]
        blind = world.vault.blinder.chat(ChatId(self.chat))

        def count(c: Connection) -> dict[str, int]:
            tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
            names = [name for (name,) in c.exec_driver_sql(tables)]
            rows = {name: c.exec_driver_sql(f"SELECT * FROM {name}").fetchall() for name in names}
            found = {
                name: len([row for row in every if any(isinstance(v, bytes) and blind in v for v in row)])
                for name, every in rows.items()
            }
            places = "SELECT position FROM events UNION SELECT position FROM posts"
            stray = f"SELECT count(*) FROM dedupe WHERE gone IS NULL AND position NOT IN ({places})"
            found["dedupe"] = int(c.exec_driver_sql(stray).scalar_one())
            return {name: rows for name, rows in found.items() if rows}

        return world.database.now(count)

    def told(self, node: str, of: str) -> list[str]:
        """What waits at a node for another one, of messages."""
        types = ("group.message", "group.change", "group.reaction", "group.pins", POST)
        return [row.type for row in self.nodes.peers[node].waiting if row.node == of and row.type in types]

    def epochs(self, node: str) -> tuple[int, int]:
        """Up to which epochs the keyrings have to be turned away."""
        found = self.nodes[node].database.now(lambda c: [k.erased_epoch(c) for k in (LASTING, FLEETING)])
        return found[0] or 0, found[1] or 0


GROUP = {"keys": 1, "chats": 1, "members": 4, "roster": 4}
NOTICE = {"events": 1, "spool": 1}


class SwitchedOffTests(LeftCase):
    def test_left(self) -> None:
        """The group, and the notice: of what was written there are no rows, nor does any of it wait."""
        sent = self.write(self.bob, "secret three")
        self.edit(self.bob, sent["id"], "secret")
        self.react(self.carol, "👍")
        self.hold(C)
        self.write(self.bob, "secret four")
        self.react(self.bob, "👍")
        [newest] = self.alice.call("chat.history", chat=self.chat, limit=1)["messages"]
        self.come(self.alice, "chat.pin", chat=self.chat, message=newest["id"])
        self.edit(self.bob, sent["id"], "secret still")
        self.post()
        self.assertEqual(
            sorted(set(self.told(A, C))), ["group.change", "group.message", "group.pins", "group.reaction"]
        )
        before = self.left(A)
        self.assertEqual([name in before for name in ("passed_on", "reactions", "changes")], [True] * 3)
        self.assertEqual((self.left(B)["posts"], self.told(B, A)), (1, [POST]))
        self.switch(self.alice)
        self.assertEqual(self.told(A, C), ["group.message"], "the notice")
        self.assertEqual(self.left(A), GROUP | NOTICE | {"group_nodes": 2})
        self.assertEqual(self.told(B, A), [])
        # What was refused is kept for a week, without what it said.
        self.assertEqual(self.left(B), GROUP | NOTICE | {"posts": 1})
        self.nodes.peers[B].held.clear()
        self.release()
        self.assertEqual(self.left(C), GROUP | NOTICE)
        for world in self.nodes.worlds.values():
            world.settle(8 * 24 * 3600)
        self.write(self.bob, "after")
        self.assertNotIn("posts", self.left(B))
        self.assertNotIn("dedupe", self.left(B))

    def test_what_comes_after(self) -> None:
        """What is written since waits, and is told."""
        self.hold(C)
        self.write(self.alice, "secret three")
        self.switch(self.alice)
        self.switch(self.alice, True)
        self.write(self.alice, "after")
        self.assertEqual(len(self.told(A, C)), 3)
        self.release()
        self.assertEqual(self.texts(self.carol), ["after"])


class CopyTests(LeftCase):
    def test_node_without_members(self) -> None:
        """What waits for a copy does so no more when the last one there has left."""
        self.hold(C)
        self.write(self.alice, "secret three")
        self.assertEqual(self.told(A, C), ["group.message"])
        self.alice.call("group.remove", chat=self.chat, account=self.carol.account)
        self.assertEqual(self.told(A, C), [])
        self.release()
        self.assertEqual(self.left(C), {})

    def test_post_waits(self) -> None:
        """A post that waits is gone with the copy, and the key that it had for itself."""
        for enabled in (False, True):
            if enabled:
                self.chat = self.group(self.bob, name="Talks")
            else:
                self.switch(self.alice)
            self.post()
            self.assertEqual(self.told(B, A), [POST])
            keys, (lasting, fleeting) = self.rows(self.nodes[B], "fleeting_keys"), self.epochs(B)
            of_messages = self.of_chat(B, "spool")
            self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
            self.settle()
            self.assertEqual((self.left(B), self.told(B, A)), ({}, []))
            self.assertEqual(
                self.rows(self.nodes[B], "fleeting_keys"), keys - of_messages - (0 if enabled else 1)
            )
            self.assertGreater(self.epochs(B)[0], lasting)
            if not enabled:
                self.assertGreater(self.epochs(B)[1], fleeting)
            self.nodes.peers[B].held.clear()
            self.settle()

    def test_nothing_is_kept(self) -> None:
        """The keyring turns for a copy in which no message is left: its name, and who was in it."""
        self.switch(self.alice)
        for name in (A, B, C):
            self.nodes[name].domain.fleeting.start()
            self.addCleanup(self.nodes[name].domain.fleeting.stop)
        for client in self.members:
            client.call("session.ack", cursor=client.world.cursor)
        self.settle()
        for world in self.nodes.worlds.values():
            world.settle(70)
        self.assertEqual(self.events(B), 0)
        before, _ = self.epochs(B)
        self.come(self.bob, "group.leave", chat=self.chat)
        self.assertEqual(self.left(B), {})
        self.assertGreater(self.epochs(B)[0], before)
