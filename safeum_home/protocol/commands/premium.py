"""Premium, which is bought from the balance, and with which secure chats are begun. docs/money.md."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.money_types import Currency, Micros
from safeum_home.protocol.scalars import ClientId, Milliseconds

MOST_MONTHS = 12


class PremiumState(Result, frozen=True):
    """`free`: everybody has it. Else it is paid for `until` (0: it never was), and a month costs `price`.

    The price is with its tax.
    """

    free: bool
    until: Milliseconds
    price: Micros
    currency: Currency


@command("premium.get", PremiumState, activity=False)
class PremiumGet(Params, frozen=True):
    """Whether and until when the account has premium, and what it costs."""


@command("premium.buy", PremiumState, cost=5)
class PremiumBuy(Params, frozen=True):
    """Pay for so many months more, from the end of those that were paid for before, or from now.

    `price` is that of a month, as it was shown: `price_changed` where it is another one. For each `client_id`
    it is paid once. `no_balance`, `country_needed`, `premium_free` (there is nothing to pay), and
    `limit_reached` beyond five years.
    """

    months: Annotated[int, Meta(ge=1, le=MOST_MONTHS)]
    price: Micros
    client_id: ClientId
