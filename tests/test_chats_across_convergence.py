"""Whatever two people do while their nodes are away at random: afterwards both see the same."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.across_case import A, B, Person, befriend_across
from tests.nodes import Nodes
from tests.world import Client, Refused

EMOJI = ("👍", "🎉", None)
OPERATIONS = (
    *("send", "reply", "edit", "delete", "react", "pin", "unpin", "ack", "read"),
    *("away", "restart", "settle"),
)


class Side:
    """One person with a device that is connected all the time."""

    def __init__(self, client: Client, chat: str) -> None:
        self.client = client
        self.person = Person(client, chat)
        self.node = client.account.partition(":")[2]

    @property
    def page(self) -> list[dict[str, Any]]:
        return list(self.client.call("chat.history", chat=self.person.chat)["messages"])

    def key(self, message: dict[str, Any]) -> tuple[str, str]:
        """What names a message at both nodes."""
        return message["sender"].partition(":")[2], message.get("origin", message["id"])

    def seen(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The messages as the node holds them, without what is of this node alone."""
        page = self.page
        names = {message["id"]: self.key(message) for message in page}
        found = {}
        for message in page:
            shown = {k: v for k, v in message.items() if k not in ("id", "origin", "mine")}
            if "reply_to" in shown:
                shown["reply_to"] = names[shown["reply_to"]]
            if "reactions" in shown:
                shown["reactions"] = {each["emoji"]: each["count"] for each in shown["reactions"]}
                asked = {"chat": self.person.chat, "message": message["id"]}
                who = self.client.call("message.reactions", **asked)["reactions"]
                shown["who"] = {each["account"]: each["emoji"] for each in who}
            found[self.key(message)] = shown
        return found

    def pinned(self) -> list[tuple[str, str]]:
        found = self.client.call("chat.pinned", chat=self.person.chat)["messages"]
        return [self.key(message) for message in found]

    def order(self, sender: str) -> list[tuple[str, str]]:
        return [self.key(message) for message in self.page if message["sender"] == sender]

    def covered(self, reader: str, writer: str, which: str) -> list[tuple[str, str]]:
        """What of `writer` the node holds to be delivered to `reader`, or read by it."""
        world = self.client.world
        blind = world.vault.blinder.account(reader)  # type: ignore[arg-type]  # it is one
        row = world.database.now(
            lambda c: c.exec_driver_sql(
                f"SELECT {which} FROM members WHERE account = ? AND chat = ?",
                (blind, world.vault.blinder.chat(self.person.chat)),  # type: ignore[arg-type]
            ).scalar_one()
        )
        decode = world.vault.cursors.decode
        return [self.key(m) for m in self.page if m["sender"] == writer and decode(m["id"]) <= row]


class ConvergenceTests(SynchronousTestCase):
    """Two people, two nodes."""

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 1), st.sampled_from(OPERATIONS), st.integers(0, 9), st.integers(0, 2)),
            max_size=40,
        )
    )
    def test_converge(self, steps: list[tuple[int, str, int, int]]) -> None:
        """The same messages in the same state, each sender's in order, and receipts that cover the same."""
        self.nodes = Nodes(A, B)
        alice, bob = self.nodes[A].register("alice"), self.nodes[B].register("bob")
        chat = befriend_across(alice, bob)
        self.sides = [Side(alice, chat), Side(bob, chat)]
        for who, operation, which, value in steps:
            try:
                self._step(self.sides[who], operation, which, value)
            except Refused as refused:
                self.assertIn(refused.code, ("message_gone", "not_yours", "too_many_pins"))
        self.nodes.away.clear()
        self.nodes.settle()
        self._check()

    def _step(self, side: Side, operation: str, which: int, value: int) -> None:
        client, chat, page = side.client, side.person.chat, side.page
        about = {"chat": chat, "message": page[which % len(page)]["id"]} if page else {}
        if operation in ("send", "reply"):
            params = client.message(chat, f"{which}{value}")
            if operation == "reply" and page:
                params["reply_to"] = about["message"]
            client.call("chat.send", **params)
        elif operation == "away":
            self.nodes.away ^= {side.node}
        elif operation == "settle":
            self.nodes.settle()
        elif operation == "restart":
            self._restart(side)
        elif not page:
            return
        elif operation == "edit":
            client.call("message.edit", **about, body={"kind": "text", "text": f"edited {which}{value}"})
        elif operation == "delete":
            client.call("message.delete", **about)
        elif operation == "react":
            client.call("message.react", **about, emoji=EMOJI[value])
        elif operation in ("pin", "unpin"):
            client.call(f"chat.{operation}", **about)
        elif operation == "ack":
            client.notify("session.ack", cursor=about["message"])
            client.world.settle()
        else:
            client.call("chat.read", chat=chat, upto=about["message"])

    def _restart(self, side: Side) -> None:
        side.person.take()
        before = side.client
        since = before.world.cursor
        self.nodes.restart(side.node)
        side.client = Client(self.nodes[side.node])
        side.client.account, side.client.token = before.account, before.token
        side.client.opened(side.client.call("session.resume", token=before.token, since=since))
        side.person.client = side.client

    def _check(self) -> None:
        a, b = self.sides
        for peer in self.nodes.peers.values():
            self.assertEqual([(row.type, problem) for row, problem in peer.refused], [])
            self.assertEqual(peer.waiting, [])
        seen = a.seen()
        self.assertEqual(seen, b.seen())
        self.assertEqual(a.pinned(), b.pinned())
        for side in self.sides:
            sender = side.client.account
            self.assertEqual(a.order(sender), b.order(sender))
        for reader, writer in ((a, b), (b, a)):
            for which in ("read", "delivered"):
                one, other = (
                    side.covered(reader.client.account, writer.client.account, which) for side in self.sides
                )
                self.assertEqual(one, other, which)
        for side in self.sides:
            side.person.take()
            shown = {id: message["body"] for id, message in side.person.messages.items()}
            own = {m["id"]: m["body"] for m in side.page if m["sender"] == side.client.account}
            others = {m["id"]: m["body"] for m in side.page if m["id"] not in own}
            self.assertEqual({id: shown.get(id) for id in others}, others)
