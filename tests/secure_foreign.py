"""Tests of nodes that mean harm, to programs in JavaScript that are not Bob's."""

from twisted.internet.task import Clock

from tests import test_secure_hostile, test_secure_hostile_epochs, test_secure_order
from tests.secure_both_case import BothCase, ForeignBob
from tests.secure_case import Program
from tests.secure_javascript import ForeignProgram


class ForeignAlice(BothCase):
    """Alice's program is in JavaScript."""

    foreign = 0

    def add(self, number: int, peer: int | None = None, version: int = 0) -> Program:
        if number == self.foreign and not version:
            return self.add_foreign(number, peer)
        return super().add(number, peer, version)


class AlicePlaceTests(ForeignAlice, test_secure_hostile.PlaceTests):
    """Envelopes of elsewhere, and of others."""


class AliceKeyTests(ForeignAlice, test_secure_hostile.KeyTests):
    """Keys of the node's own."""


class CarolOrderTests(ForeignAlice, test_secure_order.OrderTests):
    """Carol's, in place of Alice's: what is told to her alone."""

    foreign = 2


class CarolEpochTests(ForeignAlice, test_secure_hostile_epochs.EpochTests):
    """Rosters and epochs that are shown to Carol."""

    foreign = 2


class LaterTests(ForeignBob, test_secure_order.OrderTests):
    """Bob's program is in JavaScript when he begins anew, too."""

    def setUp(self) -> None:
        super().setUp()

        def program(number: int, clock: Clock, peer: int | None = None) -> Program:
            return ForeignProgram(number, clock, self.process(), peer)

        self.patch(test_secure_order, "Program", program)
