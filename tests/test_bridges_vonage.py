"""The bridge to Vonage, against a double written from Vonage's documents."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws, jwt
from joserfc.jwk import OctKey

from bridges.sms.vonage import (
    ACCOUNT_REFUSED,
    NUMBER_REFUSED,
    ROUTE_REFUSED,
    TRY_LATER,
    Vonage,
    VonageSettings,
    vonage,
)
from bridges.sms.vonage_jwt import Tokens
from bridges.sms.vonage_reports import AHEAD, OLDEST, STATES
from safeum_home.config import ConfigError
from safeum_home.ports.sms import Accepted, Permanent, SmsState, Temporary
from tests.doubles.sms import VonageDouble
from tests.sms_case import NO_SECRET, NOW, NUMBER, TEXT, URL, SmsCase
from tests.sms_failures import FailureCase

UUID = "aaaaaaaa-bbbb-4ccc-8ddd-000000000001"
SIGNATURE = b"the signature secret of an account"
CREDENTIALS = Permanent("the provider refuses the credentials", account_refused=True)


def pem(key: Any) -> bytes:
    octets: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return octets


class VonageCase(SmsCase):
    def setUp(self) -> None:
        super().setUp()
        self.double = VonageDouble()
        self.secrets = {"vonage": VonageDouble.SECRET.encode(), "signature": SIGNATURE}

    def settings(self, **changes: Any) -> dict[str, Any]:
        settings = {"account": VonageDouble.ACCOUNT, "key": "secret:vonage", "sender": "+447700900001"}
        return settings | {"signature": "secret:signature"} | changes

    def provider(self, root: Any, url: str | None = URL, **changes: Any) -> Vonage:
        settings = VonageSettings(**self.settings(**changes))
        return Vonage(self.context(url), settings, self.way(settings.url, root))


class SendTests(FailureCase, VonageCase):
    wrong_success = 202

    def test_accepted(self) -> None:
        """Numbers go without "+", and nothing but text, sender and URL with them."""
        self.assertEqual(self.send(self.provider(self.double)), Accepted(UUID))
        wanted = {"channel": "sms", "message_type": "text", "to": NUMBER[1:], "from": "447700900001"}
        wanted |= {"text": TEXT, "webhook_url": URL, "webhook_version": "v1"}
        self.assertEqual(self.double.taken, [wanted])
        self.assertEqual(self.double.headers[0]["content-type"], "application/json")

    def test_without_reports(self) -> None:
        """None are asked for where they could not be checked, or not be received."""
        for changes in ({"signature": None}, {"url": None}):
            provider = self.provider(self.double, **changes)
            self.assertIsInstance(self.send(provider), Accepted)
            self.assertNotIn("webhook_url", self.double.taken[-1])
            self.assertIsNone(provider.callback)

    def test_codes(self) -> None:
        """The number at the end of a problem's type decides."""
        sets = (NUMBER_REFUSED, ACCOUNT_REFUSED, ROUTE_REFUSED, TRY_LATER)
        self.assertEqual(sum(map(len, sets)), len(frozenset().union(*sets)))
        provider = self.provider(self.double)
        for codes, wanted in (
            (NUMBER_REFUSED, Permanent("the provider refuses the number", number_refused=True)),
            (ACCOUNT_REFUSED, Permanent("the provider refuses the account", account_refused=True)),
            (ROUTE_REFUSED, Permanent("the provider does not deliver there")),
            (TRY_LATER, Temporary("the provider asks for fewer requests")),
            ({1020, 99999999, 10**9}, Permanent("the provider refuses the message")),
        ):
            for code in codes:
                for status in (400, 422):
                    self.double.problem = (status, code)
                    self.assertEqual(self.send(provider), wanted)
        self.double.problem = (503, 1050)
        self.assertEqual(self.send(provider), Temporary("the provider has a failure"))

    def test_wrong_credentials(self) -> None:
        """A wrong secret is for good, until it was changed."""
        provider = self.provider(self.double)
        self.secrets["vonage"] = b"wrong"
        self.assertEqual(self.send(provider), CREDENTIALS)
        self.secrets["vonage"] = VonageDouble.SECRET.encode()
        self.assertIsInstance(self.send(provider), Accepted)


class ApplicationTests(VonageCase):
    def setUp(self) -> None:
        super().setUp()
        key = rsa.generate_private_key(65537, 2048)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.double = VonageDouble(public, NOW)
        self.secrets["vonage"] = pem(key)

    def settings(self, **changes: Any) -> dict[str, Any]:
        return super().settings(**{"account": None, "application": VonageDouble.APPLICATION} | changes)

    def test_token(self) -> None:
        """An application asks with a token of its own key, which serves for a while."""
        provider = self.provider(self.double)
        self.assertEqual(self.send(provider), Accepted(UUID))
        self.assertIsInstance(self.send(provider), Accepted)
        first, second = (head["authorization"] for head in self.double.headers)
        self.assertEqual(first, second)
        self.clock.advance(601)
        self.send(provider)
        self.assertNotEqual(self.double.headers[-1]["authorization"], first)

    def test_clock_set_back(self) -> None:
        """A token from the future is not used."""
        tokens = Tokens(self.context(), VonageDouble.APPLICATION, "secret:vonage")
        token = tokens.current()
        self.assertEqual(tokens.current(), token)
        self.clock.rightNow -= 3600
        self.assertNotEqual(tokens.current(), token)

    def test_refused_token(self) -> None:
        """A key that was replaced after a refusal is used at once."""
        provider = self.provider(self.double)
        right = self.secrets["vonage"]
        self.secrets["vonage"] = pem(rsa.generate_private_key(65537, 2048))
        self.assertEqual(self.send(provider), CREDENTIALS)
        self.secrets["vonage"] = right
        self.assertEqual(self.send(provider), Accepted(UUID))

    def test_not_a_key(self) -> None:
        """What cannot sign is as good as missing, and not quoted."""
        for octets in (b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"):
            self.secrets["vonage"] = octets
            found = self.send(self.provider(self.double))
            self.assertEqual(found, NO_SECRET)
        self.secrets["vonage"] = pem(ec.generate_private_key(ec.SECP256R1()))
        found = self.send(self.provider(self.double))
        self.assertEqual(found, NO_SECRET)
        self.assertEqual(self.double.headers, [])


class SettingsTests(VonageCase):
    def test_bad_settings(self) -> None:
        """Each is refused with its key named."""
        for key, value in {
            "account": None,
            "application": VonageDouble.APPLICATION,
            "key": "a secret",
            "sender": "",
            "signature": 7,
            "url": "https://user:word@api.nexmo.com",
            "seconds": 61,
            "unheard_of": 1,
        }.items():
            with self.assertRaises(ConfigError) as caught:
                vonage(self.context(), self.settings(**{key: value}))
            self.assertIn(key, str(caught.exception))


class ReportTests(VonageCase):
    def token(self, body: bytes, key: bytes = SIGNATURE, algorithm: str = "HS256", **changes: Any) -> str:
        claims = {"iat": NOW, "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5", "iss": "Vonage"}
        claims |= {
            "payload_hash": hashlib.sha256(body).hexdigest(),
            "api_key": VonageDouble.ACCOUNT,
        } | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": algorithm}, kept, OctKey.import_key(key), [algorithm])

    def body(self, status: str) -> bytes:
        document = {"message_uuid": UUID, "to": NUMBER[1:], "from": "447700900001", "status": status}
        document |= {"timestamp": "2027-01-15T08:00:00Z", "channel": "sms", "client_ref": "x"}
        return json.dumps(document).encode()

    def report(self, body: bytes, authorization: str | None, **changes: Any) -> int:
        headers = {"Content-Type": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        callback = self.provider(self.double, **changes).callback
        return self.call(callback, "POST", "/v1/sms/main", headers, body)[0]

    def test_reported(self) -> None:
        """Each state is told, as often as it comes."""
        for status, state in STATES.items():
            body = self.body(status)
            for scheme in ("Bearer", "bearer"):
                self.assertEqual(self.report(body, f"{scheme} {self.token(body)}"), 200)
            self.assertEqual(self.reports.made[-2:], [("main", UUID, state)] * 2)
        body = self.body("pondering")
        self.assertEqual(self.report(body, f"Bearer {self.token(body)}"), 200)
        self.assertEqual(len(self.reports.made), 2 * len(STATES))

    def test_forged(self) -> None:
        """Another key, body, issuer, account, age or algorithm, and whatever is no token."""
        body = self.body("delivered")
        good = self.token(body)
        head, claims, _ = good.split(".")
        none = jws.serialize_compact({"alg": "HS256"}, b"{}", OctKey.import_key(SIGNATURE), ["HS256"])
        bad = [
            self.token(body, b"another secret of an account"),
            self.token(body, algorithm="HS512"),
            self.token(body, iss="Nexmo"),
            self.token(body, api_key="abcd1235"),
            self.token(body, api_key=None),
            self.token(body, payload_hash=None),
            self.token(body, payload_hash=""),
            self.token(body, iat=NOW - OLDEST - 1),
            self.token(body, iat=NOW + AHEAD + 1),
            self.token(body, iat="1800000000"),
            self.token(self.body("rejected")),
            f"{head}.{claims}.",
            f"eyJhbGciOiJub25lIn0.{claims}.",
            f"eyJhbGciOiJub25lIn0.{claims}",
            none,
            "",
            "...",
            "a.b.c",
            "é.é.é",
            "x" * 4000,
            good[:-2],
        ]
        for authorization in (*(f"Bearer {token}" for token in bad), None, good, f"Basic {good}", "Bearer"):
            self.assertEqual(self.report(body, authorization), 403, authorization)
        self.assertEqual(self.report(body + b" ", f"Bearer {good}"), 403)
        self.assertEqual(self.reports.made, [])
        self.assertEqual(self.report(body, f"Bearer {good}"), 200)

    def test_application(self) -> None:
        """Where an application is configured, the token is for it."""
        body = self.body("delivered")
        mine = {"account": None, "application": VonageDouble.APPLICATION}
        other = self.token(body, application_id="78d335fa-323d-0114-9c3d-d6f0d48968ca")
        self.assertEqual(self.report(body, f"Bearer {other}", **mine), 403)
        token = self.token(body, api_key="whose ever", application_id=VonageDouble.APPLICATION)
        self.assertEqual(self.report(body, f"Bearer {token}", **mine), 200)
        self.assertEqual(self.reports.made, [("main", UUID, SmsState.DELIVERED)])

    def test_malformed(self) -> None:
        """A signed body that is not a status."""
        for body in (
            b"",
            b"[]",
            b"{}",
            b'{"message_uuid":"","status":"sent"}',
            b"\xff",
            b'{"message_uuid":7}',
        ):
            self.assertEqual(self.report(body, f"Bearer {self.token(body)}"), 400, body)
        self.assertEqual(self.reports.made, [])

    def test_no_secret(self) -> None:
        """Without the secret nothing can be checked: Vonage may come again. An empty one signs nothing."""
        body = self.body("delivered")
        good = self.token(body)
        signed = good.rpartition(".")[0]
        empty = urlsafe_b64encode(hmac.digest(b"", signed.encode(), "sha256")).decode().rstrip("=")
        self.secrets["signature"] = b"\n"
        for token in (good, f"{signed}.{empty}"):
            self.assertEqual(self.report(body, f"Bearer {token}"), 403)
        del self.secrets["signature"]
        self.assertEqual(self.report(body, f"Bearer {good}"), 503)
