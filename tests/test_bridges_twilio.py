"""The bridge to Twilio, against a double written from Twilio's documents."""

from typing import Any

from bridges.sms.twilio import (
    ACCOUNT_REFUSED,
    NUMBER_REFUSED,
    ROUTE_REFUSED,
    TRY_LATER,
    Twilio,
    TwilioSettings,
    twilio,
)
from bridges.sms.twilio_reports import STATES, signature, url_spellings
from safeum_home.config import ConfigError
from safeum_home.ports.sms import Accepted, Permanent, SmsState, Temporary
from tests.doubles.sms import TwilioDouble
from tests.sms_case import NUMBER, TEXT, URL, SmsCase
from tests.sms_failures import FailureCase

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SID = "SM" + "1" * 32


class TwilioCase(SmsCase):
    def setUp(self) -> None:
        super().setUp()
        self.double = TwilioDouble()
        self.secrets = {"token": TwilioDouble.TOKEN.encode() + b"\n", "api": TwilioDouble.API_SECRET.encode()}

    def settings(self, **changes: Any) -> dict[str, Any]:
        return {"account": TwilioDouble.ACCOUNT, "key": "secret:token", "sender": "+15005550006"} | changes

    def provider(self, root: Any, url: str | None = URL, **changes: Any) -> Twilio:
        settings = TwilioSettings(**self.settings(**changes))
        return Twilio(self.context(url), settings, self.way(settings.url, root))


class SendTests(FailureCase, TwilioCase):
    wrong_success = 201

    def test_accepted(self) -> None:
        """Number, text, sender and the URL for reports are all that leaves, as a form."""
        self.assertEqual(self.send(self.provider(self.double)), Accepted(f"SM{1:032x}"))
        self.assertEqual(
            self.double.taken,
            [{"To": NUMBER, "From": "+15005550006", "Body": TEXT, "StatusCallback": URL}],
        )
        head = self.double.headers[0]
        self.assertEqual(head["content-type"], "application/x-www-form-urlencoded")
        self.assertEqual(head["accept-encoding"], "identity")
        self.assertNotIn("cookie", head)

    def test_text_is_unchanged(self) -> None:
        """Any characters arrive."""
        for text in ("a+b&c=d%20", "Код 1", "🙂 é\n€", "x" * 1600):
            self.send(self.provider(self.double), text=text)
            self.assertEqual(self.double.taken[-1]["Body"], text)

    def test_senders(self) -> None:
        """A messaging service is told from a name that begins like one."""
        service = "MG" + "a" * 32
        self.send(self.provider(self.double, sender=service))
        self.assertEqual(self.double.taken[-1]["MessagingServiceSid"], service)
        self.send(self.provider(self.double, sender="MGNODE"))
        self.assertEqual(self.double.taken[-1]["From"], "MGNODE")

    def test_api_key(self) -> None:
        """An API key in place of the token; reports need the token all the same."""
        user = {"user": TwilioDouble.API_KEY, "key": "secret:api"}
        provider = self.provider(self.double, **user)
        self.assertIsInstance(self.send(provider), Accepted)
        self.assertIsNone(provider.callback)
        self.assertNotIn("StatusCallback", self.double.taken[-1])
        provider = self.provider(self.double, signature="secret:token", **user)
        self.assertIsInstance(self.send(provider), Accepted)
        self.assertIsNotNone(provider.callback)
        self.assertEqual(self.double.taken[-1]["StatusCallback"], URL)

    def test_without_reports(self) -> None:
        """A node that cannot be called asks for no reports."""
        provider = self.provider(self.double, url=None)
        self.assertIsInstance(self.send(provider), Accepted)
        self.assertNotIn("StatusCallback", self.double.taken[0])
        self.assertIsNone(provider.callback)

    def test_refused_numbers(self) -> None:
        """What is wrong with the number is told from what is wrong with the account."""
        provider = self.provider(self.double)
        number = Permanent("the provider refuses the number", number_refused=True)
        route = Permanent("the provider does not deliver there")
        account = Permanent("the provider refuses the account or the sender", account_refused=True)
        for to, wanted in {
            "+15005550001": number,
            "+15005550002": route,
            "+15005550003": route,
            "+15005550004": number,
            "+15005550009": number,
        }.items():
            self.assertEqual(self.send(provider, to), wanted)
        for sender, outcome in {
            "+15005550001": account,
            "+15005550007": account,
            "+15005550008": Temporary("the provider asks for fewer requests"),
        }.items():
            self.assertEqual(self.send(self.provider(self.double, sender=sender)), outcome)
        self.assertEqual(self.double.taken, [])

    def test_wrong_credentials(self) -> None:
        """A wrong token and a wrong account are for good, until the operator has changed them."""
        provider = self.provider(self.double)
        self.secrets["token"] = b"wrong"
        self.assertEqual(
            self.send(provider), Permanent("the provider refuses the credentials", account_refused=True)
        )
        self.secrets["token"] = TwilioDouble.TOKEN.encode()
        self.assertIsInstance(self.send(provider), Accepted)

    def test_codes(self) -> None:
        """Each number has one meaning, whatever else is in the document."""
        sets = (NUMBER_REFUSED, ACCOUNT_REFUSED, ROUTE_REFUSED, TRY_LATER)
        self.assertEqual(sum(map(len, sets)), len(frozenset().union(*sets)))
        for code in NUMBER_REFUSED:
            found = self.outcome(400, b'{"code":%d,"message":"+4915112345678"}' % code)
            self.assertEqual(found, Permanent("the provider refuses the number", number_refused=True))
        for code in TRY_LATER:
            found = self.outcome(400, b'{"code":%d}' % code, Retry_After="3")
            self.assertEqual(found, Temporary("the provider asks for fewer requests", 3.0))
        found = self.outcome(500, b'{"code":21211}')
        self.assertEqual(found, Temporary("the provider has a failure"))

    def test_given_up_at_once(self) -> None:
        """A message that is created as failed is not accepted."""
        body = b'{"sid":"%b","status":"failed","error_code":30007}' % SID.encode()
        self.assertEqual(self.outcome(201, body), Permanent("the provider has given the message up"))


class SettingsTests(TwilioCase):
    def test_bad_settings(self) -> None:
        """Each is refused with its key named and its value not quoted."""
        for key, value in {
            "account": "AC123",
            "key": "0f0f0f0f",
            "user": "me",
            "sender": "+1 (500)",
            "signature": "secret:",
            "url": "http://api.twilio.example",
            "seconds": 0,
            "unheard_of": 1,
            "ca": "/no/such/file",
        }.items():
            with self.assertRaises(ConfigError) as caught:
                twilio(self.context(), self.settings(**{key: value}))
            self.assertIn(key, str(caught.exception))
            self.assertIn("main", str(caught.exception))
            self.assertNotIn("0f0f0f0f", str(caught.exception))
        with self.assertRaises(ConfigError) as caught:
            twilio(self.context(), {})
        self.assertIn("sender", str(caught.exception))


class ReportTests(TwilioCase):
    def signed(
        self, body: bytes, fields: list[tuple[str, str]], url: str = URL, **more: str
    ) -> tuple[int, bytes]:
        value = signature(TwilioDouble.TOKEN.encode(), url, fields, more.pop("digest", "sha1")).decode()
        headers = {**FORM, "X-Twilio-Signature": value, **more}
        return self.call(self.provider(self.double).callback, "POST", "/v1/sms/main", headers, body)

    def fields(self, status: str) -> tuple[bytes, list[tuple[str, str]]]:
        body = (
            f"MessageSid={SID}&SmsSid={SID}&MessageStatus={status}&To=%2B4915112345678&From=%2B15005550006&X="
        )
        fields = [("MessageSid", SID), ("SmsSid", SID), ("MessageStatus", status)]
        return body.encode(), [*fields, ("To", NUMBER), ("From", "+15005550006"), ("X", "")]

    def test_reported(self) -> None:
        """Each state is told, as often as it comes."""
        for status, state in STATES.items():
            self.assertEqual(self.signed(*self.fields(status)), (200, b""))
            self.assertEqual(self.signed(*self.fields(status)), (200, b""))
            self.assertEqual(self.reports.made[-2:], [("main", SID, state)] * 2)

    def test_unknown_state(self) -> None:
        """A state that is not known is taken and means nothing."""
        self.assertEqual(self.signed(*self.fields("teleported")), (200, b""))
        self.assertEqual(self.reports.made, [])

    def test_forged(self) -> None:
        """Whatever is changed after signing, or not signed at all, is refused and not reported."""
        body, fields = self.fields("delivered")
        callback = self.provider(self.double).callback
        good = signature(TwilioDouble.TOKEN.encode(), URL, fields).decode()
        other = signature(b"other", URL, fields).decode()
        changed = body.replace(b"delivered", b"failed")
        for value, octets in (
            (good, changed),
            (good, body + b"&a=b"),
            (other, body),
            ("", body),
            ("é" * 9, body),
        ):
            headers = {**FORM, "X-Twilio-Signature": value}
            status, answer = self.call(callback, "POST", "/v1/sms/main", headers, octets)
            self.assertEqual(status, 403)
            self.assertIn(b'"status":403', answer)
        self.assertEqual(self.call(callback, "POST", "/v1/sms/main", FORM, body)[0], 403)
        self.assertEqual(self.signed(body, fields, url="https://other.example/v1/sms/main")[0], 403)
        twice = {**FORM, "X-Twilio-Signature": good, "x-twilio-signature": good}
        self.assertEqual(self.call(callback, "POST", "/v1/sms/main", twice, body)[0], 403)
        self.assertEqual(self.reports.made, [])

    def test_malformed(self) -> None:
        """Not a form, too long a one, another method, a path below, no message."""
        callback = self.provider(self.double).callback
        for body in (b"a", b"\xff=1", b"a=%ff", b"&".join([b"a=1"] * 65)):
            self.assertEqual(self.call(callback, "POST", "/v1/sms/main", FORM, body)[0], 400, body)
        self.assertEqual(self.call(callback, "POST", "/v1/sms/main", {}, b"a=1")[0], 400)
        self.assertEqual(self.call(callback, "POST", "/v1/sms/main", FORM, b"a=" + b"x" * 5000)[0], 413)
        self.assertEqual(self.call(callback, "GET", "/v1/sms/main", {})[0], 405)
        self.assertEqual(self.call(callback, "POST", "/v1/sms/main/x", FORM, b"a=1")[0], 404)
        self.assertEqual(self.call(callback, "POST", "/v1/sms/other", FORM, b"a=1")[0], 404)
        self.assertEqual(self.signed(b"MessageStatus=sent", [("MessageStatus", "sent")])[0], 400)
        self.assertEqual(self.reports.made, [])

    def test_no_token(self) -> None:
        """Without the token nothing can be checked: Twilio may come again."""
        body, fields = self.fields("sent")
        self.secrets["token"] = b"\n"
        value = signature(b"", URL, fields).decode()
        callback = self.provider(self.double).callback
        headers = {**FORM, "X-Twilio-Signature": value}
        self.assertEqual(self.call(callback, "POST", "/v1/sms/main", headers, body)[0], 403)
        self.tampered = True
        self.assertEqual(self.call(callback, "POST", "/v1/sms/main", headers, body)[0], 503)
        self.secrets = {}
        self.assertEqual(self.call(callback, "POST", "/v1/sms/main", headers, body)[0], 503)
        self.assertEqual(self.reports.made, [])

    def test_documented_example(self) -> None:
        """The example of Twilio's own documents and validator."""
        url = "https://mycompany.com/myapp.php?foo=1&bar=2"
        fields = {
            "CallSid": "CA1234567890ABCDE",
            "Digits": "1234",
            "From": "+14158675309",
            "To": "+18005551212",
            "Caller": "+14158675309",
        }
        self.assertEqual(signature(b"12345", url, list(fields.items())), b"RSOYDt4T1cUTdK1PDd93/VVr8B8=")

    def test_ports_and_sha256(self) -> None:
        """A URL is signed with or without its port, and under a webhook rule with SHA-256."""
        self.assertEqual(
            url_spellings("https://a.example/x"), ["https://a.example/x", "https://a.example:443/x"]
        )
        self.assertEqual(url_spellings("https://a.example:8443/x")[1], "https://a.example:8443/x")
        body, fields = self.fields("sent")
        self.assertEqual(self.signed(body, fields, url=URL.replace("example/", "example:443/"))[0], 200)
        rule = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
        self.assertEqual(self.signed(body, fields, digest="sha256", **rule)[0], 200)
        self.assertEqual(self.signed(body, fields, digest="sha256")[0], 403)
        self.assertEqual(self.reports.made, [("main", SID, SmsState.ACCEPTED)] * 2)
