"""Keys of other nodes and of this one."""

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from federation.key_cache import BURST, EVERY, MOST_WAITING, PATIENCE, KeyCache, NothingKept
from federation.own_keys import REWRITE, VALID, KeyInUse, OwnKeys
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.keys import LONGEST_VALID, MOST_OLD, read_document
from tests.federation import NOW, document, signer
from tests.federation_clock_case import ClockCase

DAY = 86_400


class CacheTests(ClockCase):
    """What is fetched, and when."""

    def setUp(self) -> None:
        super().setUp()
        self.documents: dict[str, bytes | Exception] = {"b.example": document()}
        self.fetched: list[str] = []
        self.pending: list[Deferred[bytes]] | None = None
        self.cache = KeyCache(self.fetch, self.clock, lambda node: node == "known.example", 3, 4)

    def fetch(self, node: str) -> "Deferred[bytes]":
        self.fetched.append(node)
        if self.pending is not None:
            self.pending.append(Deferred())
            return self.pending[-1]
        found = self.documents[node]
        return fail(found) if isinstance(found, Exception) else succeed(found)

    def ask(self, node: str = "b.example", number: int = 1) -> "Deferred[bytes]":
        asked = self.start(self.cache.key(node, f"ed25519:{number}"))
        self.clock.advance(0)
        return asked

    def code(self, *arguments: Any) -> Code:
        return self.problem(self.ask(*arguments)).code

    def test_fetched_once(self) -> None:
        """The second question is answered out of memory."""
        for _ in range(2):
            self.assertEqual(self.successResultOf(self.ask()), signer().public_key)
        self.assertEqual(self.fetched, ["b.example"])

    def test_kept_in_vain(self) -> None:
        """Where what was kept cannot be read for whatever reason, nobody waits for it, now or later."""

        class Broken(NothingKept):
            def kept(self, node: str) -> "Deferred[tuple[bytes, int] | None]":
                return fail(ZeroDivisionError())

        self.cache = KeyCache(self.fetch, self.clock, kept=Broken())
        self.documents["b.example"] = RuntimeError()
        self.assertIs(self.code(), Code.NODE_UNREACHABLE)
        self.documents["b.example"] = document()
        self.assertEqual(self.successResultOf(self.ask()), signer().public_key)

    def test_fetched_again(self) -> None:
        """When the document is over, at the latest after a week."""
        self.documents["b.example"] = document(valid_until=(NOW + 100 * DAY) * 1000)
        self.successResultOf(self.ask())
        self.clock.advance(LONGEST_VALID / 1000 - 1)
        self.successResultOf(self.ask())
        self.assertEqual(len(self.fetched), 1)
        self.clock.advance(1)
        self.successResultOf(self.ask())
        self.assertEqual(len(self.fetched), 2)
        self.documents["b.example"] = OSError("away")
        self.clock.advance(LONGEST_VALID / 1000)
        self.assertIs(self.code(), Code.NODE_UNREACHABLE)

    def test_rotated(self) -> None:
        """A key that is not known is looked for; the one before is not good any more."""
        self.successResultOf(self.ask())
        self.documents["b.example"] = document(number=2, old={1: NOW * 1000})
        self.assertEqual(self.successResultOf(self.ask("b.example", 1)), signer(1).public_key)
        self.assertEqual(self.successResultOf(self.ask("b.example", 2)), signer(2).public_key)
        self.assertIs(self.code("b.example", 1), Code.UNKNOWN_KEY)
        held = self.cache.held("b.example")
        assert held is not None
        self.assertEqual(dict(held.old), {"ed25519:1": (signer(1).public_key, NOW * 1000)})

    def test_questions_are_limited(self) -> None:
        """Made-up key ids cost a node a few fetches, then one in half a minute; known ones go on."""
        for number in range(2, 100):
            self.assertIs(self.code("b.example", number), Code.UNKNOWN_KEY)
        self.assertEqual(len(self.fetched), BURST)
        self.successResultOf(self.ask())
        self.clock.advance(EVERY)
        self.assertIs(self.code("b.example", 2), Code.UNKNOWN_KEY)
        self.assertIs(self.code("b.example", 2), Code.UNKNOWN_KEY)
        self.assertEqual(len(self.fetched), BURST + 1)

    def test_failures_are_limited(self) -> None:
        """A node that is away is not asked again and again, and it is said when that will be."""
        self.documents["b.example"] = OSError("away")
        for _ in range(50):
            self.assertIs(self.code(), Code.NODE_UNREACHABLE)
        self.assertEqual(len(self.fetched), BURST)
        retry_after = self.problem(self.ask()).retry_after
        assert retry_after is not None
        self.assertTrue(0 < retry_after <= EVERY)

    def test_an_outage(self) -> None:
        """While a node is away its keys that are held stay good, and unknown ones stay unknown."""
        self.successResultOf(self.ask())
        self.documents["b.example"] = OSError("away")
        self.assertIs(self.code("b.example", 2), Code.UNKNOWN_KEY)
        self.successResultOf(self.ask())

    def test_garbage(self) -> None:
        """Another node's document, one that is over, and none at all."""
        for found in (document("c.example"), document(valid_until=NOW * 1000), b"", b"<html>", b"[" * 99_999):
            self.documents["b.example"] = found
            self.cache = KeyCache(self.fetch, self.clock)
            self.assertIs(self.code(), Code.NODE_UNREACHABLE)
            self.assertEqual(len(self.cache), 0)

    def test_shared(self) -> None:
        """Those who ask meanwhile wait for the same fetch; who gives up takes nothing from the others."""
        self.pending = []
        asked = [self.ask() for _ in range(5)]
        self.assertEqual(len(self.pending), 1)
        asked[0].addErrback(lambda _: None)
        asked[0].cancel()
        self.pending[0].callback(document())
        for each in asked[1:]:
            self.assertEqual(self.successResultOf(each), signer().public_key)
        self.assertEqual(len(self.fetched), 1)

    def test_patience(self) -> None:
        """Who never answers is given up, and asked anew later."""
        self.pending = []
        asked = self.ask()
        self.assertNoResult(asked)
        self.clock.advance(PATIENCE)
        self.assertIs(self.problem(asked).code, Code.NODE_UNREACHABLE)
        self.pending = None
        self.successResultOf(self.ask())

    def test_too_many_at_once(self) -> None:
        """Fetches at one time are bounded; strangers cannot have all of them, and are told to come again."""
        self.successResultOf(self.ask())
        self.pending = []
        waiting = [self.ask(node) for node in ("c.example", "d.example")]
        self.assertIs(self.code("e.example"), Code.BUSY)
        waiting += [self.ask("known.example"), self.ask("b.example", 2)]
        self.assertEqual(self.fetched[1:], ["c.example", "d.example", "known.example", "b.example"])
        for each in self.pending:
            each.errback(OSError("away"))
        self.assertEqual([self.problem(each).code for each in waiting[:3]], [Code.NODE_UNREACHABLE] * 3)
        self.assertIs(self.problem(waiting[3]).code, Code.UNKNOWN_KEY)
        self.pending, self.documents["e.example"] = None, document("e.example")
        self.successResultOf(self.ask("e.example"))

    def test_too_many_wait(self) -> None:
        """Those who wait for one document are bounded too."""
        self.pending = []
        waiting = [self.ask() for _ in range(MOST_WAITING)]
        self.assertIs(self.code(), Code.BUSY)
        self.pending[0].callback(document())
        self.assertEqual(len({self.successResultOf(each) for each in waiting}), 1)

    def test_bounded(self) -> None:
        """Of many nodes those asked for last are held."""
        nodes = [f"{letter}.example" for letter in "bcdefg"]
        self.documents = {node: document(node) for node in nodes}
        for node in nodes[:3]:
            self.successResultOf(self.ask(node))
        self.successResultOf(self.ask(nodes[0]))
        self.successResultOf(self.ask(nodes[3]))
        self.assertEqual(len(self.cache), 3)
        self.assertIsNone(self.cache.held(nodes[1]))
        self.assertIsNotNone(self.cache.held(nodes[0]))

    def test_fetch_fails_at_once(self) -> None:
        """What is thrown is answered as what fails, and a refusal keeps its code."""
        del self.documents["b.example"]
        self.assertIs(self.code(), Code.NODE_UNREACHABLE)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.documents["b.example"] = Problem(Code.FEDERATION_REFUSED)
        self.assertIs(self.code(), Code.FEDERATION_REFUSED)


class OwnKeysTests(ClockCase):
    """What this node publishes."""

    def setUp(self) -> None:
        super().setUp()
        self.own = OwnKeys("a.example", self.milliseconds, KeyInUse("ed25519:1", signer(1)), {})

    def test_published(self) -> None:
        """Others read what is in use, for a day; the document stays the same for an hour."""
        first = self.own.document()
        read = read_document(first, "a.example", self.milliseconds())
        self.assertEqual(read, self.own.verify_keys())
        self.assertEqual(read.good_until, self.milliseconds() + VALID)
        self.clock.advance(REWRITE / 1000 - 1)
        self.assertEqual(self.own.document(), first)
        self.clock.advance(1)
        self.assertNotEqual(self.own.document(), first)
        read_document(self.own.document(), "a.example", self.milliseconds() + VALID - 1)

    def test_replaced(self) -> None:
        """At once, with the one before as an old one."""
        self.own.document()
        expired = self.milliseconds()
        self.own.replace(KeyInUse("ed25519:2", signer(2)), {"ed25519:1": (signer(1).public_key, expired)})
        read = read_document(self.own.document(), "a.example", self.milliseconds())
        self.assertEqual(dict(read.current), {"ed25519:2": signer(2).public_key})
        self.assertEqual(dict(read.old), {"ed25519:1": (signer(1).public_key, expired)})
        self.assertEqual(read.old, self.own.verify_keys().old)
        self.assertEqual(self.own.in_use.key_id, "ed25519:2")

    def test_many_old_ones(self) -> None:
        """However often it was replaced, the document can be read; it has the newest of the old ones."""
        old = {f"ed25519:{number}": (signer(1).public_key, number) for number in range(1, 200)}
        self.own.replace(KeyInUse("ed25519:200", signer(2)), old)
        read = read_document(self.own.document(), "a.example", self.milliseconds())
        self.assertEqual({expired for _, expired in read.old.values()}, set(range(200 - MOST_OLD, 200)))
