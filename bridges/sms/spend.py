"""The spend breaker: what a day may bring, in messages and in money, whoever asks for it."""

from collections.abc import Callable, Mapping

from twisted.logger import Logger

from safeum_home.errors import Code, Problem

DAY = 86400
MILLION = 1_000_000


class DayBudget:
    """Messages and their cost since midnight UTC. It is counted in memory: a restart begins anew."""

    _log = Logger()

    def __init__(
        self,
        messages: int,
        cost: int,
        price: int,
        prices: Mapping[str, int],
        now: Callable[[], float],
    ) -> None:
        """`cost` and prices are in millionths of a unit; `prices` are by the first digits of a number."""
        self._most, self._most_cost = messages, cost
        self._price, self._prices = price, dict(prices)
        self._now = now
        self._day = 0
        self._alarmed = False
        self.messages = 0
        self.cost = 0

    def price(self, number: str) -> int:
        """What a message to `number` costs: the longest prefix of the table counts."""
        for length in range(len(number), 1, -1):
            found = self._prices.get(number[1:length])
            if found is not None:
                return found
        return self._price

    @property
    def report(self) -> str:
        self._turn()
        return (
            f"today: {self.messages} of {self._most} messages, "
            f"{self.cost / MILLION:.2f} of {self._most_cost / MILLION:.2f}"
        )

    def take(self, number: str) -> int:
        """The day that a message is taken from.

        Raises `Problem(rate_limited)`, until midnight, where the day cannot bear it.
        """
        self._turn()
        price = self.price(number)
        if self.messages < self._most and self.cost + price <= self._most_cost:
            self.messages += 1
            self.cost += price
            return self._day
        if not self._alarmed:
            self._alarmed = True
            self._log.critical(
                "ALARM: the day's budget for text messages is used up, after {messages}: "
                "not all codes are sent until midnight UTC.",
                messages=self.messages,
            )
        raise Problem(Code.RATE_LIMITED, retry_after=(self._day + 1) * DAY - self._now())

    def give_back(self, number: str, day: int) -> None:
        """A message that was taken for was certainly not sent."""
        self._turn()
        if day == self._day:
            self.messages -= 1
            self.cost -= self.price(number)

    def _turn(self) -> None:
        day = int(self._now() // DAY)
        if day > self._day:
            self._day, self._alarmed = day, False
            self.messages = self.cost = 0
