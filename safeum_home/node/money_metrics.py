"""Money in numbers, for whoever watches this node: sums of the ledger's accounts, and what was refused."""

from collections.abc import Mapping

from sqlalchemy import Connection

from safeum_home.admin.metrics import Metric, Sample
from safeum_home.safenum.money.counts import MoneyCounts
from safeum_home.safenum.money.ledger import Ledger
from safeum_home.storage.wallets import count_all_holds


def metrics(
    c: Connection, ledger: Ledger, counts: MoneyCounts, told: Mapping[tuple[str, str], int]
) -> list[Metric]:
    """`told` is what came of providers, by sort. Labels are accounts of the ledger, currencies, and words of
    the node: no account of a person.
    """
    totals = [
        Sample({"account": total.account, "currency": total.currency}, total.amount)
        for total in ledger.totals(c)
    ]
    refused = [
        Sample({"asked": asked, "reason": reason}, count)
        for (asked, reason), count in sorted(counts.refused.items())
    ]
    payments = [
        Sample({"provider": provider, "what": what}, count)
        for (provider, what), count in sorted(told.items())
    ]
    return [
        Metric(
            "ledger",
            "gauge",
            "Totals of the ledger's accounts, in millionths of a unit: debits above zero, credits below.",
            totals,
        ),
        Metric(
            "holds",
            "gauge",
            "Calls that go on, with what is held for them.",
            [Sample({}, count_all_holds(c))],
        ),
        Metric("payments", "counter", "What was told of payments and kept, by sort.", payments),
        Metric("refused", "counter", "Calls, purchases and payments that were refused, by why.", refused),
    ]
