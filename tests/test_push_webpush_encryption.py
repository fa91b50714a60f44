"""Encryption of Web Push messages, and the node's key for them."""

import json

import http_ece
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as some
from py_vapid import Vapid02

from bridges.push.template import PAYLOADS
from bridges.push.vapid import LIFE, MOST_ORIGINS, ORDER, USED_FOR, Vapid, derived_key, key_in
from bridges.push.webpush_encryption import CURVE, OVERHEAD, encrypt, octets_of, point_of
from safeum_home.errors import Problem
from tests.doubles.webpush import Subscriber, base64url, from_base64url
from tests.webpush_case import CONTACT, NOW, ROOT, WebPushCase

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORIGIN = "https://push.example"


def number(text: str) -> int:
    return int.from_bytes(from_base64url(text), "big")


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, word: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(word) if word else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


class EncryptionTests(WebPushCase):
    def test_vector(self) -> None:
        """RFC 8291, section 5."""
        subscriber = Subscriber(
            number("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), from_base64url("BTBZMqHH6r4Tts7J_aSIgg")
        )
        ours = ec.derive_private_key(number("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), CURVE)
        text = b"When I grow up, I want to be a watermelon"
        salt = from_base64url("DGv6ra1nlYgDCS1FRnbzlw")
        made = encrypt(text, subscriber.public, subscriber.secret, ours, salt)
        wanted = (
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
            "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
            "lcy4a-fN"
        )
        self.assertEqual(base64url(made), wanted)
        self.assertEqual(subscriber.open(made), text)

    def test_one_size(self) -> None:
        """A payload is opened by its subscriber alone, is different each time, and as long as any other."""
        made = [
            encrypt(payload, self.subscriber.public, self.subscriber.secret)
            for payload in [*PAYLOADS.values()] * 2
        ]
        self.assertEqual({len(each) for each in made}, {64 + OVERHEAD})
        self.assertEqual([self.subscriber.open(each) for each in made], [*PAYLOADS.values()] * 2)
        # Neither salts nor keys of ours are used twice.
        self.assertEqual(len({each[:16] for each in made}), 4)
        self.assertEqual(len({each[21:86] for each in made}), 4)
        with self.assertRaises(InvalidTag):
            Subscriber(secret=self.subscriber.secret).open(made[0])
        self.subscriber.secret = b"another secret.."
        with self.assertRaises(InvalidTag):
            self.subscriber.open(made[0])

    def test_peer(self) -> None:
        """Mozilla's own library opens it."""
        private = ec.generate_private_key(CURVE)
        made = encrypt(b"text", octets_of(private.public_key()), self.subscriber.secret)
        opened = http_ece.decrypt(made, private_key=private, auth_secret=self.subscriber.secret)
        self.assertEqual(opened, b"text")

    def test_no_point(self) -> None:
        """Off the curve, at infinity, compressed, hybrid, of another length."""
        good = self.subscriber.public
        x, y = good[1:33], good[33:]
        off = (int.from_bytes(y, "big") + 1) % P
        for octets in (
            b"",
            b"\x00",
            bytes(65),
            b"\x04" + bytes(64),
            b"\x04" + x + off.to_bytes(32, "big"),
            b"\x04" + P.to_bytes(32, "big") + y,
            bytes([2 + y[-1] % 2]) + x,
            bytes([6 + y[-1] % 2]) + x + y,
            good[:-1],
            good + b"\x00",
        ):
            with self.assertRaises(ValueError):
                point_of(octets)
        self.assertEqual(octets_of(point_of(good)), good)


class KeyTests(WebPushCase):
    def test_derived(self) -> None:
        """What clients subscribe with stays what it is, whatever is changed here."""
        wanted = "BBRIZpMOA3B-lE5UM2am4UIcJecA7R5x2c0nVfazkpFWC26RdhCialsj08qlRKTodrYvEX1kasoBisoY7zLQ3DA"
        self.assertEqual(self.made().application_key, wanted)
        self.assertEqual(self.secrets, {})

    @given(some.binary(min_size=32, max_size=32))
    def test_any(self, octets: bytes) -> None:
        """Any 32 octets are a key, the same each time; others are another."""
        scalar = derived_key(octets).private_numbers().private_value
        self.assertTrue(0 < scalar < ORDER)
        self.assertEqual(derived_key(octets).private_numbers().private_value, scalar)
        other = bytes([octets[0] ^ 1]) + octets[1:]
        self.assertNotEqual(derived_key(other).private_numbers().private_value, scalar)

    def test_order(self) -> None:
        """One less than the group's order times the base point is that point's negative."""
        last = ec.derive_private_key(ORDER - 1, CURVE).public_key().public_numbers()
        first = ec.derive_private_key(1, CURVE).public_key().public_numbers()
        self.assertEqual((last.x, last.y), (first.x, P - first.y))
        with self.assertRaises(ValueError):
            ec.derive_private_key(ORDER, CURVE)

    def test_of_the_store(self) -> None:
        """Who brings a key of his own keeps his clients' subscriptions."""
        key = ec.generate_private_key(CURVE)
        self.secrets["vapid"] = pem(key) + b"\n"
        self.assertEqual(
            self.made(key="secret:vapid").application_key, base64url(octets_of(key.public_key()))
        )

    def test_no_key(self) -> None:
        """What is no key of P-256 without a password is refused, and not quoted."""
        for octets in (
            b"",
            b"nonsense",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            pem(ec.generate_private_key(ec.SECP384R1())),
            pem(ec.generate_private_key(ec.SECP256K1())),
            pem(rsa.generate_private_key(65537, 2048)),
            pem(ec.generate_private_key(CURVE), b"a password"),
        ):
            with self.assertRaises(ValueError) as caught:
                key_in(octets)
            self.assertEqual(str(caught.exception), "not a private key of P-256")
            self.secrets["vapid"] = octets
            self.assertIsNone(self.made(key="secret:vapid").application_key)


class TokenTests(WebPushCase):
    def vapid(self) -> Vapid:
        return Vapid(self.context(), CONTACT, None)

    def test_claims(self) -> None:
        """Whom it is for, until when, and whom to turn to: nothing else."""
        token, _, key = self.vapid().authorization(ORIGIN).removeprefix("vapid t=").partition(",k=")
        claims = json.loads(from_base64url(token.split(".")[1]))
        self.assertEqual(claims, {"aud": ORIGIN, "exp": NOW + LIFE, "sub": CONTACT})
        self.assertLessEqual(LIFE, 24 * 3600)
        self.assertEqual(key, self.provider.application_key)

    def test_peer(self) -> None:
        """Mozilla's own library takes the signature, and not one for something else."""
        good = self.vapid().authorization(ORIGIN)
        self.assertTrue(Vapid02.verify(good))
        head, claims, rest = good.split(".")
        other = base64url(from_base64url(claims).replace(b"push.example", b"evil.example"))
        self.assertFalse(Vapid02.verify(f"{head}.{other}.{rest}"))

    def test_kept(self) -> None:
        """A token serves an origin for a while; it is new before it ends, when refused, from the future."""
        vapid = self.vapid()
        first = vapid.authorization(ORIGIN)
        self.assertNotEqual(vapid.authorization("https://other.example"), first)
        self.clock.advance(USED_FOR)
        self.assertEqual(vapid.authorization(ORIGIN), first)
        self.clock.advance(1)
        second = vapid.authorization(ORIGIN)
        self.assertNotEqual(second, first)
        vapid.forget("https://unknown.example")
        vapid.forget(ORIGIN)
        third = vapid.authorization(ORIGIN)
        self.assertNotEqual(third, second)
        self.clock.rightNow -= 3600
        self.assertNotEqual(vapid.authorization(ORIGIN), third)

    def test_bounded(self) -> None:
        """However many origins clients name; those in use stay."""
        vapid = self.vapid()
        first = vapid.authorization(ORIGIN)
        for one in range(MOST_ORIGINS + 10):
            vapid.authorization(f"https://{one}.example")
            self.assertEqual(vapid.authorization(ORIGIN), first)
        self.assertEqual(len(vapid._tokens), MOST_ORIGINS)

    def test_no_secret(self) -> None:
        """It is asked for again, until it is there."""
        vapid = Vapid(self.context(), CONTACT, "secret:vapid")
        with self.assertRaises(Problem):
            vapid.authorization(ORIGIN)
        self.secrets["vapid"] = pem(derived_key(ROOT))
        self.assertIn(f"k={self.provider.application_key}", vapid.authorization(ORIGIN))
