"""Whatever FCM, WNS and their login services answer: an outcome, no failure, and nothing of it is told."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.push.fcm import Fcm, FcmSettings
from bridges.push.wns import Wns, WnsSettings
from safeum_home.ports.push import Accepted, Gone, PushAddress, PushProvider, Refused, Temporary, Wake
from tests.doubles.fcm import BAD_REQUEST, FCM_ERROR, QUOTA_FAILURE, FcmDouble
from tests.doubles.wns import EntraDouble
from tests.push_bridge_case import Http2Way, PushBridgeCase
from tests.sms_case import Scripted
from tests.test_push_wns import CREDENTIALS, Ways, channel

MARK = "written-by-the-other-side"
CODES = ["UNREGISTERED", "INVALID_ARGUMENT", "QUOTA_EXCEEDED", "THIRD_PARTY_AUTH_ERROR", "invalid_grant"]
NAMES = "error status details @type errorCode fieldViolations violations field name subject access_token"
NAME = st.sampled_from(f"{NAMES} token_type expires_in error_description".split())
KNOWN = [MARK, *CODES, FCM_ERROR, BAD_REQUEST, QUOTA_FAILURE, "Bearer", "message.token"]
WORD = st.sampled_from(KNOWN) | st.text()
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=4),
    max_leaves=12,
)
DETAIL = st.fixed_dictionaries(
    {"@type": st.sampled_from([FCM_ERROR, BAD_REQUEST, QUOTA_FAILURE]), "errorCode": WORD},
    optional={name: st.lists(st.dictionaries(NAME, JSON)) for name in ("fieldViolations", "violations")},
)
ERROR = st.fixed_dictionaries({"error": st.fixed_dictionaries({"status": WORD, "details": st.lists(DETAIL)})})
BODY = st.binary(max_size=300) | (JSON | ERROR).map(lambda value: json.dumps(value).encode())
STATUS = st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 406, 408, 410, 413, 429, 500, 503, 999])
LINE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
FIELD = ["Retry-After", "X-WNS-Status", "X-WNS-DeviceConnectionStatus", "X-WNS-Error-Description"]
VALUE = [MARK, "dropped", "channelthrottled", "disconnected", "Domain Blocked", "9" * 400]
HEADERS = st.dictionaries(st.sampled_from(FIELD), st.sampled_from(VALUE) | LINE)


class NoiseTests(PushBridgeCase):
    def setUp(self) -> None:
        super().setUp()
        self.fcm_double = FcmDouble("https://oauth2.googleapis.com", self.clock.seconds)
        self.secrets = {
            "fcm": json.dumps(self.fcm_double.account).encode(),
            "wns": EntraDouble.SECRET.encode(),
        }

    def fcm(self, root: Any, login: Any) -> Fcm:
        found = FcmSettings(account="secret:fcm")
        way = Http2Way(self.way(found.url, root))
        return Fcm(self.context(), found, way, self.way(found.login_url, login))

    def wns(self, root: Any, login: Any) -> Wns:
        client: Any = Ways(self.clock, root)
        found = WnsSettings(**CREDENTIALS)
        return Wns(self.context(), found, client, self.way(found.login_url, login))

    def weigh(self, provider: PushProvider, token: str) -> None:
        outcome = self.successResultOf(provider.wake(PushAddress(token), Wake.MESSAGE, 60))
        self.assertIsInstance(outcome, Accepted | Temporary | Gone | Refused)
        self.assertNotIn(MARK, repr(outcome))
        if isinstance(outcome, Temporary) and outcome.retry_after is not None:
            self.assertTrue(0 <= outcome.retry_after <= 86400)
        self.assertEqual(self.logged, [])

    @settings(max_examples=60, deadline=None)
    @given(STATUS, BODY, HEADERS)
    def test_providers(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Of those that wakes are handed to."""
        root = Scripted(status, body, headers)
        self.weigh(self.fcm(root, self.fcm_double), "x" * 40)
        self.weigh(self.wns(root, EntraDouble()), channel())

    @settings(max_examples=40, deadline=None)
    @given(STATUS, BODY, HEADERS)
    def test_login_services(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Of those that give out access tokens."""
        login = Scripted(status, body, headers)
        self.weigh(self.fcm(Scripted(500), login), "x" * 40)
        self.weigh(self.wns(Scripted(500), login), channel())

    @settings(max_examples=40, deadline=None)
    @given(BODY)
    def test_accounts(self, octets: bytes) -> None:
        """Whatever an operator has fed for a key is no failure, either."""
        self.secrets = dict.fromkeys(("fcm", "wns"), octets)
        self.weigh(self.fcm(Scripted(500), self.fcm_double), "x" * 40)
        self.weigh(self.wns(Scripted(500), EntraDouble()), channel())
