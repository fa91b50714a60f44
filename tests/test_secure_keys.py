"""Unique keys, and what people compare of them."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secret import Secret, Wiped
from safeum_home.client.secure import fingerprints, passphrase
from safeum_home.client.secure.passphrase import strength
from safeum_home.client.secure.people import News, People, Trust
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.key_types import Identity, hash_of
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import account, unique_key

WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""Of the vectors of BIP-39."""
WEAK = "summer 1987 london"


class PassphraseTests(SynchronousTestCase):
    """What a unique key is made of."""

    def test_words(self) -> None:
        """They are random, twelve unless more are wanted, and strong."""
        for count in passphrase.WORDS:
            made = passphrase.words(count)
            self.assertEqual(len(made.split(" ")), count)
            self.assertTrue(strength(made).enough)
        self.assertNotEqual(passphrase.words(), passphrase.words())
        self.assertAlmostEqual(strength(WORDS).guesses, 38.5, places=1)

    def test_weak(self) -> None:
        """What is guessed easily is refused, with a reason to show."""
        for text in ("", "password", "Passw0rd!", "qwertyuiop", "aaaaaaaaaaaaaaaaaaaa", "alice1987"):
            self.assertFalse(strength(text).enough, text)
            with self.assertRaises(Refused) as caught:
                passphrase.octets_of(text)
            self.assertEqual(caught.exception.reason, Reason.WEAK_PASSPHRASE)
            self.assertNotIn(text or "never", str(caught.exception))
        self.assertTrue(strength("password").advice)
        self.assertTrue(strength("correct horse battery staple on the moon").enough)

    def test_written_forms(self) -> None:
        """However it is typed it is the same: NFKC, and white space of any kind."""
        forms = ("Zwölf Boxkämpfer jagen Viktor", "  Zwo\u0308lf\tBoxka\u0308mpfer  jagen\u3000Viktor\n")
        self.assertEqual(passphrase.octets_of(forms[0]), passphrase.octets_of(forms[1]))
        self.assertNotEqual(passphrase.normal("A b"), passphrase.normal("a b"))

    def test_long(self) -> None:
        """Neither the strength of a long one takes long, nor is one taken without end."""
        self.assertTrue(strength("correct horse battery staple " * 1000).enough)
        with self.assertRaises(Refused) as caught:
            passphrase.octets_of("correct horse battery staple " * 1000)
        self.assertEqual(caught.exception.reason, Reason.TOO_LARGE)


class UniqueKeyTests(SynchronousTestCase):
    """Private keys."""

    def test_follows(self) -> None:
        """The same passphrase of the same account comes to the same keys, another account's to others."""
        one, again = (UniqueKey.of(account(0), WORDS) for _ in range(2))
        self.assertEqual(one.public, again.public)
        self.assertNotEqual(UniqueKey.of(account(1), WORDS).public, one.public)

    def test_weak(self) -> None:
        """It is no key but where the account has it: what was taken can be entered ever after."""
        first, other = (self._weak(account(0), known) for known in (None, encode_octets(bytes(32))))
        self.assertEqual((first, other), (Reason.WEAK_PASSPHRASE, Reason.WEAK_PASSPHRASE))
        self.patch(passphrase, "FLOOR", 1.0)
        taken = UniqueKey.of(account(0), WEAK)
        self.patch(passphrase, "FLOOR", 12.0)
        self.assertEqual(UniqueKey.of(account(0), WEAK, encode_octets(taken.hash)).public, taken.public)
        self.assertEqual(UniqueKey.of(account(0), WORDS, encode_octets(taken.hash)).account, account(0))

    def _weak(self, name: str, known: str | None) -> Reason:
        with self.assertRaises(Refused) as caught:
            UniqueKey.of(name, WEAK, known)
        reason: Reason = caught.exception.reason
        return reason

    def test_identity(self) -> None:
        """What is published is signed by itself, and has the hash of the directory."""
        key = unique_key(0)
        identity = key.identity(1_800_000_000_000)
        self.assertEqual(hash_of(key.account, identity), encode_octets(key.hash))
        self.assertEqual(PublicKeys.of(key.account, identity), key.public)
        self.assertIsNone(PublicKeys.of(account(1), identity))
        other = Identity(identity.sign, encode_octets(bytes(31) + b"\1"), identity.at, identity.signature)
        self.assertIsNone(PublicKeys.of(key.account, other))

    def test_wiped(self) -> None:
        """Then nothing can be done with it."""
        key = UniqueKey(account(0), Secret.random())
        key.wipe()
        key.wipe()
        self.assertTrue(key.wiped and key.box.wiped and key.vault.wiped)
        self.assertRaises(Wiped, key.identity, 0)


class ComparedTests(SynchronousTestCase):
    """Numbers, and pictures."""

    def setUp(self) -> None:
        self.one, self.other = ((account(each), unique_key(each).public) for each in (0, 1))
        self.hashes = (self.one[0], self.one[1].hash), (self.other[0], self.other[1].hash)

    def test_safety_number(self) -> None:
        """60 digits, the same for both, others for other keys and accounts."""
        number = fingerprints.safety_number(self.one, self.other)
        self.assertRegex(number, r"^(\d{5} ){11}\d{5}$")
        self.assertEqual(number, fingerprints.safety_number(self.other, self.one))
        swapped = account(1), unique_key(2).public
        elsewhere = account(2), self.other[1]
        for each in (swapped, elsewhere):
            self.assertNotEqual(fingerprints.safety_number(self.one, each), number)

    def test_picture(self) -> None:
        """What one shows the other scans; other keys are seen, and what is for nobody here is refused."""
        one, other = self.hashes
        text = fingerprints.scan_text(one, other)
        self.assertGreater(fingerprints.picture(text).symbol_size()[0], 20)
        self.assertTrue(fingerprints.scanned(text, other, one))
        self.assertFalse(fingerprints.scanned(text, other, (one[0], other[1])))
        self.assertFalse(fingerprints.scanned(text, (other[0], one[1]), one))
        for wrong in (text, text[:-3], "https://example.org", text + "A", "safeum:verify:1:"):
            with self.assertRaises(Refused):
                fingerprints.scanned(wrong, one, other)

    def test_fingerprint(self) -> None:
        """Of the hash that the directory has."""
        self.assertRegex(fingerprints.fingerprint(self.one[1].hash), r"^([0-9a-f]{5} ){7}[0-9a-f]{5}$")


class PeopleTests(SynchronousTestCase):
    """Pins."""

    def test_states(self) -> None:
        """Unknown, pinned, verified, changed, and verified again."""
        people, keys, others = People(), unique_key(1).public, unique_key(1, 1).public
        name = account(1)
        self.assertEqual(people.trust(name), Trust.UNKNOWN)
        self.assertEqual(people.told(name, keys, 0), News.FIRST)
        self.assertEqual((people.told(name, keys, 1), people.trust(name)), (News.SAME, Trust.PINNED))
        self.assertFalse(people.verify(name, others.hash, 2))
        self.assertTrue(people.verify(name, keys.hash, 2))
        self.assertEqual(people.told(name, others, 3), News.CHANGED)
        self.assertEqual(people.trust(name), Trust.VERIFIED)
        self.assertTrue(people.accept(name, others.hash, 4))
        self.assertEqual(people.trust(name), Trust.CHANGED)
        self.assertTrue(people.verify(name, others.hash, 5))
        self.assertEqual(people.trust(name), Trust.VERIFIED)
        people.doubt(name, 6)
        self.assertEqual(people.trust(name), Trust.PINNED)

    def test_not_followed(self) -> None:
        """Only keys that are known name followers, and never those before."""
        people, name = People(), account(1)
        first, second, third, strange = (unique_key(1, each).public for each in range(4))
        people.told(name, first, 0)
        self.assertRaises(Refused, people.check_line, name, (strange, second))
        self.assertTrue(people.check_line(name, (first, second, third)))
        self.assertEqual(people.follow(name, (first, second, third), 1), first)
        person = people.get(name)
        assert person is not None
        self.assertEqual((person.keys, person.former), (third, [first, second]))
        self.assertIsNone(people.follow(name, (second, third), 2))
        self.assertFalse(people.check_line(name, (first, second)))
        for line in ((first, strange), (second, strange)):
            with self.assertRaises(Refused) as caught:
                people.check_line(name, line)
                people.follow(name, line, 3)
            self.assertIs(caught.exception.reason, Reason.OLD_KEYS)

    def test_learned(self) -> None:
        """Who has seen only the last ones learns of those before, and trusts them as ever."""
        people, name = People(), account(1)
        first, second, third = (unique_key(1, each).public for each in range(3))
        people.told(name, third, 0)
        self.assertTrue(people.verify(name, third.hash, 0))
        self.assertIsNone(people.follow(name, (first, second, third), 1))
        self.assertEqual(people.get(name).former, [first, second])  # type: ignore[union-attr]
        self.assertEqual(people.trust(name), Trust.VERIFIED)

    def test_directories_lag(self) -> None:
        """Keys of before are no news for a minute, and are later."""
        people, name = People(), account(1)
        first, second = (unique_key(1, each).public for each in range(2))
        people.told(name, first, 0)
        people.follow(name, (first, second), 0)
        self.assertEqual(people.told(name, first, 59_999), News.SAME)
        self.assertEqual(people.told(name, first, 60_000), News.CHANGED)
