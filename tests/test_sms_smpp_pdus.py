"""SMPP's octets: what is written, and that nothing which is read can do harm."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from bridges.sms.gsm import unpacked
from bridges.sms.smpp.link import Link, Pace
from bridges.sms.smpp.messages import Receipt, Submission, bind, message_id, receipt
from bridges.sms.smpp.pdus import LAST_SEQUENCE, LONGEST, BadPdu, Command, Pdu, Splitter, Status
from bridges.sms.smpp.requests import QUEUE, Requests, Unanswered
from bridges.sms.smpp.texts import encode
from safeum_home.ports.sms import Outcome, Permanent, SmsState, Temporary

DELIVERY = b"\0" + b"\1\1" + b"447700900123\0" + b"\1\1" + b"home\0"


def deliver(esm_class: int, text: bytes, options: bytes = b"") -> bytes:
    return DELIVERY + bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, 0, 0, len(text)]) + text + options


class OctetTests(SynchronousTestCase):
    def test_an_example_of_the_specification(self) -> None:
        """Section 3.2.3: a bind_transmitter, octet for octet, but for its name and version."""
        body = bind(b"SMPP3TEST", b"secret08", b"SUBMIT1", 9)
        example = bytes.fromhex(
            "0000002F000000020000000000000001534D50503354455354007365637265743038005355424D4954310000010100"
        )
        ours = Pdu(Command.BIND_TRANSCEIVER, 1, 0, body).encode()
        self.assertEqual(len(ours), len(example))
        self.assertEqual(ours[16:43], example[16:43])
        self.assertEqual((ours[:4], ours[8:16]), (example[:4], example[8:16]))

    def test_a_password_that_does_not_fit(self) -> None:
        """Is refused before it is sent, and not cut."""
        for password in (b"123456789", b"a\0b"):
            self.assertRaises(BadPdu, bind, b"home", password, b"", 9)
        self.assertIn(b"123456789\0", bind(b"home", b"123456789", b"", 65))

    def test_split_anywhere(self) -> None:
        """However the octets come, the same PDUs are made of them."""
        pdus = [Pdu(5, 7, 0, b"body"), Pdu(0x15, 8), Pdu(0x80000004, 9, 88, b"x\0")]
        whole = b"".join(pdu.encode() for pdu in pdus)
        for step in (1, 3, 16, len(whole)):
            splitter, found = Splitter(), []
            for at in range(0, len(whole), step):
                found += list(splitter.feed(whole[at : at + step]))
            self.assertEqual(found, pdus)

    def test_length(self) -> None:
        """What is shorter than a header or longer than any message is none, whatever follows."""
        for length in (0, 15, LONGEST + 1, 2**32 - 1):
            self.assertRaises(BadPdu, list, Splitter().feed(length.to_bytes(4, "big")))

    def test_nothing_is_shown(self) -> None:
        """A PDU's body is not in what might be logged."""
        self.assertNotIn("4477", repr(Pdu(5, 1, 0, b"447700900123")))

    def test_gsm(self) -> None:
        """All 127 characters, with their codes; what is not among them is told."""
        self.assertEqual(
            unpacked("@£$ A a ä à\n"), bytes.fromhex("0001022041206120 7b207f0a".replace(" ", ""))
        )
        self.assertEqual(unpacked("{€}"), bytes.fromhex("1b281b651b29"))
        self.assertIsNone(unpacked("ё"))
        self.assertIsNone(unpacked("\x1b"))
        self.assertEqual(encode("\ud800")[0], 8)

    def test_periods(self) -> None:
        """Validity, in days, hours and minutes."""
        for minutes, written in (
            (10, b"000000001000000R"),
            (1441, b"000001000100000R"),
            (120, b"000000020000000R"),
        ):
            self.assertIn(written, Submission(b"", minutes, True, False).body("+447700900123", "x"))


class ReceiptTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """As text, as parameters, and as both, where the parameters count."""
        text = b"id:abc sub:001 dlvrd:001 submit date:2611281200 done date:2611281201 stat:DELIVRD err:000"
        self.assertEqual(receipt(deliver(4, text)), Receipt("abc", SmsState.DELIVERED))
        options = b"\x00\x1e\x00\x03id\0" + b"\x04\x27\x00\x01\x05"
        self.assertEqual(receipt(deliver(4, text, options)), Receipt("id", SmsState.FAILED))
        self.assertIsNone(receipt(deliver(0, text)))
        self.assertIsNone(receipt(deliver(4, b"stat:WHATEVR")))
        self.assertEqual(receipt(deliver(4, b"stat:REJECTD")), Receipt("", SmsState.FAILED))

    def test_broken(self) -> None:
        """Each way of being cut short is told."""
        whole = deliver(4, b"id:abc stat:DELIVRD", b"\x00\x1e\x00\x03id\0")
        for end in (*range(1, len(whole) - 7), len(whole) - 1):
            self.assertRaises(BadPdu, receipt, whole[:end])
        self.assertRaises(BadPdu, receipt, deliver(4, b"", b"\x04\x27\x00\x02\x05\x05"))

    @given(st.binary(max_size=300))
    def test_anything(self, body: bytes) -> None:
        """Whatever the SMSC sends is a receipt, none, or not SMPP."""
        for whole in (body, DELIVERY + body, deliver(4, body[:255])):
            with contextlib.suppress(BadPdu):
                receipt(whole)
            with contextlib.suppress(BadPdu):
                message_id(whole)


class RequestTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.written: list[Pdu] = []
        self.requests = Requests(self.clock, 2, 10.0, self.written.append)

    def test_queue_is_bounded(self) -> None:
        """Beyond the window and the queue nothing is taken, and the rest is not harmed by it."""
        waiting = [self.requests.send(Command.SUBMIT_SM) for _ in range(2 + QUEUE)]
        self.failureResultOf(self.requests.send(Command.SUBMIT_SM), Unanswered)
        self.assertEqual((len(self.written), len(self.requests)), (2, 2 + QUEUE))
        for number in range(1, 3 + QUEUE):
            self.requests.answered(Pdu(Command.SUBMIT_SM_RESP, number))
        for answer in waiting:
            self.successResultOf(answer)
        self.assertEqual((len(self.requests), self.clock.getDelayedCalls()), (0, []))

    def test_an_answer_of_another_kind(self) -> None:
        """Is no answer; a generic_nack is."""
        answer = self.requests.send(Command.SUBMIT_SM)
        self.requests.answered(Pdu(Command.ENQUIRE_LINK_RESP, 1))
        self.assertNoResult(answer)
        self.requests.answered(Pdu(Command.GENERIC_NACK, 1))
        self.successResultOf(answer)
        self.requests.answered(Pdu(Command.SUBMIT_SM_RESP, 1))

    def test_numbers(self) -> None:
        """They begin anew after the last that the specification has."""
        self.requests._last = LAST_SEQUENCE - 1
        self.requests.send(Command.SUBMIT_SM)
        self.requests.send(Command.SUBMIT_SM)
        self.assertEqual([pdu.sequence for pdu in self.written], [LAST_SEQUENCE, 1])

    def test_timing_out_makes_room(self) -> None:
        """What waits behind a message that is not answered gets its turn."""
        first, second = self.requests.send(Command.SUBMIT_SM), self.requests.send(Command.SUBMIT_SM)
        self.clock.advance(5)
        third = self.requests.send(Command.SUBMIT_SM)
        self.clock.advance(5)
        self.failureResultOf(first, Unanswered)
        self.failureResultOf(second, Unanswered)
        self.requests.answered(Pdu(Command.SUBMIT_SM_RESP, 3))
        self.successResultOf(third)


class _Owner:
    def __init__(self) -> None:
        self.downs: list[Outcome] = []

    def binding(self) -> bytes:
        return bind(b"home", b"correct", b"", 9)

    def up(self, link: Link) -> None:
        pass

    def down(self, link: Link, why: Outcome) -> None:
        self.downs.append(why)

    def received(self, receipt: Receipt) -> None:
        pass


class LinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.owner, self.transport = Clock(), _Owner(), StringTransport()
        self.aborted: list[bool] = []
        self.transport.abortConnection = lambda: self.aborted.append(True)  # type: ignore[method-assign]
        self.link = Link(self.clock, self.owner, Pace(2, 8.0, 30.0))
        self.link.makeConnection(self.transport)

    def written(self) -> list[Pdu]:
        """What was written since the last time."""
        found = list(Splitter().feed(self.transport.value()))
        self.transport.clear()
        return found

    def bound(self) -> None:
        self.link.dataReceived(Pdu(Command.BIND_TRANSCEIVER_RESP, 1, 0, b"smsc\0").encode())
        self.written()

    def test_broken_delivery(self) -> None:
        """Is refused for good: the SMSC would send it again and again otherwise."""
        self.bound()
        self.link.dataReceived(Pdu(Command.DELIVER_SM, 9, 0, b"x").encode())
        self.assertEqual(self.written(), [Pdu(Command.DELIVER_SM_RESP, 9, Status.PERMANENT_ERROR)])
        self.link.connectionLost()

    def test_nothing_is_submitted_but_while_bound(self) -> None:
        """Neither before nor on a connection that ends: it is temporary at once, so the next is asked."""
        self.written()
        self.assertEqual(
            self.successResultOf(self.link.submit(b"")), Temporary("disconnected", handed_over=False)
        )
        self.bound()
        self.link.dataReceived(Pdu(Command.UNBIND, 9).encode())
        self.assertEqual(
            self.successResultOf(self.link.submit(b"")), Temporary("disconnected", handed_over=False)
        )
        self.assertEqual([pdu.command for pdu in self.written()], [Command.UNBIND_RESP])
        self.link.connectionLost()

    def test_an_end_that_does_not_come(self) -> None:
        """A peer that keeps a connection open which has ended is cut off."""
        self.bound()
        self.clock.pump([30, 8])
        self.assertEqual((self.transport.disconnecting, self.aborted), (True, []))
        self.clock.advance(5)
        self.assertEqual(self.aborted, [True])
        self.link.connectionLost()
        self.assertEqual((self.owner.downs, self.clock.getDelayedCalls()), ([Temporary("silent")], []))

    @given(st.lists(st.binary(max_size=80), max_size=8), st.booleans())
    def test_anything(self, chunks: list[bytes], bound: bool) -> None:
        """Whatever comes, the link lives or ends; it raises nothing, and leaves no timer behind."""
        clock, owner, transport = Clock(), _Owner(), StringTransport()
        transport.abortConnection = transport.loseConnection  # type: ignore[method-assign]
        link = Link(clock, owner, Pace(2, 8.0, 30.0))
        link.makeConnection(transport)
        if bound:
            link.dataReceived(Pdu(Command.BIND_TRANSCEIVER_RESP, 1, 0, b"smsc\0").encode())
        sending = [link.submit(b"") for _ in range(3)]
        for chunk in chunks:
            link.dataReceived(Pdu(5, 1, 0, chunk).encode() if bound else chunk)
            link.dataReceived(chunk)
        link.connectionLost()
        for outcome in sending:
            self.assertIsInstance(self.successResultOf(outcome), Temporary | Permanent)
        self.assertEqual((len(owner.downs), clock.getDelayedCalls()), (1, []))
