"""Tests of calls with the telephone network notice when what they test is gone."""

import re
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ports.money import Over
from safeum_home.safenum.money import charging
from safeum_home.safenum.money.beats import Beat
from safeum_home.safenum.money.holds import Holds
from safeum_home.safenum.money.tariff import Tariff
from safeum_home.safenum.telephone import destinations, exchange, limits
from safeum_home.safenum.telephone.attending import TelephoneAttendance
from safeum_home.safenum.telephone.call import Call
from safeum_home.safenum.telephone.limits import TelephoneLimits
from safeum_home.safenum.telephone.meter import Meter
from safeum_home.safenum.telephone.outgoing import Outgoing
from safeum_home.safenum.telephone.table import Table
from tests.without import Defence, check, nothing, yes

OUT, PAID, IN = "tests.test_telephone_out.", "tests.test_telephone_paid.", "tests.test_telephone_in."
DEVICES = "tests.test_telephone_devices."


def _none(*_arguments: object, **_named: object) -> int:
    return 0


def _plenty(*_arguments: object, **_named: object) -> int:
    return 10**12


async def _for_ever(*_arguments: object, **_named: object) -> None:
    await Deferred()


def _without_ends(at: int, over: dict[bytes, Over]) -> Beat:
    return Beat(at, {})


def _fixed(*_arguments: object, **_named: object) -> str:
    return "fixed"


DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "calls at once": (
        PAID + "LengthTests.test_at_once",
        (Defence(Table, "check_room", nothing), Defence(Holds, "_outgoing", _none)),
    ),
    "the length of calls": (PAID + "LengthTests.test_length", (Defence(Meter, "run", _for_ever),)),
    "what is paid for": (PAID + "PaidTests.test_extended", (Defence(Meter, "run", _for_ever),)),
    "what a day may cost": (PAID + "SpendTests.test_spend_per_day", (Defence(Holds, "_allowance", _plenty),)),
    "what two spend": (
        PAID + "SpendTests.test_two_at_once",
        (Defence(Holds, "_allowance", _plenty),),
    ),
    "classes of numbers": (OUT + "RefusedTests.test_classes", (Defence(Tariff, "kind", _fixed),)),
    "emergencies": (OUT + "RefusedTests.test_emergencies", (Defence(destinations, "check", nothing),)),
    "what is dialled in a row": (
        DEVICES + "FloodTests.test_dialled",
        (Defence(TelephoneLimits, "take_dial", nothing),),
    ),
    "keys in a row": (OUT + "KeyTests.test_too_many", (Defence(limits, "MOST_KEYS", 10**6),)),
    "keys by others": (OUT + "KeyTests.test_pressed", (Defence(Call, "must_be", nothing),)),
    "holds that nobody knows of": (
        OUT + "RefusedTests.test_stored_though_refused",
        (Defence(Outgoing, "settle", nothing),),
    ),
    "two devices that answer": (IN + "RingingTests.test_race", (Defence(Call, "must_be", nothing),)),
    "room to answer": (IN + "NobodyTests.test_no_room_to_answer", (Defence(Table, "check_room", nothing),)),
    "who is busy": (IN + "NobodyTests.test_busy", (Defence(Table, "may_ring", yes),)),
    "how many ring": (IN + "NobodyTests.test_too_many_ring", (Defence(Table, "may_ring", yes),)),
    "names of callers": (IN + "RingingTests.test_withheld", (Defence(exchange, "_NUMBER", re.compile("")),)),
    "floods of calls": (
        DEVICES + "FloodTests.test_one_number",
        (Defence(TelephoneLimits, "take_ring", nothing),),
    ),
    "floods by one": (
        DEVICES + "FloodTests.test_one_caller",
        (Defence(TelephoneLimits, "take_ring", nothing),),
    ),
    "all calls together": (
        DEVICES + "FloodTests.test_all_together",
        (Defence(Table, "check_full", nothing),),
    ),
    "devices that are away": (
        DEVICES + "ComingAndGoingTests.test_away_while_it_rings",
        (Defence(Outgoing, "attend", nothing),),
    ),
    "devices that are logged out": (
        DEVICES + "ComingAndGoingTests.test_logged_out",
        (Defence(TelephoneAttendance, "revoked", nothing),),
    ),
    "calls of who is gone": (
        DEVICES + "ClosedTests.test_closed",
        (Defence(TelephoneAttendance, "forget_account", nothing),),
    ),
    "ends of while the storage was away": (
        DEVICES + "EndTests.test_killed_after_an_outage",
        (Defence(charging, "Beat", _without_ends),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "TelephoneDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class TelephoneDefenceTests(SynchronousTestCase):
    """One test for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(TelephoneDefenceTests, f"test_{_number:02}", _of(_name))
