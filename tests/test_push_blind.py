"""Providers of push learn that a device is to wake, and of which class: nothing else, however it is written.

People live in a node in memory, and what comes out of the sockets towards all four providers is searched for
everything that is theirs. And every request is held against the one type of what may go to its provider.
"""

import gzip
import sys
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

from msgspec import MsgspecError
from twisted.trial.unittest import SynchronousTestCase

from bridges.push import fcm, webpush, wns
from bridges.push.template import PAYLOADS, SIZE
from safeum_home.ports.push import Wake
from tests.blind_people import BlindNode, Somebody
from tests.blind_rig import TOKENS
from tests.blind_schemas import check
from tests.doubles.webpush import base64url
from tests.without import Defence, run, without

SEED = 20
FEW, MANY = 2, 120


def lived(people: int) -> BlindNode:
    node = BlindNode(SEED)
    node.live(people)
    return node


class FewTests(SynchronousTestCase):
    """With few people: these are run again with something put in."""

    people = FEW

    def node(self) -> BlindNode:
        return lived(self.people)

    def test_nothing_of_anybody(self) -> None:
        """No sender, chat, text, number or address of anybody is in anything, plain, encoded or encrypted."""
        node = self.node()
        sent = node.rig.wire.sent
        woken = Counter(each.provider for each in sent)
        self.assertEqual({kind: woken[kind] for kind in TOKENS}, dict.fromkeys(TOKENS, 3 * self.people))
        for provider, streams in node.rig.wire.octets.items():
            self.assertEqual(node.secrets.found(b"\n".join(streams)), set(), provider)
        for each in sent:
            self.assertEqual(node.secrets.found(each.raw), set())
            if each.provider == "webpush":
                self.assertEqual(node.secrets.found(node.rig.subscriber.open(each.body)), set())

    def test_one_schema(self) -> None:
        """Every request fits the type of its provider's; and is of one size, whatever it is for."""
        node = self.node()
        sizes: dict[str, set[int]] = {}
        classes: dict[str, Counter[str]] = {}
        for each in node.rig.wire.sent:
            try:
                wake, size = check(each, node.rig.known)
            except MsgspecError as error:
                self.fail(f"what goes to {each.provider} is not what may: {error}")
            sizes.setdefault(each.provider, set()).add(size)
            classes.setdefault(each.provider, Counter())[wake] += 1
        self.assertEqual({provider: len(found) for provider, found in sizes.items()}, dict.fromkeys(sizes, 1))
        wanted = {"msg": 2 * self.people, "call": self.people}
        self.assertEqual({kind: dict(classes[kind]) for kind in TOKENS}, dict.fromkeys(TOKENS, wanted))
        self.assertEqual(set(classes) - set(TOKENS), {"google", "entra"})


@cache
def crowd() -> BlindNode:
    return lived(MANY)


class ManyTests(FewTests):
    """With many, who have more than a thousand secrets."""

    people = MANY

    def node(self) -> BlindNode:
        return crowd()

    def test_many(self) -> None:
        self.assertGreater(len(crowd().secrets), 1000)


FIRST = [Somebody(random) for random in [Random(SEED)] for _ in range(2)][1]
"""Whoever writes first: the receiver was made up before."""
HIDDEN: Mapping[str, bytes] = {
    "a number": FIRST.number.encode(),
    "a name": FIRST.name.encode(),
    "a name in hex": FIRST.name.encode().hex().encode(),
    "a number in base64": b64encode(FIRST.number.encode()),
    "a name in base64, aside": urlsafe_b64encode(b"x" + FIRST.name.encode()),
    "a text in gzip in base64": b64encode(gzip.compress(FIRST.text.encode(), mtime=0)),
}


def _with(hidden: bytes, longer: int = 0) -> dict[Wake, bytes]:
    """Payloads with something in them in place of the noughts, as long as ever; that of calls longer."""
    made = {wake: b'{"wake":"%s","pad":"%s' % (wake.value.encode(), hidden) for wake in Wake}
    sizes = {Wake.MESSAGE: SIZE, Wake.CALL: SIZE + longer}
    return {wake: payload.ljust(sizes[wake] - 2, b"0") + b'"}' for wake, payload in made.items()}


def _in_payloads(kind: str, payloads: Mapping[Wake, bytes]) -> list[Defence]:
    """That the bridge of a kind takes its payloads from the template."""
    if kind == "fcm":
        android = {wake: fcm._android(wake).replace(PAYLOADS[wake], payloads[wake]) for wake in Wake}
        return [Defence(fcm, "_MIDDLE", android)]
    ours = [module for name, module in sys.modules.items() if name.startswith(f"bridges.push.{kind}")]
    return [Defence(module, "PAYLOADS", payloads) for module in ours if hasattr(module, "PAYLOADS")]


class NoticedTests(SynchronousTestCase):
    """The tests notice what is put in."""

    def assertNoticed(self, test: str, *defences: Defence) -> None:
        """It does not pass any more, by what it asserts."""
        self.assertTrue(defences)
        with without(*defences):
            result = run(f"tests.test_push_blind.FewTests.{test}")
        self.assertTrue(result.failures, f"{test} does not notice {defences}: {result.errors}")

    def test_names_in_payloads(self) -> None:
        """In each provider's payload; what ways of writing are found is tested where they are looked for."""
        for (what, hidden), kind in zip(HIDDEN.items(), [*TOKENS, "webpush", "apns"], strict=True):
            with self.subTest(what=what, kind=kind):
                self.assertNoticed("test_nothing_of_anybody", *_in_payloads(kind, _with(hidden)))

    def test_names_in_fields(self) -> None:
        """In header fields, which are as good a place."""
        name = base64url(FIRST.name.encode())
        topics = dict.fromkeys(Wake, name)
        self.assertNoticed("test_nothing_of_anybody", Defence(webpush, "TOPICS", topics))
        policies = dict.fromkeys(Wake, FIRST.number)
        self.assertNoticed("test_nothing_of_anybody", Defence(wns, "_CACHED", policies))

    def test_what_no_schema_knows(self) -> None:
        """A counter in place of the noughts, another size for calls, one more field, one more word."""
        for kind in TOKENS:
            self.assertNoticed("test_one_schema", *_in_payloads(kind, _with(b"1")))
        for kind in ("wns", "webpush"):
            # The two others fill their documents up.
            self.assertNoticed("test_one_schema", *_in_payloads(kind, _with(b"", longer=1)))

        def more_fields(*arguments: Any) -> dict[str, str]:
            return {**fields_of(*arguments), "X-WNS-Tag": "1"}

        fields_of = wns.fields_of
        self.assertNoticed("test_one_schema", Defence(wns, "fields_of", more_fields))
        topics = {Wake.MESSAGE: "msg-1", Wake.CALL: "call"}
        self.assertNoticed("test_one_schema", Defence(webpush, "TOPICS", topics))
