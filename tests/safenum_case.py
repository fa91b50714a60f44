"""A node with SafeNUMs to give."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config_safenum import SafenumSection
from safeum_home.ids import AccountId
from safeum_home.safenum.numbers.inventory import Loaded
from safeum_home.safenum.numbers.stock_file import parse
from tests.world import Client, World

HEADER = "first,last,country,capabilities\n"
HOUR = 3600.0
DAY = 24 * HOUR


def file(first: str, last: str = "", country: str = "IS", words: str = "voice-in voice-out") -> str:
    """A file with one range."""
    return f"{HEADER}{first},{last},{country},{words}\n"


class SafenumCase(SynchronousTestCase):
    """`load` numbers into a world; a client's number is what its own profile shows."""

    def start(self, text: str | None = None, **settings: Any) -> World:
        """A node; with a range of as many numbers as are in `text`."""
        self.world = World(safenum=SafenumSection(**settings))
        if text is not None:
            self.load(text)
        return self.world

    def load(self, text: str, check: bool = False) -> Loaded:
        inventory, lines = self.world.domain.numbers.inventory, parse(text)
        done = self.world.database.transact(lambda c: inventory.load(c, lines, check))
        return self.successResultOf(done)

    def number(self, client: Client) -> str | None:
        found: str | None = client.call("profile.get")["profile"]["safenum"]
        return found

    def seen(self, client: Client, other: Client) -> str | None:
        found: str | None = client.call("profile.get", account=other.account)["profile"]["safenum"]
        return found

    def owner(self, number: str) -> str | None:
        numbers = self.world.domain.numbers.numbers
        return self.world.database.now(lambda c: numbers.owner(c, number))

    def left(self) -> int:
        inventory = self.world.domain.numbers.inventory
        return sum(each.left for each in self.world.database.now(inventory.ranges))

    def give(self, client: Client) -> None:
        giving = self.world.domain.numbers.giving
        self.successResultOf(Deferred.fromCoroutine(giving.give(AccountId(client.account))))()

    def take_back(self, client: Client) -> None:
        giving = self.world.domain.numbers.giving
        self.successResultOf(Deferred.fromCoroutine(giving.take_back(AccountId(client.account))))()
