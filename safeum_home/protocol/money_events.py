"""What a node tells of money."""

from msgspec import Struct

from safeum_home.protocol.event import event
from safeum_home.protocol.money_types import Currency, Micros


@event("balance.changed", durable=False)
class BalanceChanged(Struct, frozen=True):
    """The account's balance is this now, and so much is held for calls that go on."""

    currency: Currency
    balance: Micros
    held: Micros
