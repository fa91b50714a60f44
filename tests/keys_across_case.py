"""People of two nodes, or three, who have published keys; and a node that says of them what it likes."""

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, fail, succeed

from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.account_keys import KEY_CHANGED
from safeum_home.protocol.federation.questions import KeysHeld, KeysOf
from safeum_home.protocol.key_types import AccountKeys, Identity
from tests.across_case import A, AcrossCase, B
from tests.keys_case import Pair, publish, query
from tests.world import Client

FIRST, SECOND, THIRD = Pair(1), Pair(2), Pair(3)


class KeysAcrossCase(AcrossCase):
    """Bob, of B, has published; Alice, of A, asks."""

    def setUp(self) -> None:
        super().setUp()
        self.since = int(publish(self.bob, FIRST)["since"])

    def ask(self, *others: Client) -> list[dict[str, Any]]:
        """Alice asks, some time after whatever she was answered last."""
        self.nodes[A].clock.advance(11)
        return query(self.alice, *(others or (self.bob,)))

    def swap(self, pair: Pair, replaces: Pair) -> int:
        """Bob has other keys; since when."""
        since: int = publish(self.bob, pair, replaces=replaces.hash)["since"]
        self.bob.take()
        return since

    def says(self, before: str, after: str, at: int, node: str = B, sender: str | None = None) -> str | None:
        """Node `node` says that keys have changed; the code where it is refused."""
        content = {"before": before, "after": after}
        event = self.event(KEY_CHANGED, content, None, at=at, chat=None, sender=sender or self.bob.account)
        try:
            self.hear(node, event)
        except Problem as problem:
            return problem.code.code
        return None

    def answers(self, *keys: AccountKeys | Callable[[KeysOf], AccountKeys]) -> list[KeysOf]:
        """Node B answers this from now on, whatever is asked; what it is asked."""
        asked: list[KeysOf] = []

        def ask(node: str, question: KeysOf, _result: object) -> "Deferred[KeysHeld]":
            asked.append(question)
            try:
                said = KeysHeld([key(question) if callable(key) else key for key in keys])
                return succeed(msgspec.convert(msgspec.to_builtins(said), KeysHeld, strict=True))
            except msgspec.ValidationError:
                return fail(Problem(Code.NODE_UNREACHABLE))  # as the client of other nodes has it

        self.patch(self.nodes.peers[A], "ask", ask)
        return asked

    def said(self, pair: Pair, since: int, account: str | None = None) -> AccountKeys:
        """What a node answers of Bob, or of another one, with these keys."""
        name = account or self.bob.account
        identity = msgspec.convert(pair.identity(name), Identity)
        return AccountKeys(name, pair.hash, since, identity)

    def unknown(self, pair: Pair, since: int) -> dict[str, Any]:
        """What is shown of Bob where his keys cannot be had."""
        return {"account": self.bob.account, "hash": pair.hash, "since": since, "unavailable": True}
