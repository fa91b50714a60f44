"""What a node says to another one's accounts about calls, without any device of it doing so."""

from typing import Any

from msgspec import to_builtins

from safeum_home.ids import AccountId
from safeum_home.protocol.call_types import Media
from safeum_home.protocol.federation.calls import CALL as KIND
from safeum_home.protocol.federation.calls import CALL_SIGNAL, Invite, Said, Spoken, Word
from safeum_home.protocol.federation.events import Event, new_event
from tests.across_case import A, B
from tests.calls_case import CALL, CallsAcrossCase
from tests.nodes import say_now
from tests.world import Client


class ForeignCalls(CallsAcrossCase):
    """Node B speaks to Alice's."""

    def says(
        self, word: Word, sender: Client | None = None, node: str = B, account: str | None = None
    ) -> bool:
        """Whether what Bob says, or another one, was taken."""
        return say_now(self.nodes, node, A, self.spoken(word, account or (sender or self.bob).account))

    def spoken(self, word: Word, account: str | None = None) -> Event:
        kind = CALL_SIGNAL if isinstance(word, Said) else KIND
        return new_event(kind, AccountId(account or self.bob.account), self.now, to_builtins(Spoken(word)))

    def heard(self) -> list[Any]:
        """What Alice's node says to others, about Alice's calls."""
        self.nodes.told_now.clear()
        self.carry()
        words = [event.content["word"] for name, _, event in self.nodes.told_now if name == A]
        return [word.get("reason", word["says"]) for word in words]

    def invited(self, call: str = CALL, **more: Any) -> Invite:
        about: dict[str, Any] = {"device": self.bob.device, "media": Media.AUDIO, "hello": "h"}
        return Invite(call, self.alice.account, **(about | more))
