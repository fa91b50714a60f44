"""What may be called, and at which price: the rate table in force, the classes that are allowed, the tax."""

from msgspec import structs
from phonenumbers import NumberParseException, PhoneNumberType, number_type
from phonenumbers import parse as parse_number

from safeum_home.config_safenum import SafenumSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import is_number
from safeum_home.safenum.money.rate_table import RateTables
from safeum_home.safenum.money.rating import Rate
from safeum_home.safenum.money.vat import VatTable

PREMIUM = "premium"


class Tariff:
    """For the reactor's thread, but for `vat_rate`, which is for any."""

    def __init__(self, section: SafenumSection, tables: RateTables, vat: VatTable) -> None:
        self._section = section
        self._tables = tables
        self.vat = vat
        """It may be replaced."""

    def rate(self, number: str, day: int) -> Rate:
        """Of a call to a number; raises `no_rate`, and `destination_refused` with the class as its detail."""
        if not is_number(number):
            # Emergency and other short numbers: from nowhere they lead nowhere.
            raise Problem(Code.NO_RATE)
        rate = self._tables.table.find(number, day)
        if rate is None or rate.currency != self._section.currency:
            raise Problem(Code.NO_RATE)
        if (kind := self.kind(number, rate)) not in self._section.destinations:
            raise Problem(Code.DESTINATION_REFUSED, kind)
        return rate

    def free(self, number: str, day: int) -> Rate:
        """Of a call that its account does not pay for, whatever it costs the node."""
        rate = self._tables.table.find(number, day)
        if rate is None or rate.currency != self._section.currency:
            rate = Rate("", "", "", 0, None, self._section.currency, 0, 0, 1, 1)
        return structs.replace(rate, fee=0, minute=0)

    def kind(self, number: str, rate: Rate) -> str:
        """The class of a number: a table that is less than exact makes no premium number a fixed one."""
        return PREMIUM if _is_premium(number) else rate.kind

    def country(self, declared: str) -> str:
        """Whose tax is charged; raises `country_needed`."""
        if not (country := declared or self._section.country):
            raise Problem(Code.COUNTRY_NEEDED)
        return country

    def vat_rate(self, country: str, day: int) -> int:
        """In basis points."""
        return self.vat.rate(country, day)


def _is_premium(number: str) -> bool:
    try:
        return number_type(parse_number(number)) == PhoneNumberType.PREMIUM_RATE
    except NumberParseException:
        return False
