"""Whatever two people do, and switch off and on, while their nodes are away at random: both see the same."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from tests import test_chats_across_convergence as chats
from tests.across_case import A, B, Person, befriend_across
from tests.history_across_case import settle
from tests.nodes import Nodes
from tests.world import Client, Refused

OPERATIONS = (
    *("send", "send", "reply", "edit", "delete", "react", "pin", "unpin", "read"),
    *("off", "off", "on", "away", "restart", "settle", "carry", "carry"),
)
REFUSED = ("message_gone", "message_not_kept", "not_yours", "too_many_pins", "rate_limited", "not_found")


class _Wiped(Person):
    """A person whose device wipes what is erased."""

    def __init__(self, client: Client, chat: str) -> None:
        super().__init__(client, chat)
        self.erased: str | None = None

    def take(self) -> None:
        for event in self.client.take():
            self.client.events.append(event)
            params = event["params"]
            if event["method"] == "chat.updated" and params["chat"]["chat"] == self.chat:
                if params["chat"]["erased"] != self.erased:
                    self.erased = params["chat"]["erased"]
                    self.messages.clear()
                self.client.events.clear()
            super().take()


class _Side(chats.Side):
    """What the node notes of itself is in another place at each node, so it is left out."""

    def __init__(self, client: Client, chat: str) -> None:
        super().__init__(client, chat)
        self.person: Person = _Wiped(client, chat)

    @property
    def page(self) -> list[dict[str, Any]]:
        return [message for message in super().page if message["body"]["kind"] != "notice"]


class HistoryConvergenceTests(chats.ConvergenceTests):
    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 1), st.sampled_from(OPERATIONS), st.integers(0, 9), st.integers(0, 2)),
            max_size=40,
        )
    )
    def test_converge(self, steps: list[tuple[int, str, int, int]]) -> None:
        """The same messages in the same state, of the same life; nothing that was erased is anywhere."""
        self.nodes = Nodes(A, B)
        alice, bob = self.nodes[A].register("alice"), self.nodes[B].register("bob")
        chat = befriend_across(alice, bob)
        self.sides = [_Side(alice, chat), _Side(bob, chat)]
        for who, operation, which, value in steps:
            try:
                self._step(self.sides[who], operation, which, value)
            except Refused as refused:
                self.assertIn(refused.code, REFUSED)
        self.nodes.away.clear()
        settle(self.nodes)
        self._check()
        for side in self.sides:
            listed = [each for each in side.client.call("chat.list")["chats"] if each["chat"] == chat]
            self.assertEqual([each["pending"] for each in listed], [[]] * len(listed))
            there = {message["id"] for message in chats.Side.page.fget(side)}  # type: ignore[attr-defined]
            self.assertLessEqual(set(side.person.messages), there, "this was erased")

    def _step(self, side: chats.Side, operation: str, which: int, value: int) -> None:
        if operation in ("off", "on"):
            number = side.client.ask("chat.history.set", chat=side.person.chat, enabled=operation == "on")
            side.client.answer(number)
            for world in self.nodes.worlds.values():
                world.settle(7)
        elif operation == "carry":  # one node tells what waits, and hears nothing
            if side.node not in self.nodes.away:
                self.nodes._carry(side.node)
        else:
            super()._step(side, operation, which, value)

    def _restart(self, side: chats.Side) -> None:
        super()._restart(side)
        domain = self.nodes[side.node].domain
        # As each start does.
        self.successResultOf(Deferred.fromCoroutine(domain.turns.if_due()))
        self.successResultOf(Deferred.fromCoroutine(domain.owed.give()))
