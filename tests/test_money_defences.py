"""Tests of money notice when what they test is gone."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.protocol import voprf
from safeum_home.safenum.money import ledger, rate_file, settling, vouchers
from safeum_home.safenum.money.hold_record import HoldRecord
from safeum_home.safenum.money.holds import Holds
from safeum_home.safenum.money.ledger import Ledger
from safeum_home.safenum.money.settling import Settling
from safeum_home.safenum.money.tariff import Tariff
from tests.without import Defence, check, nothing, yes

CALLS, BOOKS, LEDGER = "tests.test_money_calls.", "tests.test_money_books.", "tests.test_money_ledger."
RATES, VOUCHERS = "tests.test_money_rates.", "tests.test_money_vouchers."


def _no(*_arguments: object, **_named: object) -> bool:
    return False


def _none(*_arguments: object, **_named: object) -> int:
    return 0


def _plenty(*_arguments: object, **_named: object) -> int:
    return 10**12


def _all(hold: HoldRecord, spoken: int) -> int:
    """`settling._billed` that bills what was not granted."""
    return spoken


DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "one-sided entries": (LEDGER + "LedgerTests.test_one_sided", (Defence(ledger, "_check", nothing),)),
    "payments told again": (BOOKS + "CreditTests.test_credited_once", (Defence(Ledger, "enter", yes),)),
    "calls at once": (
        CALLS + "LimitTests.test_calls_at_once",
        (Defence(Holds, "_outgoing", _none),),
    ),
    "what a day may cost": (
        CALLS + "LimitTests.test_spend_per_day",
        (Defence(Holds, "_allowance", _plenty),),
    ),
    "what was not granted": (CALLS + "ChargedTests.test_extended", (Defence(settling, "_billed", _all),)),
    "calls of this process": (
        CALLS + "KilledTests.test_new_calls_are_left",
        (Defence(Settling, "_is_own", _no),),
    ),
    "premium numbers in disguise": (
        RATES + "TariffTests.test_premium_in_disguise",
        (Defence(Tariff, "kind", lambda self, number, rate: rate.kind),),
    ),
    "gaps and overlaps": (RATES + "FileTests.test_dates", (Defence(rate_file, "_dates", lambda rows: ()),)),
    "tokens of another value": (
        VOUCHERS + "VoucherTests.test_worth_no_more",
        (Defence(vouchers, "compare_digest", yes),),
    ),
    "keys of one's own": (
        VOUCHERS + "HostileTests.test_key_of_ones_own",
        (Defence(voprf, "verify", nothing),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "MoneyDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class MoneyDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(MoneyDefenceTests, f"test_{_number:02}", _of(_name))
