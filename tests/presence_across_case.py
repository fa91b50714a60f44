"""Who is there, at two nodes."""

from typing import Any

from safeum_home.ids import AccountId, system_account
from safeum_home.protocol.federation.events import new_event
from tests.nodes import say_now
from tests.nodes_case import A, B, TwoNodes
from tests.world import Client

STRANGER = "@" + "z" * 26


def stranger(number: int) -> str:
    """An account of Bob's node that nobody knows."""
    return "@" + f"{number:026d}".translate(str.maketrans("0123456789", "abcdefghij")) + ":" + B


class PresenceAcrossCase(TwoNodes):
    """Alice and Bob are contacts; Eve is at Bob's node, and a stranger to both."""

    def setUp(self) -> None:
        super().setUp()
        self.eve = self.nodes[B].register("eve")
        self.chat = self.befriend()
        self.nodes.now()
        self.clear()

    def clear(self) -> None:
        for client in (self.alice, self.bob, self.eve):
            client.take()
        self.nodes.told_now.clear()

    def states(self, client: Client) -> list[tuple[str, str]]:
        """The changes that a client was told of."""
        names = {each.account: name for name, each in (("a", self.alice), ("b", self.bob), ("e", self.eve))}
        told = [event["params"] for event in client.take("presence.changed")]
        return [(names[each["account"]], each["state"]) for one in told for each in one.get("changes", [])]

    def seen(self, client: Client, other: str) -> dict[str, Any]:
        found: dict[str, Any] = client.call("presence.get", accounts=[other])["presences"][0]
        return found

    def state(self, client: Client, other: Client) -> str:
        return str(self.seen(client, other.account)["state"])

    def types(self) -> list[str]:
        """Which types of events have passed."""
        return [event.type for _, _, event in self.nodes.told_now]

    def say(self, type: str, content: dict[str, Any], sender: str | None = None, **more: Any) -> bool:
        """What Bob's node says to Alice's; whether it was taken."""
        at = more.pop("at", self.now)
        event = new_event(type, AccountId(sender or system_account(B)), at, content, **more)
        return say_now(self.nodes, B, A, event)

    @property
    def now(self) -> int:
        return int(self.nodes[A].clock.seconds() * 1000)

    def says_presence(self, account: str, state: str = "online", **more: Any) -> bool:
        seen = {name: more.pop(name) for name in ("last_seen",) if name in more}
        presences = [{"account": account, "state": state, **seen}]
        return self.say("presence", {"presences": presences}, **more)
