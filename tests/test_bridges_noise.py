"""Whatever comes to a callback or as an answer: never a failure of the node, never a report, never a log."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.callback import Callback
from bridges.sms.kannel import Kannel, KannelSettings
from bridges.sms.twilio import Twilio, TwilioSettings
from bridges.sms.vonage import Vonage, VonageSettings
from safeum_home.ports.sms import Accepted, Permanent, Temporary
from tests.doubles.sms import TwilioDouble
from tests.sms_case import Scripted, SmsCase

KEY: Any = {"key": "secret:key", "sender": "+15005550006"}
LINE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=200)
NAME = st.sampled_from(["sid", "status", "code", "type", "message_uuid", "detail"]) | st.text()
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=4),
    max_leaves=8,
)
BODY = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode())
STATUS = st.sampled_from([200, 201, 202, 204, 299, 301, 400, 401, 404, 422, 429, 500, 503, 999])
FIELD = st.sampled_from(["MessageSid", "MessageStatus", "id", "mac", "state"]) | LINE
FORM = st.dictionaries(FIELD, LINE).map(
    lambda fields: "&".join(f"{name}={value}" for name, value in fields.items()).encode()
)


class NoiseTests(SmsCase):
    def setUp(self) -> None:
        super().setUp()
        self.secrets = {"key": b"a key of some length"}

    def providers(self, root: Any) -> list[Twilio | Vonage | Kannel]:
        twilio = TwilioSettings(account=TwilioDouble.ACCOUNT, **KEY)
        vonage = VonageSettings(account="abcd1234", signature="secret:key", **KEY)
        kannel = KannelSettings(url="http://127.0.0.1:1/cgi-bin/sendsms", user="safeum", **KEY)
        context = self.context()
        return [
            Twilio(context, twilio, self.way(twilio.url, root)),
            Vonage(context, vonage, self.way(vonage.url, root)),
            Kannel(context, kannel, self.way(kannel.url, root)),
        ]

    @settings(max_examples=150, deadline=None)
    @given(
        st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
        st.binary(max_size=300) | FORM,
        st.sampled_from(["application/x-www-form-urlencoded", "application/json", ""]),
        LINE | LINE.map(lambda text: f"Bearer {text}"),
    )
    def test_callbacks(self, method: str, octets: bytes, kind: str, line: str) -> None:
        """No noise is taken for a report."""
        names = ("X-Twilio-Signature", "Authorization", "X-Twilio-Webhooks-Signature-Settings")
        headers = {"Content-Type": kind, **dict.fromkeys(names, line)}
        query = "".join(f"%{octet:02x}" if octet not in b"&=%" else chr(octet) for octet in octets)
        for provider in self.providers(Scripted(500)):
            assert isinstance(provider.callback, Callback)
            status, _ = self.call(provider.callback, method, f"/v1/sms/main?{query}", headers, octets)
            self.assertIn(status, (400, 403, 405))
        self.assertEqual(self.reports.made, [])
        self.assertEqual(self.logged, [])

    def test_fields_that_are_no_text(self) -> None:
        """Nor is a field taken for a signature whose octets are no UTF-8."""
        for name in ("X-Twilio-Signature", "Authorization", "Content-Type", "Cookie"):
            for provider in self.providers(Scripted(500)):
                status, _ = self.call(
                    provider.callback, "POST", "/v1/sms/main", {name: "Bearer \udcff"}, b"a=b"
                )
                self.assertIn(status, (400, 403, 405), name)
        self.assertEqual((self.reports.made, self.logged), ([], []))

    @settings(max_examples=150, deadline=None)
    @given(STATUS, BODY, LINE)
    def test_answers(self, status: int, body: bytes, later: str) -> None:
        """Whatever a provider answers has an outcome, with words of the bridge alone."""
        headers = {"Retry-After": later, "Location": later}
        for provider in self.providers(Scripted(status, b"" if status == 204 else body, headers)):
            outcome = self.send(provider)
            if isinstance(outcome, Temporary):
                self.assertTrue(outcome.retry_after is None or 0 <= outcome.retry_after <= 86400)
            elif isinstance(outcome, Accepted):
                self.assertTrue(200 <= status < 300)
            else:
                assert isinstance(outcome, Permanent)
                self.assertTrue(status < 500)
