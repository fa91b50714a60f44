"""The commands of contact sync: who is refused what, and how much an account may ask for."""

import os
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import RemoteProblem
from safeum_home.config import ContactSyncSection, parse
from safeum_home.ids import AccountId
from safeum_home.protocol import MAX_FRAME, ristretto
from safeum_home.protocol.contact_sync import MOST_PAGES, MOST_POINTS, PAGE
from tests.sync_support import (
    BOB,
    CAROL,
    DAY,
    ORDER,
    SyncCase,
    need_group,
    new_world,
    open_world,
    sign_up,
    text,
)
from tests.test_protocol_oprf import NO_ELEMENTS
from tests.world import Client, Refused, World


class HostileTests(SyncCase):
    """Clients that do not keep to the rules."""

    def test_points_that_are_none(self) -> None:
        """Small order, not on the curve, not canonical, the identity: a coded error for all of the batch."""
        for why, point in NO_ELEMENTS.items():
            refusal = self.refused(self.ada, [*self.points(2), text(point)])
            expected = "invalid_points" if len(point) == 32 else "invalid_params"
            self.assertEqual(refusal.code, expected, why)

    def test_points_of_random_octets(self) -> None:
        """Each is evaluated or refused, and nothing else happens."""
        for _ in range(200):
            point = bytearray(os.urandom(32))
            point[31] &= 0x7F
            point[0] &= 0xFE
            try:
                answer = self.ada.call("contacts.sync", period=self.period, points=[text(bytes(point))])
            except Refused as refusal:
                self.assertEqual(refusal.code, "invalid_points")
            else:
                self.assertEqual(len(answer["points"]), 1)

    def test_wrong_frames(self) -> None:
        """Wrong base64, wrong types, none, too many: refused by the type, before anything is computed."""
        good = self.points(1)[0]
        threads = self.threads.hashed
        wrong: list[object] = [
            [],
            [good[:-1]],
            ["!" + good[1:]],
            [good.replace("=", "")],
            [good + "===="],
            [""],
            [7],
            [None],
            [[good]],
            good,
            None,
            {"0": good},
            [good] * (MOST_POINTS + 1),
        ]
        for points in wrong:
            self.assertEqual(self.refused(self.ada, points).code, "invalid_params", points)
        for period in (-1, 2**53, "1", 1.5, None):
            self.assertEqual(self.refused(self.ada, [good], period=period).code, "invalid_params")
        self.assertEqual(self.refused(self.ada, [good], key=good).code, "invalid_params")
        self.assertEqual(self.threads.hashed, threads)

    def test_repeated_points(self) -> None:
        """Honest clients send none: each has its own scalar."""
        threads = self.threads.hashed
        good = self.points(1)[0]
        self.assertEqual(self.refused(self.ada, [good, good]).code, "invalid_points")
        self.assertEqual(self.refused(self.ada, [good, text(bytes(32))]).code, "invalid_points")
        self.assertEqual(self.threads.hashed, threads)

    def test_the_longest_frames_fit(self) -> None:
        """A full batch, its answer, a full page and a directory of the most pages, with the longest ids."""
        points = self.points(MOST_POINTS)
        longest = '"' + "\u0001" * 64 + '"'
        for method, params in (
            ("contacts.sync", {"period": 2**53 - 1, "points": points}),
            ("contacts.page", {"period": 2**53 - 1, "page": MOST_PAGES - 1}),
        ):
            frame = {"jsonrpc": "2.0", "id": longest, "method": method, "params": params}
            self.assertLessEqual(len(msgspec.json.encode(frame)), MAX_FRAME)
        results: tuple[dict[str, object], ...] = (
            {"points": points},
            {"page": text(bytes(6)), "pages": MOST_PAGES, "entries": text(bytes(PAGE * 24))},
            {"period": 2**53 - 1, "until": 2**53 - 1, "pages": [text(bytes(6))] * MOST_PAGES},
        )
        for result in results:
            frame = {"jsonrpc": "2.0", "id": longest, "result": result}
            self.assertLessEqual(len(msgspec.json.encode(frame)), MAX_FRAME)

    def test_subgroups_give_nothing_away(self) -> None:
        """An answer is either refused or the key times an element of prime order: never of a small subgroup.

        Of what an attacker could send to learn the key modulo 8, nothing is an encoding: of edwards25519's
        eight points of small order, all are the one identity in ristretto255, which is refused.
        """
        (answer,) = self.ada.call("contacts.sync", period=self.period, points=self.points(1))["points"]
        element = msgspec.convert(answer, bytes)
        with self.assertRaises(ristretto.NotAnElement):
            ristretto.multiply(ORDER.to_bytes(32, "little"), [element])
        for factor in (2, 4, 8):
            ristretto.multiply(factor.to_bytes(32, "little"), [element])

    def test_before_a_login(self) -> None:
        """Strangers are not served."""
        stranger = Client(self.world)
        for method, params in (
            ("contacts.sync", {"period": self.period, "points": self.points(1)}),
            ("contacts.directory", {}),
            ("contacts.page", {"period": self.period, "page": 0}),
            ("account.findable", {"findable": True}),
        ):
            with self.assertRaises(Refused) as caught:
                stranger.call(method, **params)
            self.assertEqual(caught.exception.code, "not_authenticated")

    def test_pages_that_are_not_there(self) -> None:
        """And those of a period that is over."""
        for params, code in (
            ({"period": self.period, "page": 1}, "not_found"),
            ({"period": self.period, "page": MOST_PAGES}, "invalid_params"),
            ({"period": self.period - 1, "page": 0}, "period_over"),
        ):
            with self.assertRaises(Refused) as caught:
                self.ada.call("contacts.page", **params)
            self.assertEqual(caught.exception.code, code)
        self.assertEqual(self.refused(self.ada, self.points(1), period=self.period + 1).code, "period_over")


class QuotaTests(SyncCase):
    """How much an account may ask for: here 1,000 points a day."""

    section = ContactSyncSection(points_per_day=1_000)

    def test_a_day(self) -> None:
        """The day's points, however many sessions and devices; then as many as the day gives back."""
        phone = Client(self.world, "192.0.2.8")
        phone.token = self.ada.token
        other = sign_up(self.world, "+491510000009")
        self.ada.call("contacts.sync", period=self.period, points=self.points(600))
        phone.resume().call("contacts.sync", period=self.period, points=self.points(400))
        refusal = self.refused(phone, self.points(1))
        self.assertEqual(refusal.code, "rate_limited")
        self.assertEqual(round(refusal.error["data"]["retry_after"], 3), DAY / 1000)
        other.call("contacts.sync", period=self.period, points=self.points(1))
        self.world.clock.advance(DAY / 10)
        phone.call("contacts.sync", period=self.period, points=self.points(99))
        self.assertEqual(self.refused(phone, self.points(10)).code, "rate_limited")

    def test_a_restart_gives_one_day_at_the_most(self) -> None:
        """The count is in memory; a node that has just started has a full day's points, and not more."""
        self.ada.call("contacts.sync", period=self.period, points=self.points(1_000))
        section = self.section
        again = open_world(self, database=self.world.database, vault=self.world.vault, contact_sync=section)
        ada = Client(again)
        ada.token = self.ada.token
        ada.resume().call("contacts.sync", period=self.period, points=self.points(1_000))
        self.assertEqual(self.refused(ada, self.points(1)).code, "rate_limited")

    def test_what_is_refused_counts_once_it_is_computed(self) -> None:
        """Else nonsense would be evaluated for nothing."""
        bad = text(NO_ELEMENTS["not a square"])
        self.assertEqual(self.refused(self.ada, [*self.points(999), bad]).code, "invalid_points")
        self.assertEqual(self.refused(self.ada, self.points(1)).code, "rate_limited")

    def test_an_address(self) -> None:
        """Many accounts do not help either: an address has ten times the points of an account."""
        for number in range(10):
            client = sign_up(self.world, f"+4915300000{number:02}")
            client.call("contacts.sync", period=self.period, points=self.points(1_000))
        self.assertEqual(self.refused(self.ada, self.points(1)).code, "rate_limited")
        elsewhere = sign_up(self.world, "+491530000099", host="198.51.100.1")
        elsewhere.call("contacts.sync", period=self.period, points=self.points(1))

    def test_the_set(self) -> None:
        """The whole set, 24 times a day; a small one as if it had 32 pages."""
        for _ in range(24 * 32):
            self.ada.call("contacts.page", period=self.period, page=0)
        with self.assertRaises(Refused) as caught:
            self.ada.call("contacts.directory")
        self.assertEqual(caught.exception.code, "rate_limited")

    def test_changing_ones_mind(self) -> None:
        """50 times a day."""
        for _ in range(50):
            self.carol.call("account.findable", findable=True)
        with self.assertRaises(Refused) as caught:
            self.carol.call("account.findable", findable=False)
        self.assertEqual(caught.exception.code, "rate_limited")
        self.assertEqual(self.carol.call("account.findable"), {"findable": True})

    def test_a_number_that_has_gone(self) -> None:
        """Nobody is put into the set under a number that the account has no more, whatever memory says."""
        keeper: Any = self.world.domain.findable
        changes: list[tuple[Any, ...]] = []

        async def changed(*change: Any) -> None:
            changes.append(change)

        self.patch(keeper, "changed", changed)
        opened = self.world.domain.directory._open[AccountId(self.carol.account)]
        opened.username = "+491511234500"
        self.carol.call("account.findable", findable=True)
        self.assertEqual(changes, [(self.carol.account, CAROL, True)])

    def test_a_full_queue(self) -> None:
        """Batches that wait are bounded; who is refused has lost none of the day's points."""
        pool = self.threads
        pool.hold = True
        waiting = [self.ada.ask("contacts.sync", period=self.period, points=self.points(1)) for _ in range(5)]
        for _ in range(3):
            refusal = self.refused(self.ada, self.points(MOST_POINTS))
            self.assertEqual((refusal.code, refusal.error["data"]["retry_after"]), ("rate_limited", 1.0))
        self.assertEqual([self.ada.answer(number) for number in waiting], [None] * 5)
        # Logins have threads of their own.
        self.world.register("alice")
        pool.hold = False
        pool.run()
        self.assertTrue(all(self.ada.answer(number) for number in waiting))
        self.ada.call("contacts.sync", period=self.period, points=self.points(MOST_POINTS - 6))

    def test_a_finder_that_is_refused_keeps_what_it_has(self) -> None:
        """The rest can follow on another day."""
        numbers = [f"+4916{number:08}" for number in range(2_000)]
        with self.assertRaises(RemoteProblem) as caught:
            self.finder.find(*numbers)
        self.assertEqual(caught.exception.code, "rate_limited")
        self.world.clock.advance(DAY)
        self.finder.heard.clear()
        self.assertEqual(self.finder.find(*numbers), {})
        sizes = [len(msgspec.json.decode(f)["params"].get("points", [])) for f in self.finder.heard]
        self.assertEqual(sum(sizes), 1_000)


class SwitchedOffTests(SynchronousTestCase):
    """Nodes on which contacts cannot be found by number."""

    def refusals(self, world: World) -> list[str]:
        world.domain.findable.start()
        client = sign_up(world, BOB, findable=True)
        codes = []
        for method, params in (
            ("contacts.sync", {"period": 0, "points": [text(b"\x02" * 32)]}),
            ("contacts.directory", {}),
            ("contacts.page", {"period": 0, "page": 0}),
        ):
            with self.assertRaises(Refused) as caught:
                client.call(method, **params)
            codes.append(caught.exception.code)
        return codes

    def test_without_the_library(self) -> None:
        """A machine that lacks the group says so; whether one wants to be found is kept all the same."""
        self.patch(ristretto, "available", lambda: False)
        self.assertEqual(self.refusals(new_world(self)), ["sync_unavailable"] * 3)

    def test_by_the_operator(self) -> None:
        """`contact_sync.enabled = false`."""
        config = parse('[node]\nname="h.example"\nstate_dir="/x"\n[contact_sync]\nenabled = false')
        world = new_world(self, contact_sync=config.contact_sync)
        self.assertEqual(self.refusals(world), ["sync_unavailable"] * 3)

    def test_before_the_set_is_built(self) -> None:
        """`busy`, with a time."""
        need_group()
        client = sign_up(new_world(self), BOB)
        with self.assertRaises(Refused) as caught:
            client.call("contacts.directory")
        self.assertEqual(
            (caught.exception.code, caught.exception.error["data"]["retry_after"]), ("busy", 5.0)
        )
