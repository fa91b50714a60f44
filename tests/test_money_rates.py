"""Prices: what a call costs, what may stand in a rate table, and which tax there is."""

from fractions import Fraction
from math import ceil
from typing import Any

from eu_vat_rates_data import data_version, get_all_rates
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config_safenum import DESTINATIONS
from safeum_home.errors import Problem
from safeum_home.safenum.money import amounts, rate_file, vat
from safeum_home.safenum.money.months import (
    day_text,
    month_of,
    month_text,
    parse_day,
    parse_month,
)
from safeum_home.safenum.money.rate_table import RateTable
from safeum_home.safenum.money.rating import Rate, billed, paid_for, price, with_tax
from tests.money_case import LANDLINE, MOBILE, PREMIUM, RATES, SATELLITE, UNIT, Bank

HEADER = ",".join(rate_file.COLUMNS)
ROW = "49,Germany,fixed,2026-01-01,,EUR,0,0.012,1,1"
TODAY = parse_day("2026-11-29")
_STATES = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
rates = st.builds(
    Rate,
    prefix=st.just("49"),
    name=st.just("x"),
    kind=st.just("fixed"),
    begins=st.just(0),
    ends=st.none(),
    currency=st.just("EUR"),
    fee=st.integers(0, 10**6),
    minute=st.integers(0, 10**7),
    first=st.integers(1, 90),
    step=st.integers(1, 90),
)
vats = st.sampled_from([0, 1900, 2550, 2700])


def told(*lines: str, header: str = HEADER) -> list[tuple[int, str]]:
    """What is found wrong with a file of these lines."""
    return [tuple(fault) for fault in rate_file.read("\n".join([header, *lines]).encode(), "EUR").faults]  # type: ignore[misc]


class RatingTests(SynchronousTestCase):
    def test_by_the_second(self) -> None:
        rate = RATES[0]
        self.assertEqual(price(rate, 60, 1900), (60, 14_280, 12_000, 2_280))
        self.assertEqual(price(rate, 1, 0), (1, 200, 200, 0))
        self.assertEqual(price(rate, 0, 1900), (0, 0, 0, 0))

    def test_by_the_minute(self) -> None:
        """What was begun is paid, and the connection once."""
        rate = RATES[1]
        self.assertEqual(price(rate, 1, 0), (60, 170_000, 170_000, 0))
        self.assertEqual(price(rate, 60, 0).gross, 170_000)
        self.assertEqual(price(rate, 61, 0), (120, 290_000, 290_000, 0))

    def test_first_and_further(self) -> None:
        rate = RATES[4]
        self.assertEqual([billed(rate, each) for each in (0, 1, 30, 31, 36, 37)], [0, 30, 30, 36, 36, 42])

    def test_rounded_once(self) -> None:
        """A third of a micro-unit a second is not rounded for each second, nor before the tax is on it."""
        rate = Rate("49", "x", "fixed", 0, None, "EUR", 0, 20, 1, 1)
        self.assertEqual(price(rate, 3, 0).gross, 1)
        self.assertEqual(price(rate, 4, 0).gross, 2)
        self.assertEqual(price(rate, 30, 1900).gross, 12)

    @given(rates, st.integers(1, 10_000), vats)
    def test_exact(self, rate: Rate, seconds: int, tax: int) -> None:
        """The same as with fractions; net and tax are what is paid; a longer call is not cheaper."""
        paid = price(rate, seconds, tax)
        exact = (rate.fee + Fraction(rate.minute * billed(rate, seconds), 60)) * Fraction(
            10_000 + tax, 10_000
        )
        self.assertEqual(paid.gross, ceil(exact))
        self.assertEqual(paid.net + paid.vat, paid.gross)
        self.assertLessEqual(abs(paid.vat - Fraction(paid.gross * tax, 10_000 + tax)), Fraction(1, 2))
        self.assertGreaterEqual(price(rate, seconds + 1, tax).gross, paid.gross)

    @settings(max_examples=300)
    @given(rates, st.integers(0, 10**8), vats, st.integers(1, 7200))
    def test_paid_for(self, rate: Rate, amount: int, tax: int, most: int) -> None:
        """An amount is enough for so many seconds, and for not one more."""
        seconds = paid_for(rate, amount, tax, most)
        self.assertLessEqual(price(rate, seconds, tax).gross, amount)
        if seconds < most:
            self.assertGreater(price(rate, seconds + 1, tax).gross, amount)

    def test_shown(self) -> None:
        self.assertEqual(with_tax(12_000, 2550), 15_060)
        self.assertEqual(with_tax(1, 1900), 2)

    def test_amounts(self) -> None:
        for text, amount in {
            "0": 0,
            "12.5": 12_500_000,
            "0.000001": 1,
            "999999999": 999_999_999 * UNIT,
        }.items():
            self.assertEqual(amounts.parse(text), amount)
        for text in ("", "-1", "1.", ".5", "1e3", "1.0000001", "1,5", " 1", "1\n", "\u0661", "1234567890"):
            self.assertRaises(ValueError, amounts.parse, text)
        self.assertEqual(
            [amounts.written(each) for each in (0, 1, -1_500_000)], ["0.00", "0.000001", "-1.50"]
        )

    def test_months(self) -> None:
        self.assertEqual(month_text(month_of(1_795_953_600_000)), "2026-11")
        self.assertEqual(month_text(parse_month("2026-01") - 1), "2025-12")
        self.assertEqual(day_text(parse_day("2024-02-29")), "2024-02-29")
        for text in ("2026-13", "2026-1", "26-01", "2026-01-01", "2026-01\n"):
            self.assertRaises(ValueError, parse_month, text)
        for text in ("2026-02-30", "20260101", "2026-W01-1", "2026-1-1"):
            self.assertRaises(ValueError, parse_day, text)


class FileTests(SynchronousTestCase):
    def test_taken(self) -> None:
        """All columns, with and without the cost, quotes, a mark of the byte order, line ends of Windows."""
        text = (
            f'{HEADER},cost_per_minute\r\n+49,"Germany, fixed",fixed,2026-01-01,,EUR,0.5,0.012,30,6,0.004\r\n'
        )
        [rate], faults, _ = rate_file.read(b"\xef\xbb\xbf" + text.encode(), "EUR")
        self.assertEqual(faults, [])
        begins = parse_day("2026-01-01")
        self.assertEqual(
            rate, Rate("49", "Germany, fixed", "fixed", begins, None, "EUR", 500_000, 12_000, 30, 6, 4_000)
        )
        self.assertEqual(told(ROW), [])

    def test_all_at_once(self) -> None:
        """Each line that is wrong is told, with all that is wrong with it."""
        found = told(
            ROW,
            "049,Germany,fixed,2026-01-01,,EUR,0,0.012,1,1",
            "999,Nowhere,fixed,2026-01-01,,EUR,0,0.012,1,1",
            "33,France,toll,2026-01-01,,EUR,0,-0.012,1,1",
            "34,Spain,fixed,2026-02-30,,USD,x,0.012,0,1",
            "39,Italy,fixed,2026-01-01",
            "43,,fixed,2026-02-01,2026-01-01,EUR,0,1001,1,3601",
        )
        self.assertEqual([line for line, _ in found], [3, 4, 5, 6, 7, 8])
        texts = [text for _, text in found]
        self.assertIn("digits", texts[0])
        self.assertIn("no country code in 999", texts[1])
        self.assertIn("class: one of", texts[2])
        self.assertIn("price_per_minute: below zero", texts[2])
        for said in (
            "from: not a day",
            "currency: not EUR",
            "connection_fee: not an amount",
            "first_increment",
        ):
            self.assertIn(said, texts[3])
        self.assertEqual(texts[4], "there are 4 fields, and not 10")
        for said in ("destination", "until: not after from", "above 1000.00", "increment: 1 to 3600"):
            self.assertIn(said, texts[5])

    def test_dates(self) -> None:
        """Rates of a prefix follow each other, in whichever order they stand in the file."""
        first = "49,Germany,fixed,2026-01-01,2026-06-01,EUR,0,0.01,1,1"
        second = "49,Germany,fixed,2026-06-01,,EUR,0,0.02,1,1"
        self.assertEqual(told(first, second), [])
        self.assertEqual(told(second, first), [])
        self.assertEqual(told(ROW, ROW), [(3, "49: the same as line 2")])
        self.assertEqual(told(ROW, second), [(3, "49: overlaps line 2")])
        overlap = first.replace("2026-06-01", "2026-06-02")
        self.assertEqual(told(second, overlap), [(2, "49: overlaps line 3")])
        gap = first.replace("2026-06-01", "2026-05-31")
        [(line, text)] = told(gap, second)
        self.assertEqual((line, text[:44]), (3, "49: nothing is in force between 2026-05-31 a"))
        [(line, text)] = told(first)
        self.assertEqual((line, text[:37]), (2, "49: nothing is in force from 2026-06-"))

    def test_encodings(self) -> None:
        """What is not UTF-8 is told by its line; what UTF-16 or a program has left is no text."""
        latin = f"{HEADER}\n{ROW}\n43,Österreich,fixed,2026-01-01,,EUR,0,1,1,1".encode("latin-1")
        self.assertEqual(rate_file.read(latin, "EUR").faults, [(3, "this is not UTF-8")])
        self.assertEqual(rate_file.read(f"{HEADER}\n{ROW}".encode("utf-16"), "EUR").faults[0].line, 1)
        self.assertEqual(told(ROW.replace("Germany", "Ger\x00many"))[0][0], 2)
        self.assertEqual(told(ROW.replace("Germany", "Ger\x1b[2Jmany"))[0][0], 2)

    def test_csv(self) -> None:
        """A quote or a field without end, a file without rates, another header, semicolons."""
        self.assertIn("not CSV", told(ROW.replace("Germany", '"Germany'))[0][1])
        self.assertIn("not CSV", told(ROW.replace("Germany", "G" * 200_000))[0][1])
        self.assertEqual(told(), [(1, "there are no rates")])
        self.assertEqual(rate_file.read(b"", "EUR").faults[0].line, 1)
        for header in (HEADER.replace("class", "kind"), HEADER.replace(",", ";"), ROW):
            self.assertIn("the first line is not", told(ROW, header=header)[0][1])
        twice = ROW.replace("Germany", '"Ger\nmany"')
        self.assertEqual([line for line, _ in told(twice, "x", ROW)], [2, 4])

    def test_bounds(self) -> None:
        """Of very many faults the first are told; too large is told at once."""
        checked = rate_file.read("\n".join([HEADER, *["x"] * 250]).encode(), "EUR")
        self.assertEqual((len(checked.faults), checked.more, checked.rates), (100, 150, []))
        self.assertIn("larger", rate_file.read(b"x" * (rate_file.LARGEST + 1), "EUR").faults[0].text)
        self.patch(rate_file, "MOST_RATES", 2)
        rows = [ROW.replace("49", f"49{each}", 1) for each in range(3)]
        self.assertEqual(told(*rows), [(4, "there are more than 2 rates")])

    @given(st.binary(max_size=200))
    def test_anything(self, octets: bytes) -> None:
        """Nothing is taken for a table that is none."""
        found = rate_file.read(HEADER.encode() + b"\n" + octets, "EUR")
        self.assertNotEqual(bool(found.rates), bool(found.faults))


class TableTests(SynchronousTestCase):
    def test_longest_prefix(self) -> None:
        table = RateTable(RATES)
        for number, name in {
            LANDLINE: "Germany",
            MOBILE: "Germany mobile",
            PREMIUM: "Germany premium",
            SATELLITE: "Thuraya",
        }.items():
            found = table.find(number, TODAY)
            assert found is not None
            self.assertEqual(found.name, name)
        self.assertIsNone(table.find("+33123456789", TODAY))
        self.assertIsNone(RateTable(()).find(LANDLINE, TODAY))

    def test_dates(self) -> None:
        """Each day has its rate; a prefix whose first one is to come leaves it to the shorter one."""
        june = parse_day("2026-06-01")
        old, new = (
            Rate("49", "old", "fixed", 0, june, "EUR", 0, 1, 1, 1),
            Rate("49", "new", "fixed", june, None, "EUR", 0, 2, 1, 1),
        )
        later = Rate("4930", "Berlin", "fixed", june + 30, None, "EUR", 0, 3, 1, 1)
        table = RateTable([old, new, later])
        found = [table.find(LANDLINE, day) for day in (june - 1, june, june + 29, june + 30)]
        self.assertEqual(found, [old, new, new, later])

    def test_stored(self) -> None:
        """A table is put in force as one, survives a restart, and the last ten are kept."""
        bank = Bank(rates=[])
        many = [Rate(f"49{each}", "x", "fixed", 0, None, "EUR", 0, each, 1, 1) for each in range(1001, 2502)]
        for _ in range(12):
            bank.do(bank.tables.replace(many, RateTable(many)))
        bank.do(bank.tables.replace(RATES[:1], RateTable(RATES[:1])))
        again = bank.again()
        again.do(again.tables.load())
        self.assertEqual(again.tables.version, (13, bank.now(), 1))
        self.assertEqual(again.tables.table.find(LANDLINE, TODAY), RATES[0])
        self.assertEqual(bank.database.count("rate_tables"), 10)
        self.assertEqual(bank.database.count("rates"), 9 * 4 + 1)

    def test_not_stored(self) -> None:
        """Where the commit fails the table before it stays in force."""
        bank = Bank(rates=RATES)
        bank.database.failing = True
        with self.assertRaises(Problem):
            bank.do(bank.tables.replace([], RateTable(())))
        self.assertEqual(bank.tables.table.find(LANDLINE, TODAY), RATES[0])


class VatTests(SynchronousTestCase):
    def test_member_states(self) -> None:
        """All of the Union, and nobody else; no rate is below 15 % (Directive 2006/112/EC, Article 97)."""
        table = vat.load(vat.STANDARD)
        states = _STATES.split()
        self.assertEqual(table.countries, states)
        for state in states:
            self.assertTrue(1500 <= table.rate(state, TODAY) <= 2700, state)
        for other in ("CH", "GB", "US", "IS", ""):
            self.assertEqual(table.rate(other, TODAY), 0)

    def test_by_others(self) -> None:
        """A collection that somebody else keeps of the Commission's database has the same rates."""
        table = vat.load(vat.STANDARD)
        theirs = {code: each for code, each in get_all_rates().items() if each["eu_member"]}
        collected = parse_day(data_version)
        self.assertEqual(
            {code: each["standard"] for code, each in theirs.items()},
            {state: table.rate(state, collected) / 100 for state in table.countries},
        )

    def test_changed_lately(self) -> None:
        table = vat.load(vat.STANDARD)
        for state, day, before, since in (
            ("FI", "2024-09-01", 2400, 2550),
            ("EE", "2025-07-01", 2200, 2400),
            ("SK", "2025-01-01", 2000, 2300),
            ("RO", "2025-08-01", 1900, 2100),
        ):
            at = parse_day(day)
            self.assertEqual((table.rate(state, at - 1), table.rate(state, at)), (before, since))

    def test_source(self) -> None:
        """The file says where its rates are from."""
        from importlib.resources import files

        text = files("safeum_home.safenum.money").joinpath("vat.csv").read_text(encoding="utf-8")
        self.assertIn("European Commission", text.partition("country,from,percent")[0])

    def test_another_file(self) -> None:
        path = self.mktemp()
        good = "# own\ncountry,from,percent\nDE,2026-01-01,16\nDE,2026-07-01,19.5\n"
        for text, wrong in {
            good: None,
            "x": "the first line",
            good + "DE,2026-07-01,19\n": "line 5",
            good + "D,2026-08-01,19\n": "line 5",
            good + "FR,2026-08-01,100\n": "line 5",
            good + "FR,2026-08-01\n": "line 5",
        }.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            if wrong is None:
                self.assertEqual(vat.load(path).rate("DE", TODAY), 1950)
            else:
                self.assertIn(wrong, str(self.assertRaises(ValueError, vat.load, path)))


class TariffTests(SynchronousTestCase):
    def refusal(self, number: str, **settings: Any) -> str:
        return str(self.assertRaises(Problem, Bank(**settings).tariff.rate, number, TODAY))

    def test_refused(self) -> None:
        """Premium, satellite and emergency numbers are refused by default, each with what it is."""
        self.assertEqual(self.refusal(PREMIUM), "destination_refused: premium")
        self.assertEqual(self.refusal(SATELLITE), "destination_refused: satellite")
        for short in ("112", "911", "+112", "110", "*31#", "+49 30 123456", "sip:x@y"):
            self.assertEqual(self.refusal(short), "no_rate")
        self.assertEqual(self.refusal("+33123456789"), "no_rate")

    def test_premium_in_disguise(self) -> None:
        """A table that says nothing of premium numbers does not make them cheap ones."""
        self.assertEqual(self.refusal(PREMIUM, rates=RATES[:1]), "destination_refused: premium")

    def test_allowed(self) -> None:
        bank = Bank(destinations=["satellite"])
        self.assertEqual(bank.tariff.rate(SATELLITE, TODAY).name, "Thuraya")
        self.assertEqual(self.refusal(LANDLINE, destinations=["satellite"]), "destination_refused: fixed")
        self.assertEqual({rate.kind for rate in RATES} - set(DESTINATIONS), set())

    def test_other_currency(self) -> None:
        """A table in another currency than that of balances is of no use."""
        self.assertEqual(self.refusal(LANDLINE, currency="CHF"), "no_rate")
