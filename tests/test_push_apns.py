"""APNs in memory: what is sent, provider tokens, and what each answer means."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from twisted.internet.defer import Deferred, fail, succeed

from bridges.push.apns import NO_KEY, PERHAPS_SETTINGS, Apns, ApnsSettings, apns
from bridges.push.apns_answers import REASONS, outcome_of
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import GIVEN_UP, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.http2.asking import Fields
from safeum_home.ports.push import Accepted, Gone, Outcome, PushAddress, Refused, Temporary, Wake
from tests.apns import BUNDLE, CALL_TOKEN, KEY_ID, TEAM_ID, TOKEN, signing_key
from tests.push_bridge_case import PushBridgeCase

OK = Answer(200, b"")
SETTINGS = {"key": "secret:apns", "key_id": KEY_ID, "team_id": TEAM_ID, "topic": BUNDLE}


class FakeWay:
    """Keeps what is asked, and answers with what is next."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, dict[bytes, bytes], bytes]] = []
        self.answers: list[Answer | NoAnswer | Deferred[Answer]] = []

    def request(
        self, method: bytes, path: bytes, fields: Fields, own: Fields = (), body: bytes = b""
    ) -> "Deferred[Answer]":
        self.asked.append((path, dict((*fields, *own)), body))
        answer = self.answers.pop(0) if self.answers else OK
        if isinstance(answer, Deferred):
            return answer
        return fail(answer) if isinstance(answer, NoAnswer) else succeed(answer)

    def close(self) -> "Deferred[None]":
        return succeed(None)


def says(reason: str, status: int = 400) -> Answer:
    return Answer(status, json.dumps({"reason": reason, "timestamp": 1}).encode())


class ApnsCase(PushBridgeCase):
    def setUp(self) -> None:
        super().setUp()
        self.secrets["apns"], self.public = signing_key()
        self.way_out = FakeWay()

    def provider(self, **changes: Any) -> Apns:
        settings = ApnsSettings(**{**SETTINGS, **changes})
        return Apns(self.context(), settings, self.way_out)

    @property
    def tokens(self) -> list[bytes]:
        """The provider tokens that were asked with."""
        return [head[b"authorization"] for _, head, _ in self.way_out.asked]


class RequestTests(ApnsCase):
    def test_message(self) -> None:
        """Nothing but the class, a constant text, and what APNs has to know."""
        self.assertEqual(self.woken(self.provider(), TOKEN.upper(), seconds=3600), Accepted())
        ((path, head, body),) = self.way_out.asked
        self.assertEqual(path, f"/3/device/{TOKEN}".encode())
        self.assertRegex(
            head.pop(b"apns-id").decode(), r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$"
        )
        head.pop(b"authorization")
        self.assertEqual(
            head,
            {
                b"user-agent": b"SafeUM-Home",
                b"apns-topic": BUNDLE.encode(),
                b"apns-push-type": b"alert",
                b"apns-priority": b"10",
                b"apns-collapse-id": b"msg",
                b"apns-expiration": b"%d" % (self.clock.seconds() + 3600),
            },
        )
        shown = {"alert": {"loc-key": "SAFEUM_WAKE"}, "sound": "default", "mutable-content": 1}
        self.assertEqual((json.loads(body)["aps"], json.loads(body)["wake"]), (shown, "msg"))

    def test_in_silence(self) -> None:
        """Nothing to see: iOS takes that with the lower priority only."""
        self.woken(self.provider(message="background"), TOKEN)
        ((_, head, body),) = self.way_out.asked
        self.assertEqual((head[b"apns-push-type"], head[b"apns-priority"]), (b"background", b"5"))
        self.assertEqual(json.loads(body)["aps"], {"content-available": 1})

    def test_call(self) -> None:
        """Through PushKit where the device has a token for it, else something is shown."""
        provider = self.provider(message="background", text="Ring")
        self.successResultOf(provider.wake(PushAddress(TOKEN, CALL_TOKEN), Wake.CALL, 30))
        self.successResultOf(provider.wake(PushAddress(TOKEN), Wake.CALL, 30))
        (path, head, body), (shown_path, shown_head, shown) = self.way_out.asked
        self.assertEqual(
            (path, shown_path), (f"/3/device/{CALL_TOKEN}".encode(), f"/3/device/{TOKEN}".encode())
        )
        self.assertEqual((head[b"apns-topic"], head[b"apns-push-type"]), (f"{BUNDLE}.voip".encode(), b"voip"))
        self.assertEqual(
            (shown_head[b"apns-topic"], shown_head[b"apns-push-type"]), (BUNDLE.encode(), b"alert")
        )
        self.assertEqual((json.loads(body)["aps"], json.loads(body)["wake"]), ({}, "call"))
        self.assertEqual(json.loads(shown)["aps"]["alert"], {"body": "Ring"})
        self.assertEqual({head[b"apns-priority"], shown_head[b"apns-priority"]}, {b"10"})

    def test_one_size(self) -> None:
        """Whatever the class, the sort and the settings: of one provider all bodies have one length."""
        for changes in ({}, {"message": "background"}, {"text": "x"}, {"text": "Ω" * 100}):
            self.way_out.asked.clear()
            provider = self.provider(**changes)
            for wake in Wake:
                for call_token in (None, CALL_TOKEN):
                    self.successResultOf(provider.wake(PushAddress(TOKEN, call_token), wake, 30))
            sizes = {len(body) for _, _, body in self.way_out.asked}
            self.assertEqual(len(sizes), 1)
            self.assertLess(sizes.pop(), 4096)

    def test_addresses(self) -> None:
        """Tokens are hexadecimal, 32 to 100 octets; there is nothing else in an address."""
        provider = self.provider()
        self.assertEqual(provider.check(PushAddress(TOKEN)), PushAddress(TOKEN))
        both = PushAddress("AB" * 100, CALL_TOKEN.upper())
        self.assertEqual(provider.check(both), PushAddress("ab" * 100, CALL_TOKEN))
        for bad in (
            PushAddress(""),
            PushAddress("ab" * 31),
            PushAddress("ab" * 101),
            PushAddress("a" * 65),
            PushAddress("zz" * 32),
            PushAddress(TOKEN + "\n"),
            PushAddress("../" + TOKEN),
            PushAddress(TOKEN, ""),
            PushAddress(TOKEN, "voip"),
            PushAddress(TOKEN, key=b"k" * 65),
            PushAddress(TOKEN, secret=b"s" * 16),
        ):
            error = self.assertRaises(Problem, provider.check, bad)
            self.assertIs(error.code, Code.PUSH_ADDRESS_REFUSED)
            self.assertTrue(error.detail)


class TokenTests(ApnsCase):
    def test_signed(self) -> None:
        """Key, team and time are in it, and nothing else."""
        self.woken(self.provider(), TOKEN)
        scheme, _, token = self.tokens[0].decode().partition(" ")
        read = jwt.decode(token, ECKey.import_key(self.public), ["ES256"])
        self.assertEqual((scheme, read.header), ("bearer", {"alg": "ES256", "kid": KEY_ID}))
        self.assertEqual(read.claims, {"iss": TEAM_ID, "iat": int(self.clock.seconds())})

    def test_kept(self) -> None:
        """One serves for 40 minutes, and not for longer; a clock that was set back makes no difference."""
        provider = self.provider()
        for seconds in (0, 2400, 1):
            self.clock.advance(seconds)
            self.woken(provider, TOKEN)
        self.assertEqual(self.tokens[0], self.tokens[1])
        self.assertNotEqual(self.tokens[1], self.tokens[2])
        self.clock.rightNow -= 7200
        self.woken(provider, TOKEN)
        self.assertNotEqual(self.tokens[2], self.tokens[3])

    def test_renewed(self) -> None:
        """One that APNs refuses is signed anew, and the wake is sent once more, but never twice."""
        for reason in ("ExpiredProviderToken", "InvalidProviderToken"):
            self.way_out.asked.clear()
            provider = self.provider()
            self.woken(provider, TOKEN)
            self.clock.advance(1200)
            self.way_out.answers = [says(reason, 403)]
            self.assertEqual(self.woken(provider, TOKEN), Accepted())
            first, second, third = self.tokens
            self.assertEqual(first, second)
            self.assertNotEqual(second, third)
            self.clock.advance(1200)
            self.way_out.answers = [says(reason, 403), says(reason, 403)]
            self.assertEqual(self.woken(provider, TOKEN), REASONS[reason])

    def test_not_too_often(self) -> None:
        """APNs wants no new one within 20 minutes; a key that was replaced is used at once, though."""
        provider = self.provider()
        self.way_out.answers = [says("InvalidProviderToken", 403)]
        self.assertEqual(self.woken(provider, TOKEN), REASONS["InvalidProviderToken"])
        self.assertEqual(len(self.tokens), 1)
        self.secrets["apns"] = signing_key()[0]
        self.way_out.answers = [says("InvalidProviderToken", 403)]
        self.assertEqual(self.woken(provider, TOKEN), Accepted())
        self.assertEqual(len(self.tokens), 3)

    def test_many_refused(self) -> None:
        """Those that were under way with a token that is refused share the next one."""
        provider = self.provider()
        under_way: list[Deferred[Answer]] = [Deferred(), Deferred()]
        self.way_out.answers = [*under_way]
        outcomes = [provider.wake(PushAddress(TOKEN), Wake.MESSAGE, 60) for _ in under_way]
        self.clock.advance(1200)
        for each in under_way:
            each.callback(says("ExpiredProviderToken", 403))
        self.assertEqual([self.successResultOf(each) for each in outcomes], [Accepted()] * 2)
        self.assertEqual(len(set(self.tokens)), 2)

    def test_no_key(self) -> None:
        """Without one that can sign nothing is asked."""
        self.assertIsNone(self.provider().trouble)
        others = (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1()))
        files = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in others]
        broken = b"-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----"
        for octets in (b"", b"no key", broken, self.public.encode(), *files):
            self.secrets["apns"] = octets
            self.assertEqual(self.provider().trouble, "secret apns is no .p8 file of Apple's")
            self.assertEqual(self.woken(self.provider(), TOKEN), NO_KEY)
        self.tampered = True
        self.assertEqual(self.woken(self.provider(), TOKEN), NO_KEY)
        self.assertEqual(self.provider().trouble, "secret apns cannot be opened")
        del self.secrets["apns"]
        self.assertEqual(self.woken(self.provider(), TOKEN), NO_KEY)
        self.assertEqual(self.provider().trouble, "no secret apns in the store")
        self.assertEqual(self.way_out.asked, [])


class AnswerTests(ApnsCase):
    def outcome(self, answer: Answer | NoAnswer, provider: Apns | None = None) -> Outcome:
        self.way_out.answers = [answer]
        return self.woken(provider or self.provider(), TOKEN)

    def test_every_reason(self) -> None:
        """Apple's table, and which of the four it is: refused wakes are told from refused nodes."""
        wake, node, dead, later = "refused", "node refused", "gone", "temporary"
        for status, reason, wanted in (
            (400, "BadCollapseId", wake),
            (400, "BadDeviceToken", dead),
            (400, "BadExpirationDate", wake),
            (400, "BadMessageId", wake),
            (400, "BadPriority", wake),
            (400, "BadTopic", node),
            (400, "DeviceTokenNotForTopic", dead),
            (400, "DuplicateHeaders", wake),
            (400, "IdleTimeout", later),
            (400, "InvalidPushType", wake),
            (400, "MissingDeviceToken", wake),
            (400, "MissingTopic", wake),
            (400, "PayloadEmpty", wake),
            (400, "TopicDisallowed", node),
            (403, "BadCertificate", node),
            (403, "BadCertificateEnvironment", node),
            (403, "BadEnvironmentKeyIdInToken", node),
            (403, "ExpiredProviderToken", node),
            (403, "Forbidden", wake),
            (403, "InvalidProviderToken", node),
            (403, "MissingProviderToken", node),
            (403, "UnrelatedKeyIdInToken", node),
            (404, "BadPath", node),
            (405, "MethodNotAllowed", node),
            (410, "ExpiredToken", dead),
            (410, "Unregistered", dead),
            (413, "PayloadTooLarge", wake),
            (429, "TooManyProviderTokenUpdates", later),
            (429, "TooManyRequests", "address alone"),
            (500, "InternalServerError", later),
            (503, "ServiceUnavailable", later),
            (503, "Shutdown", later),
            (400, "NeverHeardOf", wake),
            (403, "NeverHeardOf", node),
            (410, "", dead),
            (429, "", "address alone"),
            (599, "", later),
            (301, "", node),
            (204, "", node),
        ):
            provider = self.provider()
            self.assertEqual(self.woken(provider, TOKEN), Accepted())
            outcome = self.outcome(says(reason, status), provider)
            self.assertEqual(_is(outcome), wanted, f"{status} {reason}: {outcome}")
        self.assertEqual(len(REASONS), 32)

    def test_dead_or_wrong_settings(self) -> None:
        """Until APNs has taken a wake, the settings may be what is wrong: then no address is forgotten."""
        provider = self.provider()
        for reason in ("BadDeviceToken", "DeviceTokenNotForTopic"):
            self.assertEqual(self.outcome(says(reason), provider), PERHAPS_SETTINGS)
        self.assertIsInstance(self.outcome(says("Unregistered", 410), provider), Gone)
        self.assertEqual(self.woken(provider, TOKEN), Accepted())
        for reason in ("BadDeviceToken", "DeviceTokenNotForTopic"):
            self.assertIsInstance(self.outcome(says(reason), provider), Gone)

    def test_unreadable(self) -> None:
        """What is no document of APNs' counts by its status; nothing of it is told."""
        for body in (b"", b"[]", b"\xff", b'{"reason":7}', b"[" * 4000, b'{"reason":"secret"}'):
            outcome = self.outcome(Answer(500, body))
            self.assertEqual(outcome, Temporary("APNs is in trouble"))
            self.assertIsInstance(self.outcome(Answer(410, body)), Gone)

    def test_retry_after(self) -> None:
        """Where APNs says how long to wait, that is passed on."""
        self.assertEqual(outcome_of(503, "Shutdown", 7.0), Temporary("APNs is shutting down", 7.0))
        limited = outcome_of(429, "TooManyRequests", 9.0)
        self.assertEqual(
            limited, Temporary("APNs takes no more for this device now", 9.0, address_alone=True)
        )

    def test_no_answer(self) -> None:
        """It may be tried later."""
        self.assertEqual(self.outcome(NoAnswer("in our own words")), Temporary("in our own words"))

    def test_cancelled(self) -> None:
        """What is asked is given up, and that is no failure."""
        cancelled: list[bool] = []

        def cancel(asked: Deferred[Answer]) -> None:
            cancelled.append(True)
            asked.errback(NoAnswer(GIVEN_UP))

        self.way_out.answers = [Deferred(cancel)]
        outcome = self.provider().wake(PushAddress(TOKEN), Wake.MESSAGE, 60)
        outcome.cancel()
        self.assertEqual((self.successResultOf(outcome), cancelled), (Temporary(GIVEN_UP), [True]))


class SettingsTests(ApnsCase):
    def test_bad(self) -> None:
        """Each is refused with its name, before the node starts and when the provider is made."""
        for name, value in {
            "key": "-----BEGIN PRIVATE KEY-----",
            "key_id": "abc",
            "team_id": "D" * 11,
            "topic": "com.example/../x",
            "environment": "staging",
            "message": "loud",
            "text": "",
            "url": "https://localhost:1/path",
            "seconds": 0,
            "unheard_of": 1,
        }.items():
            for make in (lambda found: apns(self.context(), found), lambda found: apns.check("apple", found)):  # type: ignore[attr-defined]
                error = self.assertRaises(ConfigError, make, {**SETTINGS, name: value})
                self.assertIn(name, str(error))
        for url in ("http://localhost:1", "https://user@localhost", "https://localhost?x", "localhost"):
            self.assertIn(
                "url", str(self.assertRaises(ConfigError, apns, self.context(), {**SETTINGS, "url": url}))
            )
        error = self.assertRaises(ConfigError, apns, self.context(), {**SETTINGS, "ca": "/does/not/exist"})
        self.assertIn("ca", str(error))

    def test_good(self) -> None:
        """The least that is needed; nothing is connected to."""
        apns.check("apple", SETTINGS)  # type: ignore[attr-defined]
        self.successResultOf(apns(self.context(), SETTINGS).stop())


def _is(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        return "node refused" if outcome.account_refused else "refused"
    if isinstance(outcome, Temporary):
        return "address alone" if outcome.address_alone else "temporary"
    return "gone" if isinstance(outcome, Gone) else "accepted"
