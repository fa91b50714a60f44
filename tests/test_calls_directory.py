"""Whose keys they are: what the directory must say of a device, and what it may not know just now."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from safeum_home.client.calling.directory import ASK_AGAIN, Bound
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.launch import LaunchKeys
from safeum_home.client.calling.link import LinkState
from safeum_home.client.errors import TimedOut
from safeum_home.protocol.key_types import BOUND_FOR, AccountKeys
from tests.calls_links import ANN, BEN, Pairing
from tests.test_calls_tampered import TamperedCase

CONNECTED = LinkState.CONNECTED


def _with(changes: dict[str, Any], keys: AccountKeys) -> AccountKeys:
    return msgspec.structs.replace(keys, **changes)


class DirectoryTests(TamperedCase):
    """What the directory must say of a device."""

    def seen(self, change: Callable[[AccountKeys], AccountKeys], *seeds: int | None) -> Pairing:
        """Ann is told something else of Ben's keys."""
        pairing = self.pairing(*seeds)
        keys = change(pairing.ben.keys())
        pairing.ann.sees[BEN] = lambda: keys
        pairing.ben.link.respond()
        return pairing.run()

    def launch(self, **changes: Any) -> Callable[[AccountKeys], AccountKeys]:
        def change(keys: AccountKeys) -> AccountKeys:
            launch = msgspec.structs.replace(keys.launches[0], **changes)
            return msgspec.structs.replace(keys, launches=(launch,))

        return change

    def test_as_it_is(self) -> None:
        self.assertEqual(self.seen(lambda keys: keys, None, 2).states, (CONNECTED, CONNECTED))

    def test_no_keys(self) -> None:
        for launches in ((), self.pairing().ann.keys().launches):
            self.is_tampered(self.late(self.seen(partial(_with, {"launches": launches}))).ann)

    def test_other_keys(self) -> None:
        other = LaunchKeys()
        self.is_tampered(self.seen(self.launch(sign=other.sign)).ann)

    def test_another_account(self) -> None:
        self.is_tampered(self.seen(partial(_with, {"account": ANN})).ann)

    def test_not_bound(self) -> None:
        self.is_tampered(self.seen(self.launch(bound=None), None, 2).ann)

    def test_bound_long_ago(self) -> None:
        """A signature of a launch of yesterday binds nothing."""
        pairing = self.pairing(None, 2)
        keys = pairing.ben.keys()
        pairing.ann.sees[BEN] = lambda: keys
        pairing.clock.advance(BOUND_FOR / 1000 + 1)
        pairing.anew().ben.link.respond()
        self.is_failed(self.late(pairing).ann)

    def late(self, pairing: Pairing) -> Pairing:
        """After it was asked again."""
        pairing.run().clock.advance(ASK_AGAIN)
        return pairing.run()

    def test_clock(self) -> None:
        """Somebody whose own clock is wrong is not told of an attack."""
        for seconds in (-2 * 3600, 25 * 3600):
            pairing = self.pairing(None, 2)
            wrong = pairing.milliseconds() + seconds * 1000
            pairing.ann.directory._milliseconds = partial(float, wrong)
            pairing.ben.link.respond()
            self.is_failed(self.late(pairing).ann)
            self.assertIn("clock", pairing.ann.link.wrong)

    def test_unavailable(self) -> None:
        """An account that has an identity is not taken for one that has none; nor is its node for a liar."""
        hidden: tuple[dict[str, Any], ...] = (
            {"identity": None, "unavailable": True},
            {"identity": None, "unavailable": True, "hash": None},
            {"identity": None, "unavailable": True, "hash": None, "launches": ()},
            {"identity": None},
        )
        for changes in hidden:
            self.is_failed(self.late(self.seen(partial(_with, changes), None, 2)).ann)

    def test_unavailable_for_a_moment(self) -> None:
        """It is asked again."""
        pairing = self.seen(partial(_with, {"identity": None, "unavailable": True, "launches": ()}), None, 2)
        del pairing.ann.sees[BEN]
        self.assertEqual(self.late(pairing).states, (CONNECTED, CONNECTED))
        self.assertIs(pairing.ann.link.bound, Bound.IDENTITY)

    def test_expected_too_early(self) -> None:
        """What was answered before the device was started anew does not count."""
        pairing = self.pairing()
        ann, other = pairing.ann, LaunchKeys()
        before = self.launch(sign=other.sign)(pairing.ben.keys())
        ann.sees[BEN] = lambda: before
        ann.directory.expect(BEN)
        del ann.sees[BEN]
        pairing.ben.link.respond()
        self.assertEqual(pairing.run().states, (CONNECTED, CONNECTED))

    def test_identity_with_another_hash(self) -> None:
        self.is_tampered(self.seen(partial(_with, {"hash": "A" * 43}), None, 2).ann)

    def test_nobody_says(self) -> None:
        """Where the directory does not answer, the call has failed: nobody is believed meanwhile."""
        pairing = self.pairing()

        def fails() -> AccountKeys:
            raise TimedOut("no answer")

        pairing.ann.sees[BEN] = fails
        pairing.ben.link.respond()
        pairing.run()
        self.assertIs(pairing.ann.link.why, CallEnd.FAILED)
        self.assertEqual(pairing.ann.source.links, [])
