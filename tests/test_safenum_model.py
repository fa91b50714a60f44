"""Whatever is given, taken back and loaded, and however time passes: a number has one owner."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId
from safeum_home.ports import Owner
from safeum_home.safenum.numbers.assignment import Numbers
from safeum_home.safenum.numbers.inventory import Inventory
from safeum_home.safenum.numbers.stock_file import BadFile, parse
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import open_vault
from tests.instant_database import InstantDatabase
from tests.safenum_case import DAY, HEADER
from tests.world_parts import arena

QUARANTINE = 3
PEOPLE = [AccountId(f"@{letter * 26}:home.example") for letter in "abcdef"]


class _Nobody:
    """`ports.Owners`: whose a row is is not asked here."""

    async def need(self, account: AccountId) -> Owner:
        raise AssertionError

    def read(self, c: object, account: AccountId) -> Owner | None:
        raise AssertionError

    def behind(self, c: object, blind: bytes) -> Owner | None:
        raise AssertionError

    def must_be_there(self, c: object, owner: Owner) -> None:
        raise AssertionError


class NumbersModel(RuleBasedStateMachine):
    """Against a model that is plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.clock.advance(1_000_000_000.5)
        self.database = InstantDatabase()
        self.vault = open_vault(generate(arena()), None)
        self.restarted()
        self.loaded: dict[str, int] = {}
        """Numbers with their ranges' index."""
        self.withdrawn: set[int] = set()
        self.owned: dict[AccountId, str] = {}
        self.left_at: dict[str, float] = {}

    @rule()
    def restarted(self) -> None:
        """Nothing of it is in memory."""
        key, blinder = self.vault.numbers, self.vault.blinder
        now = lambda: int(self.clock.seconds() * 1000)  # noqa: E731
        self.numbers = Numbers(key, blinder, _Nobody(), QUARANTINE, now)
        self.inventory = Inventory(key, lambda size: bytes(range(size)), lambda: self.numbers.hour)

    @rule(at=st.integers(0, 9), size=st.integers(1, 3))
    def load(self, at: int, size: int) -> None:
        text = f"{HEADER}+35449000{at:02},+35449000{at + size - 1:02},IS,voice-in\n"
        new = [f"+35449000{number:02}" for number in range(at, at + size)]
        stock = max(self.loaded.values(), default=0) + 1
        try:
            with self.database.connection.begin():
                done = self.inventory.load(self.database.connection, parse(text), False)
        except BadFile:
            assert any(number in self.loaded for number in new)
            return
        if done.back:
            self.withdrawn.discard(self.loaded[new[0]])
            return
        assert not any(number in self.loaded for number in new)
        self.loaded.update(dict.fromkeys(new, stock))

    @precondition(lambda self: self.loaded)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.loaded)))
        with self.database.connection.begin():
            assert self.inventory.withdraw(self.database.connection, number)
        self.withdrawn.add(self.loaded[number])

    @rule(account=st.sampled_from(PEOPLE))
    def give(self, account: AccountId) -> None:
        free = self._free()
        with self.database.connection.begin():
            blind = self.vault.blinder.account(account)
            would = self.numbers.would_give(self.database.connection, blind)
            done = self.numbers.give(self.database.connection, blind)
            number = self.numbers.number_of(self.database.connection, account)
        assert would == done
        if account in self.owned:
            assert not done and number == self.owned[account]
            return
        if not done:
            assert number is None and not free, (number, free)
            return
        assert number in free or self._may(number), (number, self.left_at)
        assert number is not None
        self.owned[account] = number

    @rule(account=st.sampled_from(PEOPLE))
    def take_back(self, account: AccountId) -> None:
        with self.database.connection.begin():
            done = self.numbers.take_back(self.database.connection, self.vault.blinder.account(account))
        assert done == (account in self.owned)
        if done:
            self.left_at[self.owned.pop(account)] = self.clock.seconds()

    @rule(hours=st.sampled_from([0.4, 1, 24, 71.9, 72, 73.1]))
    def time_passes(self, hours: float) -> None:
        self.clock.advance(hours * 3600)

    def _may(self, number: str | None) -> bool:
        """Nobody has it, and the quarantine is over to the second."""
        if (
            number not in self.loaded
            or self.loaded[number] in self.withdrawn
            or number in self.owned.values()
        ):
            return False
        left = self.left_at.get(number)
        return left is None or self.clock.seconds() >= left + QUARANTINE * DAY

    def _free(self) -> list[str]:
        """Those that have to be given: an hour more than the quarantine may be waited."""
        late = self.clock.seconds() - QUARANTINE * DAY - 3600
        return [each for each in self.loaded if self._may(each) and self.left_at.get(each, 0) <= late]

    @invariant()
    def one_owner(self) -> None:
        assert len(set(self.owned.values())) == len(self.owned)
        ranges = self.database.now(self.inventory.ranges)
        assert sum(each.given for each in ranges) == len(self.owned)
        assert sum(each.size for each in ranges) == len(self.loaded)


class ModelTests(SynchronousTestCase):
    def test_one_owner(self) -> None:
        run_state_machine_as_test(
            NumbersModel,
            settings=settings(
                max_examples=40,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
