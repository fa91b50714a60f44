"""A node that lies about messages."""

from typing import Any

from tests.across_case import A, AcrossCase, B, befriend_across
from tests.world import Client

STUB = {"kind": "deleted", "at": 1}


class HostileCase(AcrossCase):
    """The node of Bob tells that of Alice what it likes. Carol is at Bob's node, a friend of Alice too."""

    def setUp(self) -> None:
        super().setUp()
        self.carol = self.nodes[B].register("carol")
        self.other = befriend_across(self.alice, self.carol)
        self.alice.take()

    def own(self, words: str = "mine") -> dict[str, str]:
        """What names a message of Alice that Bob's node knows."""
        sent = self.write(self.alice, words)
        self.alice.take()
        return {"node": A, "id": sent}

    def heard(self, id: str = "m1", words: str = "hi", **changed: Any) -> None:
        """A message that Alice has got."""
        self.hear(B, self.event("chat.message", self.message(words), id, **changed))
        self.alice.take()


def remove(owner: Client, foreign: Client) -> None:
    """`foreign` is in the list of `owner` no more."""
    blinder, registry = owner.world.vault.blinder, owner.world.domain.registry
    chat: Any = None
    for entry in owner.call("contact.list", limit=50)["contacts"]:
        if entry["account"] == foreign.account:
            chat = entry["chat"]
    registry.changing(chat)
    owner.world.database.execute(
        "UPDATE contacts SET state = 0 WHERE owner = ? AND peer = ?",
        blinder.account(owner.account),  # type: ignore[arg-type]  # it is one
        blinder.account(foreign.account),  # type: ignore[arg-type]
    )
    registry.changed(chat)
