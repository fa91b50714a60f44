"""The bridge to FCM, against a double written from Google's documents."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.web.resource import Resource

from bridges.push.fcm import LONGEST_LIFE, SIZE, Fcm, FcmSettings, fcm
from bridges.push.oauth import NO_CREDENTIALS
from bridges.push.template import PAYLOADS
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import IN_TIME
from safeum_home.ports.push import Accepted, Gone, PushAddress, Refused, Temporary, Wake
from tests.doubles.fcm import ERRORS, FcmDouble
from tests.push_bridge_case import Http2Way, PushBridgeCase
from tests.sms_case import Scripted

TOKEN = "fGhIjKlMnOpQrStUvWxYz0:APA91b" + "Ab-_9" * 26
LOGIN = "https://oauth2.googleapis.com"
IN_TROUBLE = "FCM is in trouble"


class FcmCase(PushBridgeCase):
    def setUp(self) -> None:
        super().setUp()
        self.double = FcmDouble(LOGIN, self.clock.seconds)
        self.secrets = {"fcm": json.dumps(self.double.account).encode()}

    def provider(self, root: Resource | None = None, login: Resource | None = None, **changes: Any) -> Fcm:
        settings = FcmSettings(account="secret:fcm", **changes)
        send = Http2Way(self.way(settings.url, root or self.double))
        return Fcm(self.context(), settings, send, self.way(settings.login_url, login or self.double))


class SendTests(FcmCase):
    def test_accepted(self) -> None:
        """A data message of high priority, with the constant of its class and nothing else."""
        for wake, seconds in ((Wake.MESSAGE, 86400), (Wake.CALL, 30)):
            self.assertEqual(self.woken(self.provider(), TOKEN, wake, seconds), Accepted())
            android = {"priority": "high", "ttl": f"{seconds}s"}
            message = {"token": TOKEN, "data": json.loads(PAYLOADS[wake]), "android": android}
            self.assertEqual(self.double.taken[-1], message)

    def test_size(self) -> None:
        """A request has one size, whatever its class, and however long it is of use."""
        provider = self.provider()
        for wake in Wake:
            for seconds in (-1, 0, 7, 30, 86400, LONGEST_LIFE, 10**9):
                self.assertEqual(self.woken(provider, TOKEN, wake, seconds), Accepted())
        self.assertEqual(set(self.double.sizes), {SIZE})
        self.assertEqual(self.double.taken[-1]["android"]["ttl"], f"{LONGEST_LIFE}s")

    def test_headers(self) -> None:
        """Nothing but what HTTP needs."""
        self.woken(self.provider(), TOKEN)
        self.assertLessEqual(
            set(self.double.headers[0]),
            {"host", "authorization", "content-type", "content-length", "accept-encoding", "user-agent"}
            | {"connection"},
        )

    def test_errors(self) -> None:
        """Everything that FCM documents, and what it means."""
        quota = "FCM's quota is used up"
        refuses = Refused("FCM refuses the request")
        role = "FCM does not let the service account send: its role, or the API of the project, is missing"
        wanted = {
            "unspecified": refuses,
            "bad-token": Gone("FCM says that this is no token"),
            "bad-token-short": refuses,
            "bad-field": refuses,
            "too-large": refuses,
            "third-party": Refused("FCM has no key of the project for this device's own push service"),
            "unauthenticated": Refused("FCM refuses the access token", account_refused=True),
            "other-sender": Refused("FCM says that the token is of another project"),
            "no-role": Refused(role, account_refused=True),
            "disabled": Refused(role, account_refused=True),
            "unregistered": Gone("FCM does not know the token any more"),
            "not-found": Refused("FCM knows neither project nor token"),
            "quota": Temporary(quota, 60.0),
            "quota-bare": Temporary(quota, 60.0),
            "quota-device": Temporary("FCM takes no more for this device now", 60.0, address_alone=True),
            "internal": Temporary(IN_TROUBLE),
            "unavailable": Temporary(IN_TROUBLE),
            "deadline": Temporary(IN_TROUBLE),
        }
        self.assertEqual(set(wanted), set(ERRORS))
        for name, outcome in wanted.items():
            provider = self.provider()
            self.woken(provider, TOKEN)
            self.assertEqual(self.woken(provider, f"{name}:{TOKEN}"), outcome, name)

    def test_nothing_is_proven(self) -> None:
        """Before FCM took anything an argument that it refuses may be one of the node's own."""
        found = self.woken(self.provider(), f"bad-token:{TOKEN}")
        self.assertEqual(found, Refused("FCM says that this is no token"))

    def test_retry_after(self) -> None:
        """What FCM asks for is what it gets; after a quota a minute otherwise."""
        self.double.retry_after = "17"
        for name in ("quota", "quota-device", "internal", "unavailable"):
            found = self.woken(self.provider(), f"{name}:{TOKEN}")
            self.assertEqual(getattr(found, "retry_after", None), 17.0, name)

    def test_statuses(self) -> None:
        """Without a body that says more, the status alone decides: proxies answer, too."""
        for status, outcome in {
            301: Refused("FCM is somewhere else: its URL is wrong", account_refused=True),
            400: Refused("FCM refuses the request"),
            404: Refused("FCM knows neither project nor token"),
            408: Temporary("FCM gave up waiting for the request"),
            429: Temporary("FCM's quota is used up", 60.0),
            502: Temporary(IN_TROUBLE),
            599: Temporary(IN_TROUBLE),
        }.items():
            for body in (b"", b"<html>", b'{"error":7}', b'{"error":{"details":[[]]}}', b"\xff", b"[" * 9999):
                self.assertEqual(self.woken(self.provider(Scripted(status, body)), TOKEN), outcome)

    def test_success_that_is_none(self) -> None:
        """An answer of success without the message's name is not taken for one."""
        for body in (b"", b"{}", b"<html>", b'{"name":""}', b'{"name":7}', b"\xff", b"[" * 9999):
            found = self.woken(self.provider(Scripted(200, body)), TOKEN)
            self.assertEqual(found, Temporary("FCM's answer is not understood"))

    def test_in_time(self) -> None:
        """A wake ends within its time, also where it is the token that does not come; given up, it ends."""

        class Silent(Resource):
            isLeaf = True

            def render_POST(self, _request: Any) -> int:
                return 1

        for roots in ((Silent(), None), (None, Silent())):
            provider = self.provider(*roots)
            waiting = provider.wake(PushAddress(TOKEN), Wake.CALL, 30)
            self.clock.advance(7)
            self.assertNoResult(waiting)
            self.clock.advance(1)
            self.assertEqual(self.successResultOf(waiting), Temporary(IN_TIME))
            given_up = provider.wake(PushAddress(TOKEN), Wake.CALL, 30)
            given_up.cancel()
            self.assertIsInstance(self.successResultOf(given_up), Temporary)
            stopped = provider.wake(PushAddress(TOKEN), Wake.CALL, 30)
            self.successResultOf(provider.stop())
            self.assertIsInstance(self.successResultOf(stopped), Temporary)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_check(self) -> None:
        """What can be no token of FCM's is refused at once."""
        provider = self.provider()
        provider.check(PushAddress(TOKEN))
        for address in (
            PushAddress(""),
            PushAddress("short"),
            PushAddress(TOKEN + '"'),
            PushAddress(TOKEN + "\n"),
            PushAddress(TOKEN + " "),
            PushAddress("https://" + TOKEN),
            PushAddress("é" * 40),
            PushAddress("x" * 2049),
            PushAddress(TOKEN, call_token=TOKEN),
            PushAddress(TOKEN, key=b"\4" * 65, secret=b"0" * 16),
        ):
            error = self.assertRaises(Problem, provider.check, address)
            self.assertIs(error.code, Code.PUSH_ADDRESS_REFUSED)
            self.assertTrue(error.detail)


class AccountTests(FcmCase):
    def test_claims(self) -> None:
        """The assertion is for Google's token endpoint, for pushes alone, and for an hour."""
        self.woken(self.provider(), TOKEN)
        now = int(self.clock.seconds())
        claims = {"iss": FcmDouble.EMAIL, "scope": FcmDouble.SCOPE, "aud": FcmDouble.AUDIENCE}
        self.assertEqual(self.double.logins, [claims | {"iat": now, "exp": now + 3600}])

    def test_another_key(self) -> None:
        """A signature by another key gets no token, and the operator is told what it can be."""
        other = FcmDouble(LOGIN, self.clock.seconds)
        other._key = rsa.generate_private_key(65537, 2048)
        self.secrets = {"fcm": json.dumps(other.account).encode()}
        reason = "the login service refuses the key: it was deleted, or this machine's clock is wrong"
        self.assertEqual(self.woken(self.provider(), TOKEN), Refused(reason, account_refused=True))
        self.assertEqual((self.double.refused_logins, self.double.headers), (["invalid_grant"], []))

    def test_no_account(self) -> None:
        """Without a key, or with one that is none, nobody is asked; with one it goes on at once."""
        whole = self.double.account
        provider = self.provider(Scripted(500), Scripted(500))
        for broken in (
            b"",
            b"[]",
            b"\xff",
            b"[" * 9999,
            *(
                json.dumps(whole | changes).encode()
                for changes in (
                    {"type": "authorized_user"},
                    {"project_id": "../evil"},
                    {"project_id": None},
                    {"client_email": ""},
                    {"private_key_id": "x y"},
                    {"private_key": "no PEM"},
                    {"token_uri": "https://evil.example/token"},
                    {"token_uri": f"{LOGIN}.evil.example/token"},
                    {"token_uri": f"http://{LOGIN[8:]}/token"},
                )
            ),
        ):
            self.secrets["fcm"] = broken
            found = self.woken(provider, TOKEN)
            self.assertEqual(found, Refused(NO_CREDENTIALS, account_refused=True), broken[:60])
        del self.secrets["fcm"]
        self.assertEqual(self.woken(provider, TOKEN), Refused(NO_CREDENTIALS, account_refused=True))
        self.secrets["fcm"], self.tampered = json.dumps(whole).encode(), True
        self.assertEqual(self.woken(provider, TOKEN), Refused(NO_CREDENTIALS, account_refused=True))
        self.tampered = False
        self.assertEqual(self.woken(self.provider(), TOKEN), Accepted())

    def test_trouble(self) -> None:
        """What is wrong with the key is told before anybody is woken."""
        provider = self.provider()
        self.assertIsNone(provider.trouble)
        self.secrets["fcm"] = b"{}"
        self.assertEqual(provider.trouble, "secret fcm is no service account's key for login_url")
        del self.secrets["fcm"]
        self.assertEqual(provider.trouble, "no secret fcm in the store")

    def test_replaced(self) -> None:
        """A key that was replaced is used at once, with its project."""
        provider = self.provider()
        self.woken(provider, TOKEN)
        self.double.PROJECT = "another-project"
        self.secrets["fcm"] = json.dumps(self.double.account).encode()
        self.clock.advance(1)
        self.assertEqual(self.woken(provider, TOKEN), Accepted())
        self.assertEqual(len(self.double.logins), 2)

    def test_third_party(self) -> None:
        """A token that has FCM answer 401 costs the node no access token."""
        provider = self.provider()
        for _ in range(3):
            self.woken(provider, f"third-party:{TOKEN}")
        self.assertEqual(len(self.double.logins), 1)

    def test_access_token(self) -> None:
        """One that is not taken any more is replaced once, and the wake goes on."""
        provider = self.provider()
        self.woken(provider, TOKEN)
        self.double.valid.clear()
        self.assertEqual(self.woken(provider, TOKEN), Accepted())
        self.assertEqual((len(self.double.logins), len(self.double.headers)), (2, 3))


class SettingsTests(FcmCase):
    def test_settings(self) -> None:
        """They are read strictly; what is wrong is named, and no secret is needed for it."""
        for settings, key in (
            ({}, "account"),
            ({"account": "{}"}, "account"),
            ({"account": "secret:x", "project": "p"}, "project"),
            ({"account": "secret:x", "url": "http://fcm.example"}, "url"),
            ({"account": "secret:x", "login_url": "ftp://login.example"}, "login_url"),
            ({"account": "secret:x", "url": "https://fcm.example/v1"}, "url"),
        ):
            with self.assertRaisesRegex(ConfigError, f"^push provider main: .*{key}"):
                fcm.check("main", settings)  # type: ignore[attr-defined]

    def test_made(self) -> None:
        """The bridge is made without connecting anywhere, and stops."""
        provider = fcm(self.context(), {"account": "secret:fcm"})
        self.assertIsNone(provider.application_key)
        self.successResultOf(provider.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])
