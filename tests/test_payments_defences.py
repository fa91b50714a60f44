"""Tests of payments notice when what they test is gone."""

from typing import Any

from stdnum import iban
from stdnum.iso7064 import mod_97_10
from twisted.trial.unittest import SynchronousTestCase

from bridges.payments import camt, stripe, stripe_events
from safeum_home.gateway import notifications
from safeum_home.safenum.money import premium
from safeum_home.safenum.money.ledger import Ledger
from safeum_home.safenum.money.payment_record import PaymentRecord
from safeum_home.storage import payments as rows
from tests.without import Defence, check, nothing, yes

BOOK, FLOW = "tests.test_payments_book.", "tests.test_payments_flow."
CAMT, STRIPE, PREMIUM = (
    "tests.test_payments_camt.",
    "tests.test_payments_stripe.",
    "tests.test_money_premium.",
)


def _none(*_arguments: object, **_named: object) -> int:
    return 0


def _all_back(record: PaymentRecord) -> int:
    """`PaymentRecord.back` without its bound."""
    return sum(part.total for part in record.parts.values())


def _yielding(*arguments: Any, **named: Any) -> Any:
    """`camt.iterparse` that takes what defusedxml would not."""
    from xml.etree.ElementTree import iterparse

    named.pop("forbid_dtd")
    return iterparse(*arguments, **named)


def _checksum(_number: str) -> int:
    return 1


DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "signatures": (FLOW + "HookTests.test_forged", (Defence(stripe_events, "verify", nothing),)),
    "old signatures": (
        STRIPE + "SignatureTests.test_old",
        (Defence(stripe_events, "TOLERANCE", 10**9),),
    ),
    "pages over TLS": (STRIPE + "BeginTests.test_answers", (Defence(stripe, "_is_page", yes),)),
    "payments told again": (BOOK + "PaidTests.test_added_once", (Defence(Ledger, "enter", yes),)),
    "references without end": (BOOK + "PaidTests.test_bounded", (Defence(rows, "count_open", _none),)),
    "more than was paid": (
        BOOK + "PaidBackTests.test_no_more_than_paid",
        (Defence(PaymentRecord, "back", property(_all_back)),),
    ),
    "long notifications": (
        FLOW + "HookTests.test_long",
        (Defence(notifications, "LARGEST", 64 * 1024),),
    ),
    "notifications at once": (
        FLOW + "HookTests.test_at_once",
        (Defence(notifications, "OF_AN_ADDRESS", 10**6),),
    ),
    "document types": (CAMT + "HostileTests.test_entities", (Defence(camt, "iterparse", _yielding),)),
    "statements of others": (
        CAMT + "ReadTests.test_another_account",
        (Defence(iban, "compact", _none),),
    ),
    "depth": (CAMT + "HostileTests.test_bounds", (Defence(camt, "DEEPEST", 10**6),)),
    "check digits": (CAMT + "ReferenceTests.test_mistyped", (Defence(mod_97_10, "checksum", _checksum),)),
    "premium once": (PREMIUM + "PremiumTests.test_once", (Defence(Ledger, "enter", yes),)),
    "premium for ever": (
        PREMIUM + "PremiumTests.test_refused",
        (Defence(premium, "MOST_AHEAD", 10**4),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "PaymentDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class PaymentDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(PaymentDefenceTests, f"test_{_number:02}", _of(_name))
