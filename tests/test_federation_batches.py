"""Batches of events: each is taken or refused by itself, and keys are fetched for those alone that may be."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from federation.event_verifier import EventVerifier
from federation.key_cache import KeyCache
from federation.own_keys import KeyInUse, OwnKeys
from federation.policy import Mode, Policy
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.protocol.federation.events import Event, new_event, sign_event
from tests.federation import NOW, document, signer

NOW_MS = NOW * 1000


def event(node: str, number: int = 1, at: int = NOW_MS) -> bytes:
    """An event of an account on `node`, signed with its key of this number."""
    made = new_event("x", AccountId("@" + "a" * 26 + ":" + node), at, {"n": 1})
    return sign_event(made, f"ed25519:{number}", signer(number))


def _everybody(_event: Event) -> bool:
    return True


class BatchTests(SynchronousTestCase):
    """This is a.example; b.example sends."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.fetched: list[str] = []
        self.threads = 0
        policy = Policy("a.example", Mode.OPEN, deny=["denied.example"])
        cache = KeyCache(self.fetch, self.clock)
        own = OwnKeys("a.example", lambda: NOW_MS, KeyInUse("ed25519:3", signer(3)), {})
        self.verifier = EventVerifier("a.example", policy, cache, own, self.in_thread)

    def in_thread(self, call: Callable[[], Any]) -> "Deferred[Any]":
        self.threads += 1
        return succeed(call())

    def fetch(self, node: str) -> "Deferred[bytes]":
        self.fetched.append(node)
        if node == "away.example":
            return fail(OSError("away"))
        return succeed(document(node, number=2, old={1: NOW_MS}))

    def verified(self, *batch: bytes, passed_on: bool = False) -> str:
        """The nodes of good events, and codes of refused ones, in a row."""
        asked: Deferred[list[Event | Problem]] = Deferred.fromCoroutine(
            self.verifier.verified(batch, "b.example", lambda event: passed_on and event.node != "d.example")
        )
        self.clock.advance(0)
        return " ".join(
            each.node if isinstance(each, Event) else each.code.code for each in self.successResultOf(asked)
        )

    def test_each_for_itself(self) -> None:
        """Bad ones between good ones leave these alone, and the order is kept."""
        good, old = event("b.example", 2), event("b.example", 1)
        batch = [good, b"", old, good[:-1], good.replace(b'"n":1', b'"n":2'), event("b.example", 9), good]
        self.assertEqual(
            self.verified(*batch),
            "b.example malformed_event unknown_key malformed_event bad_signature unknown_key b.example",
        )
        self.assertEqual((self.fetched, self.threads), (["b.example"], 2))
        self.assertEqual(self.verified(), "")

    def test_whose_key_is_unknown(self) -> None:
        """It passes where that is the node's own that sends, and not where it is another one's."""
        asked = self.verifier.verified(
            [event("b.example", 9), event("c.example", 9)], "b.example", _everybody
        )
        found: Deferred[list[Event | Problem]] = Deferred.fromCoroutine(asked)
        self.clock.advance(0)
        told = [
            (each.code, each.retry_after) for each in self.successResultOf(found) if isinstance(each, Problem)
        ]
        self.assertEqual(told, [(Code.UNKNOWN_KEY, 30.0), (Code.UNKNOWN_KEY, None)])

    def test_of_others(self) -> None:
        """Another node's event is refused from whoever may not pass it on, and costs no fetch."""
        self.assertEqual(
            self.verified(event("c.example", 2), event("a.example", 3)), "wrong_sender_node wrong_sender_node"
        )
        self.assertEqual(self.fetched, [])

    def test_passed_on(self) -> None:
        """What may be passed on is verified with its own node's keys, old ones for their time."""
        batch = [
            event("c.example", 2),
            event("c.example", 1, NOW_MS - 1),
            event("c.example", 1, NOW_MS),
            event("a.example", 3),
            event("a.example", 2),
            event("d.example", 2),
            event("denied.example", 2),
            event("away.example", 2),
            event("b.example", 1, NOW_MS - 1),
        ]
        self.assertEqual(
            self.verified(*batch, passed_on=True),
            "c.example c.example unknown_key a.example unknown_key wrong_sender_node"
            " federation_refused node_unreachable unknown_key",
        )
        self.assertEqual(sorted(self.fetched), ["away.example", "b.example", "c.example"])
