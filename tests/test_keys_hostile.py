"""A node that lies about keys: what it says of its own accounts is seen, and of others not believed."""

from typing import Any

import msgspec
from msgspec.structs import replace
from twisted.internet.defer import Deferred

from safeum_home.errors import Problem
from safeum_home.protocol.federation.events import AHEAD
from safeum_home.protocol.federation.questions import KeysHeld, KeysOf
from safeum_home.protocol.key_types import AccountKeys, Launch
from tests.across_case import A, B
from tests.keys_across_case import FIRST, SECOND, THIRD, KeysAcrossCase
from tests.keys_case import LAUNCHED, Pair, changes, publish, query, told


class AnswerTests(KeysAcrossCase):
    """What node B answers to Alice's."""

    def test_swapped(self) -> None:
        """Another key than before is a change, which everybody here is told of who is in a chat with Bob."""
        amy = self.nodes[A].register("amy")
        self.ask()
        self.answers(self.said(SECOND, self.since + 1))
        self.assertEqual(self.ask()[0]["identity"]["sign"], SECOND.sign)
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))
        self.assertEqual(told(amy), [])
        self.assertEqual(self.ask()[0]["hash"], SECOND.hash)
        self.assertEqual(told(self.alice), [])

    def test_swapped_under_the_same_hash(self) -> None:
        """Keys that have not the hash that stands beside them are not handed out."""
        self.ask()
        self.answers(replace(self.said(SECOND, self.since), hash=FIRST.hash))
        self.assertEqual(self.ask(), [self.unknown(FIRST, self.since)])
        self.assertEqual(told(self.alice), [])

    def test_swapped_as_of_before(self) -> None:
        """Keys that are said to be older than those that are known are not handed out either."""
        self.ask()
        for since in (self.since, self.since - 1, 0):
            self.answers(self.said(SECOND, since))
            self.assertEqual(self.ask(), [self.unknown(FIRST, self.since)])
        self.assertEqual(told(self.alice), [])

    def test_denied(self) -> None:
        """That there are no keys does not undo what is known."""
        self.ask()
        for said in ((), (AccountKeys(self.bob.account),)):
            self.answers(*said)
            self.assertEqual(self.ask(), [self.unknown(FIRST, self.since)])

    def test_signatures(self) -> None:
        """Keys that are not signed, or for somebody else, are not handed out."""
        other = self.said(FIRST, self.since, self.alice.account)
        for identity in (
            other.identity,
            msgspec.convert({**FIRST.identity(self.bob.account), "at": 5}, type(other.identity)),
        ):
            self.answers(replace(self.said(FIRST, self.since), identity=identity))
            self.assertEqual(self.ask(), [self.unknown(FIRST, self.since)])

    def test_of_others(self) -> None:
        """Of accounts that it was not asked for nothing is believed, nor of any beside."""
        amy = self.nodes[A].register("amy")
        self.nodes[A].befriend(self.alice, amy)
        publish(amy, FIRST)
        self.ask()
        for liar in (amy.account, "@aaaaaaaaaaaaaaaaaaaaaaaaaa:c.example"):
            self.answers(self.said(SECOND, self.since + 9), self.said(SECOND, self.since + 9, liar))
            self.assertEqual(self.ask(), [self.unknown(FIRST, self.since)])
            self.assertEqual(query(self.alice, amy)[0]["hash"], FIRST.hash)
        self.assertEqual(told(self.alice), [])
        self.assertEqual(self.nodes[A].database.count("key_log"), 2)

    def test_twice(self) -> None:
        """An account that is answered twice is answered with nothing that is believed."""
        self.answers(self.said(FIRST, self.since), self.said(SECOND, self.since + 1))
        self.assertEqual(self.ask(), [{"account": self.bob.account, "unavailable": True}])

    def test_sizes(self) -> None:
        """What is longer, or shorter, than it can be is no answer."""
        said = self.said(FIRST, self.since)
        identity: Any = said.identity
        launches = tuple(Launch(f"D{number:016}", FIRST.sign, FIRST.box, 1) for number in range(51))
        wrong: list[AccountKeys] = [
            replace(said, hash=FIRST.hash + "A"),
            replace(said, since=-1),
            replace(said, identity=replace(identity, sign=FIRST.sign[1:])),
            replace(said, identity=replace(identity, box=FIRST.box + "=")),
            replace(said, identity=replace(identity, signature="A" * 85)),
            replace(said, launches=launches),
        ]
        for keys in ([each] for each in wrong):
            self.assertRaises(msgspec.ValidationError, self.read, keys)
        self.assertRaises(msgspec.ValidationError, self.read, [said] * 101)
        self.read([said] * 100)

    def read(self, keys: list[AccountKeys]) -> KeysHeld:
        """As an answer is read."""
        return msgspec.json.decode(msgspec.json.encode(KeysHeld(keys)), type=KeysHeld)

    def test_future(self) -> None:
        """A time that is yet to come would leave no room for those that follow."""
        self.ask()
        self.answers(self.said(SECOND, self.now + 11_000 + AHEAD + 1))
        self.assertEqual(self.ask(), [self.unknown(FIRST, self.since)])
        self.assertEqual(told(self.alice), [])

    def test_changing_all_the_time(self) -> None:
        """Who answers with other keys each time is believed as often as keys may change."""
        self.options = {"key_changes_per_account": 0.001, "key_changes_per_account_burst": 3}
        self.setUp()
        self.ask()
        shown = []
        for number in range(2, 10):
            self.answers(self.said(Pair(number), self.since + number))
            shown.append(self.ask()[0])
        self.assertEqual(told(self.alice), changes(self.bob, *map(Pair, (1, 2, 3, 4))))
        self.assertEqual([each["hash"] for each in shown[3:]], [Pair(4).hash] * 5)
        self.assertTrue(all(each["unavailable"] for each in shown[3:]))

    def test_launch_keys_of_others(self) -> None:
        """Launch keys that are not bound to the account's keys do not look as if they were."""
        forged = SECOND.bind(self.bob.account, self.bob.device, THIRD)
        for bound in (forged, FIRST.bind(self.bob.account, "Dbbbbbbbbbbbbbbbb", THIRD)):
            launch = Launch(self.bob.device, THIRD.sign, THIRD.box, LAUNCHED, bound)
            self.answers(replace(self.said(FIRST, self.since), launches=(launch,)))
            [found] = query(self.alice, self.bob, launches=True)
            self.assertEqual(len(found["launches"]), 1)
            self.assertNotIn("bound", found["launches"][0])

    def test_launch_keys_of_another_day(self) -> None:
        """Another node cannot show those of before as bound, nor those of a time to come."""
        day = 24 * 60 * 60 * 1000
        for at, is_bound in ((LAUNCHED - 2 * day, False), (LAUNCHED + day, False), (LAUNCHED, True)):
            signature = FIRST.bind(self.bob.account, self.bob.device, THIRD, at)
            launch = Launch(self.bob.device, THIRD.sign, THIRD.box, at, signature)
            self.answers(replace(self.said(FIRST, self.since), launches=(launch,)))
            [found] = query(self.alice, self.bob, launches=True)
            self.assertEqual("bound" in found["launches"][0], is_bound)


class EventTests(KeysAcrossCase):
    """What node B tells Alice's."""

    def test_other_senders(self) -> None:
        """A change of keys is told by the account's own node, and no other."""
        at = self.since + 1
        self.assertEqual(self.says(FIRST.hash, SECOND.hash, at, "c.example"), "wrong_sender_node")
        self.assertEqual(self.says(FIRST.hash, SECOND.hash, at, B, self.alice.account), "wrong_sender_node")
        self.assertEqual(told(self.alice), [])

    def test_forged_before(self) -> None:
        """What was there before is what was known, whatever the event says of that."""
        self.ask()
        self.assertIsNone(self.says(THIRD.hash, SECOND.hash, self.since + 1))
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))

    def test_strangers(self) -> None:
        """Of accounts with whom nobody is in a chat nothing is kept."""
        stranger = self.nodes[B].register("stranger")
        code = self.says(FIRST.hash, SECOND.hash, self.since + 1, B, stranger.account)
        self.assertEqual(code, "not_a_contact")
        self.assertEqual(self.nodes[A].database.count("key_log"), 0)

    def test_flood(self) -> None:
        """More changes than an account may have are held back, and the rest of what is told is not."""
        self.options = {"key_changes_per_account": 0.001, "key_changes_per_account_burst": 3}
        self.setUp()
        codes = [self.says(Pair(n).hash, Pair(n + 1).hash, self.since + n) for n in range(1, 20)]
        self.assertEqual(codes, [None] * 3 + ["rate_limited"] * 16)
        self.assertEqual(told(self.alice), changes(self.bob, *map(Pair, (1, 2, 3, 4))))
        self.assertEqual(
            [self.says(Pair(3).hash, Pair(4).hash, self.since + 3) for _ in range(5)], [None] * 5
        )
        world = self.nodes[A]
        [kind] = [kind for kind in world.domain.shared if kind.type == "key.changed"]
        self.assertTrue(getattr(kind, "may_wait", False))

    def test_again(self) -> None:
        """What was told before, or is of before what is known, is no news."""
        for _ in range(3):
            self.assertIsNone(self.says(FIRST.hash, SECOND.hash, self.since + 1))
            self.assertIsNone(self.says(SECOND.hash, THIRD.hash, self.since + 2))
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND, THIRD))

    def test_nonsense(self) -> None:
        """Events that say nothing, or of the future, are malformed."""
        for before, after, at in (
            (FIRST.hash, FIRST.hash, self.since + 1),
            (FIRST.hash, SECOND.hash, self.now + AHEAD + 1),
            ("", SECOND.hash, self.since + 1),
            (FIRST.hash, SECOND.hash + "A", self.since + 1),
        ):
            self.assertEqual(self.says(before, after, at), "malformed_event")
        self.assertEqual(self.nodes[A].database.count("key_log"), 0)


class QuestionTests(KeysAcrossCase):
    """What another node asks B for."""

    def asks(self, node: str, viewer: str, *accounts: str, launches: bool = False) -> KeysHeld | str:
        """The answer, or the code of the refusal."""
        answer = self.nodes[B].domain.answers[KeysOf]
        done: list[Any] = []
        question = KeysOf(viewer, list(accounts), launches)
        Deferred.fromCoroutine(answer(node, question)).addBoth(done.append)  # type: ignore[arg-type]
        if isinstance(done[0], KeysHeld):
            return done[0]
        problem = done[0].value
        assert isinstance(problem, Problem)
        return str(problem.code.code)

    def test_viewers(self) -> None:
        """A node asks for its own accounts, and gets what these may see."""
        bob = self.bob.account
        held = self.asks(A, self.alice.account, bob)
        assert isinstance(held, KeysHeld)
        self.assertEqual([each.hash for each in held.keys], [FIRST.hash])
        self.assertEqual(self.asks("c.example", self.alice.account, bob), "not_found")
        carol = self.nodes[A].register("carol")
        self.assertEqual(self.asks(A, carol.account, bob), KeysHeld([]))
        self.assertEqual(self.asks(A, self.alice.account, self.alice.account), KeysHeld([]))

    def test_bounds(self) -> None:
        """How many accounts a node may ask for is limited, and of how many at once for launch keys."""
        self.options = {"key_queries_per_node": 1, "key_queries_per_node_burst": 100}
        self.setUp()
        bob, alice = self.bob.account, self.alice.account
        self.assertEqual(self.asks(A, alice, *[bob] * 5, launches=True), "invalid_params")
        for _ in range(19):
            self.assertIsInstance(self.asks(A, alice, *[bob] * 5), KeysHeld)
        self.assertEqual(self.asks(A, alice, bob), "rate_limited")
        self.assertIsInstance(self.asks("c.example", alice, bob), str)
