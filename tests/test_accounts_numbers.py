"""Mobile numbers have one written form, and what is none is not taken for one."""

from random import Random

import phonenumbers
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.numbers import e164
from safeum_home.errors import Code, Problem
from safeum_home.ids import is_number

MOBILE = [
    phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (found := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
]
FIXED = [
    phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    for kind in (phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.TOLL_FREE)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (found := phonenumbers.example_number_for_type(region, kind))
]


class NumberTests(SynchronousTestCase):
    def refused(self, text: str) -> None:
        problem = self.assertRaises(Problem, e164, text)
        self.assertIs(problem.code, Code.INVALID_NUMBER, text)
        self.assertEqual(str(problem), "invalid_number")  # and nothing of what was given

    def test_every_country(self) -> None:
        """The example of each numbering plan is taken, and is in its one form already."""
        self.assertGreater(len(MOBILE), 200)
        for number in MOBILE:
            self.assertEqual(e164(number), number)

    def test_numbers_that_cost_or_ring_nobody(self) -> None:
        """What no mobile phone has is refused: premium and free numbers, of every country."""
        self.assertGreater(len(FIXED), 200)
        for number in FIXED:
            self.refused(number)

    def test_spellings(self) -> None:
        """However people write it, it is one number."""
        for text in (
            "+491711234567",
            "+49 171 1234567",
            "+49 (171) 123-45.67",
            "+49/171/1234567",
            "+4901711234567",
            "+49 (0) 171 1234567",
        ):
            self.assertEqual(e164(text), "+491711234567")

    def test_what_is_none(self) -> None:
        """No country, no digits of other scripts, no letters, no extensions, nothing around it."""
        for text in (
            *("", "+", "+49", "0171 1234567", "491711234567", "0049 171 1234567", "++491711234567"),
            *("+49 171 1234567 x5", "+49171FLOWERS", "tel:+491711234567", "+491711234567;ext=1"),
            *("+\u0664\u06691711234567", "\uff0b491711234567", "+491711234567\n", "+491711234567\x00"),
            *("+49 30 123456", "+41446681800", "+999123456789", "+4917112345678901", "+1 202 555"),
        ):
            self.refused(text)

    @given(st.text(max_size=32) | st.from_regex(r"\A\+[0-9 ().-]{5,20}\Z"))
    @example("+" + "1" * 15)
    def test_never_surprises(self, text: str) -> None:
        """Whatever the text: a number in its one form, which stays what it is, or the problem."""
        try:
            number = e164(text)
        except Problem as problem:
            self.assertIs(problem.code, Code.INVALID_NUMBER)
            return
        self.assertTrue(is_number(number))
        self.assertEqual(e164(number), number)

    @given(
        st.sampled_from(MOBILE),
        st.lists(st.sampled_from(" -.()/"), max_size=12),
        st.randoms(use_true_random=False),
    )
    def test_separators_change_nothing(self, number: str, separators: list[str], random: Random) -> None:
        """Wherever somebody puts them."""
        spread = list(number)
        for separator in separators:
            spread.insert(1 + random.randrange(len(spread)), separator)
        self.assertEqual(e164("".join(spread)), number)
