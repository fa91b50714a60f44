"""Statements of banks: read as ISO's schemas have them and as others write them, and nothing else is read."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iso11649
from twisted.trial.unittest import SynchronousTestCase

from bridges.payments import camt
from bridges.payments.camt import LARGEST, BadStatement, parse
from bridges.payments.matching import Item, items
from safeum_home.protocol.references import creditor_reference, new_creditor_reference
from tests.statements import (
    IBAN,
    REFERENCE,
    VERSIONS,
    Line,
    Part,
    by_mock_bank,
    paid,
    statement,
    validate,
)

OTHER = new_creditor_reference(lambda size: b"x" * size)
ALL = (
    paid(),
    Line("30.00", "BANK-2", (Part("30.00", text=("Top-up for me,", REFERENCE[:9], REFERENCE[9:])),)),
    Line("12.50", "BANK-3", (Part("10.00", REFERENCE, reference="A"), Part("2.50", OTHER, reference="B"))),
    Line("9.00", "BANK-4", (Part("4.00", REFERENCE), Part("5.00", OTHER))),
    paid("5.00", "BANK-5", side="DBIT"),
    paid("6.00", "BANK-6", status="PDNG"),
    paid("7.00", "BANK-7", reversal=True),
    paid("8.00", "BANK-8", currency="USD"),
    paid("1.00", ""),
    paid("2.00", "BANK-9", structured=""),
    Line("3.00", "BANK-10"),
    Line("9.00", "BANK-11", (Part("4.00", REFERENCE), Part("4.00", OTHER))),
)


def read(octets: bytes, iban: str = IBAN) -> list[Item]:
    return items(parse(octets), iban, "EUR")


class ReadTests(SynchronousTestCase):
    def test_versions(self) -> None:
        """Each version of both messages, valid by ISO's own schema, says the same."""
        wanted = [item[1:5] for item in read(statement(ALL))]
        for kind, version in (
            *(("053", each) for each in VERSIONS),
            ("054", "02"),
            ("054", "08"),
            ("054", "14"),
        ):
            octets = statement(ALL, kind, version)
            validate(octets, kind, version)
            self.assertEqual([item[1:5] for item in read(octets)], wanted, f"{kind} {version}")

    def test_items(self) -> None:
        """What is whose, what is not, and why."""
        found = read(statement(ALL))
        self.assertEqual(
            [(item.sort.value, item.key, item.amount, item.reference, item.why) for item in found],
            [
                ("credit", "BANK-1", 20_000_000, REFERENCE, ""),
                ("credit", "BANK-2", 30_000_000, REFERENCE, ""),
                ("credit", "A", 10_000_000, REFERENCE, ""),
                ("credit", "B", 2_500_000, OTHER, ""),
                ("credit", "BANK-4/1", 4_000_000, REFERENCE, ""),
                ("credit", "BANK-4/2", 5_000_000, OTHER, ""),
                ("debit", "BANK-5", 5_000_000, "", ""),
                ("pending", "BANK-6", 6_000_000, "", ""),
                ("reversal", "BANK-7", 7_000_000, "", ""),
                ("credit", "BANK-8", 8_000_000, REFERENCE, "it is not in EUR"),
                ("credit", "", 1_000_000, REFERENCE, "the bank has given it no reference (AcctSvcrRef)"),
                ("credit", "BANK-9", 2_000_000, "", "it has no creditor reference of this node's"),
                ("credit", "BANK-10", 3_000_000, "", "it has no creditor reference of this node's"),
                ("credit", "BANK-11/1", 4_000_000, REFERENCE, "its parts are not the amount of the entry"),
                ("credit", "BANK-11/2", 4_000_000, OTHER, "its parts are not the amount of the entry"),
            ],
        )

    def test_by_another(self) -> None:
        """What a mock of a bank writes that nobody here has written, with a text that it has cut anywhere."""
        credits = (
            {"amount": 2000, "reference": REFERENCE},
            {"amount": 1234, "note": [f"thanks {REFERENCE[:7]}", f"{REFERENCE[7:]} bye"]},
            {"amount": 1, "note": ["no reference"]},
        )
        for notification in (False, True):
            octets = by_mock_bank(credits, notification)
            validate(octets, "054" if notification else "053", "08")
            found = read(octets)
            self.assertEqual(
                [(item.key, item.amount, item.reference) for item in found],
                [
                    ("MB-RCV-1", 20_000_000, REFERENCE),
                    ("MB-RCV-2", 12_340_000, REFERENCE),
                    ("MB-RCV-3", 10_000, ""),
                ],
            )

    def test_twice(self) -> None:
        """Where the bank calls two entries the same, neither is added: one would be lost."""
        found = read(statement([paid(), paid("5.00"), paid("6.00", "BANK-2")]))
        self.assertEqual([bool(item.why) for item in found], [True, True, False])

    def test_no_reference(self) -> None:
        """Words that banks write where they have no reference are none: the next entry has them, too."""
        for word in ("NONREF", "NOTPROVIDED", "notprovided"):
            [item] = read(statement([paid(reference=word)]))
            self.assertEqual((item.key, bool(item.why)), ("", True), word)
        parts = Part("4.00", REFERENCE, reference="NONREF"), Part("5.00", OTHER, reference="X")
        found = read(statement([Line("9.00", "BANK-1", parts)]))
        self.assertEqual([item.key for item in found], ["BANK-1/1", "BANK-1/2"])

    def test_another_account(self) -> None:
        self.assertRaises(BadStatement, read, statement(ALL), "GB82WEST12345698765432")
        self.assertEqual(len(read(statement(ALL), "DE75 5121 0800 1245 1261 99")), 15)

    def test_amounts(self) -> None:
        """To a hundred-thousandth of a unit; none that is not one."""
        for text, amount in (("0.00001", 10), ("1", 1_000_000), ("12.3", 12_300_000), ("007.10", 7_100_000)):
            [item] = read(statement([paid(text)]))
            self.assertEqual(item.amount, amount)
        [nothing] = read(statement([paid("0.00")]))
        self.assertEqual(nothing.why, "its amount is nothing")
        for text in ("-1", "1,5", "", "1e3", "0x1", "1.0000001", "9" * 19, "NaN", "+1"):
            self.assertRaises(BadStatement, read, statement([paid(text)]))
        [large] = read(statement([paid("9" * 18)]))
        self.assertEqual(large.why, "it is too large")


class HostileTests(SynchronousTestCase):
    def refused(self, octets: bytes) -> str:
        return str(self.assertRaises(BadStatement, parse, octets))

    def test_entities(self) -> None:
        """No document type, so no entity: neither those that grow, nor those of files and addresses."""
        body = statement([paid()]).partition(b"?>")[2].replace(b"S1", b"&a;")
        for inner in (
            b'<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
            b'<!ENTITY a SYSTEM "file:///etc/passwd">',
            b'<!ENTITY % x SYSTEM "http://192.0.2.1/x"> %x;',
            b"",
        ):
            octets = b"<!DOCTYPE Document [" + inner + b"]>" + body
            self.assertIn("document type", self.refused(octets))
        self.assertIn("not XML", self.refused(body))

    def test_not_one(self) -> None:
        """What is no such message; the reason quotes none of it."""
        good = statement([paid()])
        for octets, why in (
            (b"", "line 1"),
            (b"not xml \x00", "line 1"),
            (b"<a/>", "neither"),
            (good.replace(b"camt.053.001.08", b"camt.052.001.08"), "neither"),
            (good.replace(b"camt.053.001.08", b"camt.053.001.01"), "neither"),
            (good.replace(b"urn:iso", b"urn:isx"), "neither"),
            (good[:-9], "line 2"),
            (good.replace(b"UTF-8", b"UTF-99"), "encoding"),
            (good.replace(b"<Acct>", b"<Acx>").replace(b"</Acct>", b"</Acx>"), "no statement"),
            (good.replace(b"CRDT</CdtDbtInd>", b"DEBT</CdtDbtInd>"), "neither a credit nor a debit"),
            (good.replace(b' Ccy="EUR"', b""), "amount is none"),
            (b" " * (LARGEST + 1), "octets"),
        ):
            self.assertIn(why, self.refused(octets))
        two = Line("9.00", "X", (Part("4.00"), Part("5.00")))
        bare = statement([two]).replace(b'<Amt Ccy="EUR">4.00</Amt>', b"")
        self.assertIn("no amount", self.refused(bare))

    def test_bounds(self) -> None:
        """Depth, and numbers of entries and of elements, whatever these are."""
        deep = statement([paid()]).replace(b"<Bal>", b"<x>" * 40 + b"</x>" * 40 + b"<Bal>")
        self.assertIn("deep", self.refused(deep))
        self.patch(camt, "MOST_ENTRIES", 2)
        self.assertIn("up to 2", self.refused(statement([paid()] * 3)))
        self.patch(camt, "MOST_ELEMENTS", 1_000)
        many = statement([paid()]).replace(b"<Bal>", b"<x/>" * 1_000 + b"<Bal>")
        self.assertIn("elements", self.refused(many))
        parse(statement([paid()]))

    def test_of_elsewhere(self) -> None:
        """Elements of another namespace, or in another place, are none of these."""
        entry = b"<Ntry xmlns='urn:x'>" + b"</Ntry>"
        good = statement([paid()]).replace(b"</Stmt>", entry + b"</Stmt>")
        self.assertEqual(len(parse(good).entries), 1)
        elsewhere = statement([paid()]).replace(b"<Bal>", b"<X><Ntry/></X><Bal>")
        self.assertEqual(len(parse(elsewhere).entries), 1)

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_any_octet(self, data: st.DataObject) -> None:
        """Whatever is changed: it is read, or refused in the one way."""
        octets = bytearray(statement(ALL[:4]))
        for _ in range(data.draw(st.integers(1, 4))):
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(BadStatement):
            read(bytes(octets))


class ReferenceTests(SynchronousTestCase):
    @given(st.binary(min_size=10, max_size=10))
    def test_made(self, octets: bytes) -> None:
        """They are what ISO 11649 says, by somebody else's code; and are found however they are spaced."""
        reference = new_creditor_reference(lambda size: octets[:size])
        self.assertTrue(iso11649.is_valid(reference))
        self.assertEqual(len(reference), 20)
        for text in (reference, iso11649.format(reference), f"pay {reference.lower()}, please"):
            self.assertEqual(creditor_reference(text), reference)

    def test_mistyped(self) -> None:
        """A wrong character, and two that changed places, are noticed."""
        for at in range(len(REFERENCE)):
            wrong = REFERENCE[:at] + ("A" if REFERENCE[at] != "A" else "B") + REFERENCE[at + 1 :]
            self.assertIsNone(creditor_reference(wrong))
        for at in range(4, len(REFERENCE) - 1):
            swapped = REFERENCE[:at] + REFERENCE[at + 1] + REFERENCE[at] + REFERENCE[at + 2 :]
            if swapped != REFERENCE:
                self.assertIsNone(creditor_reference(swapped))
        self.assertIsNone(creditor_reference(f"{REFERENCE} and {OTHER}"))
        self.assertIsNone(creditor_reference(""))
