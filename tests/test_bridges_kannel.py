"""The bridge to Kannel, against a double that answers as Kannel 1.4.5 was seen to."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from bridges.sms.gsm import is_gsm
from bridges.sms.kannel import Kannel, KannelSettings, kannel, state_of
from safeum_home.config import ConfigError
from safeum_home.ports.sms import Accepted, Permanent, SmsState
from tests.doubles.sms import KannelDouble
from tests.sms_case import NO_SECRET, NUMBER, TEXT, URL, SmsCase
from tests.sms_failures import FailureCase


class KannelCase(SmsCase):
    def setUp(self) -> None:
        super().setUp()
        self.double = KannelDouble()
        self.secrets = {"kannel": KannelDouble.PASSWORD.encode()}

    def settings(self, **changes: Any) -> dict[str, Any]:
        settings = {"url": "http://127.0.0.1:13013/cgi-bin/sendsms", "user": KannelDouble.USER}
        return settings | {"key": "secret:kannel", "sender": "Node"} | changes

    def provider(self, root: Any, url: str | None = URL, **changes: Any) -> Kannel:
        settings = KannelSettings(**self.settings(**changes))
        return Kannel(self.context(url), settings, self.way(settings.url, root))


class SendTests(FailureCase, KannelCase):
    wrong_success = 200

    def test_accepted(self) -> None:
        """Credentials, number and text are in header fields and body: the URL is always the same."""
        provider = self.provider(self.double)
        outcome = self.send(provider)
        assert isinstance(outcome, Accepted)
        self.assertEqual(self.double.taken, [{"to": NUMBER, "text": TEXT}])
        head = self.double.headers[0]
        self.assertEqual(head["x-kannel-from"], "Node")
        self.assertEqual(head["x-kannel-dlr-mask"], "31")
        self.assertEqual(head["content-type"], "text/plain; charset=UTF-8")
        self.assertNotIn("x-kannel-coding", head)
        self.assertNotIn("x-kannel-smsc", head)
        report = urlsplit(head["x-kannel-dlr-url"])
        self.assertEqual(report._replace(query="").geturl(), URL)
        self.assertEqual(parse_qs(report.query)["id"], [outcome.reference])
        self.assertTrue(report.query.endswith("&state=%d"))
        other = self.send(provider)
        assert isinstance(other, Accepted)
        self.assertNotEqual(outcome.reference, other.reference)

    def test_queued(self) -> None:
        """What Kannel keeps until a network takes it is accepted."""
        self.double.queued = True
        self.assertIsInstance(self.send(self.provider(self.double, smsc="route-1")), Accepted)
        self.assertEqual(self.double.headers[0]["x-kannel-smsc"], "route-1")

    def test_alphabet(self) -> None:
        """Text outside of the 7-bit alphabet goes as UCS-2, since Kannel would send question marks."""
        for text, gsm in {
            TEXT: True,
            "é €": True,
            "Код": False,
            "你": False,
            "🙂": False,
            "`": False,
        }.items():
            self.assertEqual(is_gsm(text), gsm, text)
            self.send(self.provider(self.double), text=text)
            self.assertEqual("x-kannel-coding" in self.double.headers[-1], not gsm)
            self.assertEqual(self.double.taken[-1]["text"], text)

    def test_without_reports(self) -> None:
        """A node that cannot be called asks for no reports."""
        provider = self.provider(self.double, url=None)
        self.assertEqual(self.send(provider), Accepted(""))
        self.assertNotIn("x-kannel-dlr-url", self.double.headers[0])
        self.assertNotIn("x-kannel-dlr-mask", self.double.headers[0])
        self.assertIsNone(provider.callback)

    def test_refused(self) -> None:
        """A listed number is told from a wrong password, and from a password that fits no header field."""
        provider = self.provider(self.double)
        refused = Permanent("the provider refuses the number", number_refused=True)
        self.assertEqual(self.send(provider, "+19005550100"), refused)
        self.secrets["kannel"] = b"wrong"
        self.assertEqual(
            self.send(provider), Permanent("the provider refuses the credentials", account_refused=True)
        )
        for octets in (b"", b"\n", b"a\r\nX-Kannel-To: +1", b"a\0", b"\xff"):
            self.secrets["kannel"] = octets
            self.assertEqual(self.send(provider), NO_SECRET)
        self.assertEqual(len(self.double.headers), 2)


class SettingsTests(KannelCase):
    def test_bad_settings(self) -> None:
        """Each is refused with its key named."""
        for key, value in {
            "user": "a b",
            "key": "a password",
            "sender": "a sender that is too long",
            "smsc": "",
            "url": "http://192.0.2.1:13013/cgi-bin/sendsms",
            "plain_http": "yes",
            "unheard_of": 1,
        }.items():
            with self.assertRaises(ConfigError) as caught:
                kannel(self.context(), self.settings(**{key: value}))
            self.assertIn(key, str(caught.exception))
        for url in ("https://node.example/a%20b", "https://node.example/a?b=c"):
            with self.assertRaises(ConfigError):
                kannel(self.context(url), self.settings())


class ReportTests(KannelCase):
    def test_reported(self) -> None:
        """The URL that a message was sent with works, for each state, as often as it is called."""
        provider = self.provider(self.double)
        outcome = self.send(provider)
        assert isinstance(outcome, Accepted)
        url = self.double.headers[0]["x-kannel-dlr-url"].removeprefix("https://node.example")
        for value, state in {
            8: SmsState.ACCEPTED,
            4: SmsState.ACCEPTED,
            1: SmsState.DELIVERED,
            2: SmsState.FAILED,
            16: SmsState.FAILED,
            34: SmsState.FAILED,
            66: SmsState.FAILED,
        }.items():
            for _ in range(2):
                self.assertEqual(
                    self.call(provider.callback, "GET", url.replace("%d", str(value)), {}), (200, b"")
                )
            self.assertEqual(self.reports.made[-2:], [("main", outcome.reference, state)] * 2)
        self.assertIsNone(state_of(0))
        self.assertEqual(self.call(provider.callback, "GET", url.replace("%d", "0"), {})[0], 200)
        self.assertEqual(len(self.reports.made), 14)

    def test_forged(self) -> None:
        """Another reference, another start of the node, no code at all."""
        provider = self.provider(self.double)
        self.send(provider)
        url = (
            self.double.headers[0]["x-kannel-dlr-url"].removeprefix("https://node.example").replace("%d", "1")
        )
        self.send(self.provider(self.double))
        elsewhere = self.double.headers[1]["x-kannel-dlr-url"].removeprefix("https://node.example")
        head, _, mac = url.partition("&mac=")
        mac = mac.partition("&")[0]
        for target in (
            elsewhere.replace("%d", "1"),
            "/v1/sms/main",
            "/v1/sms/main?id=&mac=&state=1",
            f"{head}&state=1",
            f"{head}&mac=&state=1",
            f"{head}&mac={mac[:-1]}&state=1",
            f"{head}0&mac={mac}&state=1",
            f"{head}&mac=%C3%A9&state=1",
            url.replace("id=", "id=0"),
        ):
            status, answer = self.call(provider.callback, "GET", target, {})
            self.assertEqual(status, 403, target)
            self.assertIn(b'"code":"bad_token"', answer)
        self.assertEqual(self.reports.made, [])

    def test_malformed(self) -> None:
        """A state that is no number, a query that is none, another method."""
        provider = self.provider(self.double)
        self.send(provider)
        url = self.double.headers[0]["x-kannel-dlr-url"].removeprefix("https://node.example")
        for state in ("", "x", "-1", "1.0", "9999", "%D9%A1", "%d"):
            self.assertEqual(self.call(provider.callback, "GET", url.replace("%d", state), {})[0], 400, state)
        self.assertEqual(self.call(provider.callback, "GET", "/v1/sms/main?a", {})[0], 400)
        status, answer = self.call(provider.callback, "POST", url.replace("%d", "1"), {}, b"a=1")
        self.assertEqual(status, 405, answer)
        self.assertEqual(self.reports.made, [])
