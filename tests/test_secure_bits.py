"""Any single bit that is flipped, in any envelope, is refused."""

from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secret import Secret
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch, message, succession
from safeum_home.client.secure.envelope import Envelope, Kind, Place
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.events import Received, Refusal, RosterChanged, Told
from safeum_home.client.secure.payloads import Reaction
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import CHAT, OTHER_CHAT, START, Program, SecureCase, account, unique_key
from tests.secure_forger import Forger
from tests.test_secure_successions import line_of

SAMPLES = 20


class BitTests(SecureCase):
    """Of 20 envelopes of all kinds, and sizes."""

    def setUp(self) -> None:
        super().setUp()
        random = Random(1)
        alice, bob, carol = self.group(3)
        for number in range(14):
            self.say((alice, bob)[number % 2], "x" * random.choice((1, 10, 200, 300)))
        self.say(alice, Reaction(encode_octets(bytes(32)), "👍"))
        self.carry(alice, alice.chat.dismiss([carol.account]))
        self.say(bob, "Another epoch")
        self.carry(alice, alice.chat.succeed(unique_key(0, 1)))
        self.samples = self.log[-SAMPLES:]

    def fresh(self) -> Program:
        """Somebody who has had all that was before the samples."""
        program = Program(1, self.clock).knows(unique_key(0), unique_key(2))
        for each in self.log[:-SAMPLES]:
            program.done(program.chat.take(each))
        program.events.clear()
        return program

    def test_all_kinds(self) -> None:
        """They are taken as they are."""
        kinds = {envelopes.read(each.data).head.kind for each in self.samples}
        self.assertEqual(kinds, set(Kind))
        program = self.fresh()
        for each in self.samples:
            program.done(program.chat.take(each))
        self.assertEqual(program.refused, [])
        self.assertEqual(len(program.of(Received)), 16)

    def test_bits(self) -> None:
        """All bits of all of them; nothing that was done shows, and the envelope itself is taken then."""
        program = self.fresh()
        for sample in self.samples:
            octets = envelopes.read(sample.data).octets
            for place in range(8 * len(octets)):
                flipped = bytearray(octets)
                flipped[place // 8] ^= 1 << place % 8
                told = Told(sample.sender, sample.id, encode_octets(bytes(flipped)), sample.quiet)
                step = program.chat.take(told)
                if [type(each) for each in step.events] != [Refusal] or step.posts:
                    self.fail(f"bit {place}: {step}")
            program.done(program.chat.take(sample))
        self.assertEqual(program.refused, [])
        self.assertEqual(len(program.of(Received)), 16)

    def test_bits_of_texts(self) -> None:
        """All bits of the base64url of one of each kind."""
        program = self.fresh()
        for kind in Kind:
            sample = next(each for each in self.samples if envelopes.read(each.data).head.kind is kind)
            octets = sample.data.encode()
            for place in range(8 * len(octets)):
                flipped = bytearray(octets)
                flipped[place // 8] ^= 1 << place % 8
                told = Told(sample.sender, sample.id, flipped.decode("latin-1"), sample.quiet)
                self.assertEqual(
                    [type(each) for each in program.chat.take(told).events], [Refusal], f"{kind} {place}"
                )

    def test_around(self) -> None:
        """What the node says beside it: that it is quiet, by somebody else, or of another chat."""
        program = self.fresh()
        other = Program(1, self.clock).knows(unique_key(0), unique_key(2))
        other.open(OTHER_CHAT)
        for sample in self.samples:
            someone = account(2) if sample.sender != account(2) else account(0)
            for told in (
                Told(sample.sender, sample.id, sample.data, not sample.quiet),
                Told(someone, sample.id, sample.data, sample.quiet),
            ):
                self.assertEqual([type(each) for each in program.chat.take(told).events], [Refusal])
            step = other.chat.take(sample)
            self.assertEqual(step.events, [Refusal(Reason.BAD_SIGNATURE, sample.sender, sample.id)])

    def test_lengths(self) -> None:
        """Shorter, longer, and nothing."""
        program = self.fresh()
        for sample in self.samples[:3]:
            for data in (
                "",
                "A",
                sample.data[:-1],
                sample.data[4:],
                sample.data + "AAAA",
                sample.data * 200,
                "é",
            ):
                step = program.chat.take(Told(sample.sender, "m", data, sample.quiet))
                self.assertEqual([type(each) for each in step.events], [Refusal])
        self.assertEqual(program.of(RosterChanged), [])


class SealTests(SecureCase):
    """What is sealed holds without the signature around it."""

    def test_bits(self) -> None:
        """No bit before the signature can be flipped; nor can chat, account or key be others."""
        alice, own = Place(CHAT, account(0)), unique_key(0)
        clock = Clock()
        clock.advance(START)
        first, *_ = [self.add(0), self.add(1)]
        self.carry(first, first.chat.admit([account(1)]))
        told = self.say(first, "Hello")
        key = epoch.read(envelopes.read(told[0].data)).open(own)
        of_sender = key.of_sender(account(0), own.hash)
        whole = envelopes.read(told[1].data)
        self.assertTrue(message.open(whole, message.read(whole), alice, of_sender).payload)
        for place in range(8 * (len(whole.octets) - 64)):
            flipped = bytearray(whole.octets)
            flipped[place // 8] ^= 1 << place % 8
            with self.assertRaises(Refused):
                read = envelopes.read(encode_octets(bytes(flipped)))
                message.open(read, message.read(read), alice, of_sender)
        for somewhere in (Place(OTHER_CHAT, account(0)), Place(CHAT, account(1))):
            self.assertRaises(Refused, self._open, whole, somewhere, of_sender)
        of_other = key.of_sender(account(1), unique_key(1).hash)
        self.assertRaises(Refused, self._open, whole, alice, of_other)

    def _open(self, whole: Envelope, place: Place, key: object) -> None:
        message.open(whole, message.read(whole), place, key)  # type: ignore[arg-type]


class BoxTests(SynchronousTestCase):
    """What an epoch key is boxed in holds without the signature around it."""

    def test_bits(self) -> None:
        """No bit of a box, or of what its key was committed to, can be flipped."""
        own, key = unique_key(0), EpochKey(Secret.random())
        box, commitment = key.box(own.public.box), key.commitment()
        self.assertEqual(epoch.open_key(box, commitment, own).commitment(), commitment)
        octets = box + commitment
        for place in range(8 * len(octets)):
            flipped = bytearray(octets)
            flipped[place // 8] ^= 1 << place % 8
            wrong = bytes(flipped)
            with self.assertRaises(Refused) as caught:
                epoch.open_key(wrong[: len(box)], wrong[len(box) :], own)
            self.assertEqual(caught.exception.reason, Reason.BAD_EPOCH)


class LineTests(SynchronousTestCase):
    """What keys say of their followers holds whoever signs the envelope around it."""

    def setUp(self) -> None:
        self.signer = Forger(unique_key(0, 2))
        self.line = line_of(0, 2)

    def read(self, octets: bytes, number: int = 0) -> succession.Line:
        return succession.read(self.signer.envelope(Kind.SUCCESSION, octets), account(number))

    def test_bits(self) -> None:
        """No bit can be flipped, and it is of no other account."""
        octets = self.line.octets
        for place in range(8 * len(octets)):
            flipped = bytearray(octets)
            flipped[place // 8] ^= 1 << place % 8
            self.assertRaises(Refused, self.read, bytes(flipped))
        self.assertEqual(self.read(octets), self.line)
        self.assertRaises(Refused, self.read, octets, 1)

    def test_layout(self) -> None:
        """Shorter, longer, of nobody, of more than nine, and of keys that stand in it twice."""
        octets, longer = self.line.octets, line_of(0, 9)
        first = succession.name(unique_key(0), unique_key(0, 1).public, 1)
        ten = succession.Line(first.first, (*first.named, *longer.named))
        back = succession.name(unique_key(0, 2), unique_key(0).public, 1, self.line)
        self.assertTrue(ten.is_said(account(0)) and back.is_said(account(0)))
        for wrong in (
            octets[:-1],
            octets + b"\0",
            octets[:65],
            octets[:64] + b"\0",
            b"",
            ten.octets,
            back.octets,
        ):
            self.assertRaises(Refused, self.read, wrong)
        self.assertEqual(len(self.read(longer.octets).keys), 9)
