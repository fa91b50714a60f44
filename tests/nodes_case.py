"""Two people at two nodes, or at one: what they do about each other, and how they see it."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.relation import Action
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, ChatId, direct_chat_id
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import new_event
from tests.nodes import Nodes
from tests.world import Client, Refused, World, contact

A, B = "a.example", "b.example"


def state(owner: Client, other: Client) -> str:
    """How somebody's list has the other one."""
    try:
        return str(contact(owner, other)["state"])
    except LookupError:
        return "none"


def act(action: Action, who: Client, other: Client) -> str | None:
    """Let somebody do something; the code where it is refused."""
    more = {"address": other.address} if action is Action.REQUEST else {}
    try:
        who.call(f"contact.{action.value}", account=other.account, **more)
    except Refused as refused:
        return refused.code
    return None


def seen(client: Client) -> list[Any]:
    """The states that a device was told of, in order, without those that say nothing new."""
    told = [event["params"]["contact"]["state"] for event in client.take("contact.changed")]
    return [each for place, each in enumerate(told) if place == 0 or each != told[place - 1]]


class TwoNodes(SynchronousTestCase):
    """Alice at one node, Bob at another."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B)
        self.alice, self.bob = self.nodes[A].register("alice"), self.nodes[B].register("bob")

    def befriend(self) -> str:
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.nodes.settle()
        self.bob.call("contact.accept", account=self.alice.account)
        self.nodes.settle()
        self.alice.take()
        self.bob.take()
        return str(contact(self.alice, self.bob)["chat"])

    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    def says(self, kind: str, sender: str, content: dict[str, Any], node: str = B) -> str | None:
        """What comes of an event that `node` sends to Alice's: the code where it is refused."""
        world = self.nodes[A]
        shared = next(each for each in world.domain.shared if each.type == kind)
        done: list[Any] = []
        event = new_event(kind, sender, 0, content)  # type: ignore[arg-type]  # it is an account's id
        Deferred.fromCoroutine(shared.apply(node, event)).addBoth(done.append)
        if not isinstance(done[0], Applied):
            self.assertIsInstance(done[0].value, Problem)
            return str(done[0].value.code.value.code)
        stored: list[Any] = []
        done[0].placed()
        world.database.transact(done[0].store).addBoth(stored.append)
        done[0].ended()
        return None if stored == [None] else str(stored[0].value.code.value.code)


def contact_chat(who: Client, other: Client) -> ChatId:
    """The direct chat of two."""
    return direct_chat_id(AccountId(who.account), AccountId(other.account))


def may_write(world: World, who: Client, other: Client) -> bool:
    """Whether a node lets `who` write to `other`."""
    opened: list[Any] = []
    world.domain.registry.load(contact_chat(who, other)).addCallback(opened.append)
    return opened[0] is not None and AccountId(who.account) in opened[0].writers
