"""The bridge of Web Push, against push services in memory."""

from typing import Any
from urllib.parse import quote

from twisted.web.resource import Resource

from bridges.answers import LONGEST_WAIT
from bridges.push.endpoints import NO_HOST, NO_URL
from bridges.push.template import PAYLOADS
from bridges.push.webpush import (
    LONGEST_ANSWER,
    NO_KEY,
    NO_KEYS,
    ONE_ENDPOINT,
    WebPushSettings,
    webpush,
)
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import IN_TIME, TLS_FAILED, NoAnswer
from safeum_home.outgoing.resolving import NOT_ALLOWED, UNKNOWN_NAME
from safeum_home.ports.push import Accepted, Gone, Outcome, PushAddress, Refused, Temporary, Wake
from tests.doubles.webpush import Subscriber
from tests.webpush_case import CONTACT, ENDPOINT, HOST, ROOT, WebPushCase

check: Any = webpush.check  # type: ignore[attr-defined]
GONE = Gone("the subscription has ended")
KEY = Refused("the push service refuses the key")
ELSEWHERE = Refused("the push service is somewhere else: redirects are not followed")
MESSAGE = Refused("the push service refuses the message")


def later(reason: str, seconds: float | None = None) -> Temporary:
    return Temporary(f"the push service {reason}", seconds, address_alone=True)


STATUSES: dict[int, Outcome] = {
    200: Accepted(),
    201: Accepted(),
    202: Accepted(),
    204: Accepted(),
    300: ELSEWHERE,
    301: ELSEWHERE,
    302: ELSEWHERE,
    303: ELSEWHERE,
    304: ELSEWHERE,
    307: ELSEWHERE,
    308: ELSEWHERE,
    400: Refused("the push service does not understand the request"),
    401: KEY,
    402: Refused("the push service wants to be paid"),
    403: KEY,
    404: GONE,
    405: Refused("this is no endpoint of a push service"),
    406: later("asks for fewer requests"),
    408: later("gave up waiting for the request"),
    409: MESSAGE,
    410: GONE,
    411: MESSAGE,
    413: Refused("the push service takes no message of this size"),
    415: MESSAGE,
    421: MESSAGE,
    425: later("asks for the request later"),
    429: later("asks for fewer requests"),
    500: later("has a failure"),
    501: later("has a failure"),
    502: later("has a failure"),
    503: later("has a failure"),
    504: later("has a failure"),
    507: later("has no room for this subscription"),
    599: later("has a failure"),
}


class WakeTests(WebPushCase):
    def test_taken(self) -> None:
        """The subscriber reads the class; the push service sees how long, how urgent, what it replaces."""
        for wake, seconds, topic, urgency in (
            (Wake.MESSAGE, 86400, "msg", "high"),
            (Wake.CALL, 30, "call", "high"),
            (Wake.MESSAGE, -1, "msg", "high"),
        ):
            self.assertEqual(self.wake(wake=wake, seconds=seconds), Accepted())
            head, body = self.service.taken[-1]
            self.assertEqual(self.subscriber.open(body), PAYLOADS[wake])
            self.assertEqual((head["topic"], head["urgency"]), (topic, urgency))
            self.assertEqual(head["ttl"], str(max(0, seconds)))
            self.assertEqual(head["content-length"], str(len(body)))
        self.assertEqual(len(self.service.tokens), 1)

    def test_unhurried(self) -> None:
        """The operator may have messages wait for a telephone that sleeps deeply; calls never do."""
        self.provider = self.made(urgency="normal")
        for wake, urgency in ((Wake.MESSAGE, "normal"), (Wake.CALL, "high")):
            self.wake(wake=wake)
            self.assertEqual(self.service.taken[-1][0]["urgency"], urgency)

    def test_endpoint_as_it_is(self) -> None:
        """Path and query are the client's: nothing is decoded, encoded or tidied."""
        odd = "/~a!$&'()*+,;=:@-._?a=b&c=%00/?"
        for target in ("/", "", "?x=1", "/a/../b//c/./%2e%2E/", odd, "/a%2Fb;x=1"):
            self.wake(f"https://{HOST}{target}")
            self.assertEqual(self.service.asked[-1], target if target.startswith("/") else f"/{target}")

    def test_origins(self) -> None:
        """Each push service gets a token that is for it alone."""
        services = [self.serve("other.example"), self.serve(HOST, 8443), self.service]
        for origin in ("other.example", f"{HOST}:8443", HOST):
            self.assertEqual(self.wake(f"https://{origin}/x"), Accepted())
        self.assertEqual(len(set.union(*(service.tokens for service in services))), 3)

    def test_statuses(self) -> None:
        """Each status, of itself: none of them is about the account, or about other addresses."""
        self.service.headers["Location"] = "https://elsewhere.example/"
        for status, wanted in STATUSES.items():
            asked = len(self.service.asked)
            self.assertEqual(self.wake(f"https://{HOST}/{status}"), wanted, status)
            self.assertEqual(len(self.service.asked), asked + 1, status)

    def test_retry_after(self) -> None:
        """Where it has to be later, as long as is asked for, up to a day."""
        for text, seconds in {
            "7": 7.0,
            "0": 0.0,
            "9" * 40: LONGEST_WAIT,
            "-1": None,
            "soon": None,
            "Fri, 15 Jan 2027 08:00:30 GMT": 30.0,
        }.items():
            self.service.headers["Retry-After"] = text
            for status in (429, 503, 507):
                found = self.wake(f"https://{HOST}/{status}")
                self.assertEqual(getattr(found, "retry_after", ""), seconds, text)
            self.assertEqual(self.wake(f"https://{HOST}/404"), GONE)

    def test_refused_key(self) -> None:
        """Another node's subscription: this wake alone is refused, and the next one brings a new token."""
        self.assertEqual(self.wake(), Accepted())
        self.service.application_key = self.made(ROOT[::-1]).application_key
        self.assertEqual(self.wake(), KEY)
        self.service.application_key = self.provider.application_key
        self.assertEqual(self.wake(), Accepted())
        self.assertEqual(len(self.service.tokens), 2)

    def test_no_secret(self) -> None:
        """Without its key nothing is asked of anybody, and with it it goes on at once."""
        self.provider = self.made(key="secret:vapid")
        self.assertEqual((self.wake(), self.service.asked), (NO_KEY, []))
        self.assertEqual(self.provider.trouble, "no secret vapid in the store")
        self.secrets["vapid"] = b"-----BEGIN"
        self.tampered = True
        self.assertEqual((self.wake(), self.provider.application_key), (NO_KEY, None))
        self.assertEqual(self.provider.trouble, "secret vapid cannot be opened")
        self.assertIsNone(self.made().trouble)

    def test_stop(self) -> None:
        """What is open is closed."""
        self.successResultOf(self.provider.stop())
        self.assertTrue(self.services.closed)


class NoAnswerTests(WebPushCase):
    def test_failures(self) -> None:
        """Whatever happens on the way, it is told of that address alone."""
        self.assertEqual(self.wake("https://nobody.example/"), Temporary(UNKNOWN_NAME, address_alone=True))
        for reason in (TLS_FAILED, IN_TIME, "the connection is refused", "the connection broke off"):
            self.services.failures[HOST] = NoAnswer(reason)
            self.assertEqual(self.wake(), Temporary(reason, address_alone=True))

    def test_not_allowed(self) -> None:
        """A name that leads into the operator's own networks."""
        self.services.failures[HOST] = NoAnswer(NOT_ALLOWED)
        self.assertEqual(self.wake(), Refused(NOT_ALLOWED))

    def test_too_long(self) -> None:
        """An answer is read up to its cap; that says nothing of the push service."""

        class Long(Resource):
            isLeaf = True

            def render(self, _request: Any) -> bytes:
                return b"x" * (LONGEST_ANSWER + 1)

        self.services.served[next(iter(self.services.served))] = Long()
        for _ in range(20):
            self.assertEqual(self.wake(), Refused("the answer is too long"))


class AddressTests(WebPushCase):
    def refused(self, provider: Any, address: PushAddress) -> None:
        with self.assertRaises(Problem) as caught:
            provider.check(address)
        self.assertEqual(caught.exception.code, Code.PUSH_ADDRESS_REFUSED, address.token)
        # Whoever writes a client sees what is wrong with it, and nothing that it did not say itself.
        self.assertIn(caught.exception.detail, (NO_URL, NO_HOST, NO_KEYS, ONE_ENDPOINT))

    def test_good(self) -> None:
        """Those of browsers, and of distributors of UnifiedPush wherever they are."""
        for token in (
            ENDPOINT,
            "https://fcm.googleapis.com/fcm/send/cUDLqv6a2tA:APA91bE-x_Y",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl_-x",
            "https://web.push.apple.com/QGXz7Yb-a_c",
            "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2fx%3d",
            "https://ntfy.example:8443/upAbC?up=1",
            "https://[2606:4700:4700::1111]:8443/x",
            "https://9.9.9.9/x",
            f"https://{HOST}/" + "x" * (1024 - len(f"https://{HOST}/")),
        ):
            address = self.address(token=token)
            self.assertEqual(self.provider.check(address), address)
        self.assertEqual(self.services.asked, [])

    def test_one_written_form(self) -> None:
        """By which it is seen that two devices name one endpoint; a path is its push service's own."""
        for token, written in (
            ("https://PUSH.example:443/A%2f", "https://push.example/A%2f"),
            ("https://push.example:8443?A", "https://push.example:8443/?A"),
            ("https://[2606:4700:0::1111]/x", "https://[2606:4700::1111]/x"),
        ):
            checked = self.provider.check(self.address(token=token))
            self.assertEqual(checked, self.address(token=written))
            self.assertEqual(self.provider.check(checked), checked)

    def test_bad_endpoints(self) -> None:
        """What is no URL of HTTPS, hides where it leads, or is a port of something else."""
        for token in (
            "",
            "x",
            "http://push.example/x",
            "HTTPS://push.example/x",
            "//push.example/x",
            "https:///x",
            "https:/push.example/x",
            "https://",
            "https://user@push.example/x",
            "https://user:word@push.example/x",
            "https://push.example@elsewhere.example/x",
            "https://push.example\\@elsewhere.example/x",
            "https://push.example/x#fragment",
            "https://push.example#/x",
            "https://push.example/x y",
            "https://push.example/x\r\nX: y",
            "https://push.example/x\n",
            "https://push.example\t/x",
            "https://push.example/\u0660",
            "https://p\u00fcsh.example/x",
            "https://push.example.:443:443/x",
            "https://push.example:22/x",
            "https://push.example:80/x",
            "https://push.example:1023/x",
            "https://push.example:0/x",
            "https://push.example:65536/x",
            "https://push.example:08443/x",
            "https://push.example:/x",
            "https://127.1/x",
            "https://0x7f000001/x",
            "https://2130706433/x",
            "https://0177.0.0.1/x",
            "https://[::1/x",
            "https://[::1]x/x",
            "https://[fe80::1%25eth0]/x",
            "https://-push.example/x",
            "https://push..example/x",
            f"https://{'a' * 64}.example/x",
            f"https://{HOST}/" + "x" * (1025 - len(f"https://{HOST}/")),
            f"https://{HOST}?" + "x" * (1024 - len(f"https://{HOST}?")),
            quote("https://push.example/x"),
        ):
            self.refused(self.provider, self.address(token=token))
            self.assertIsInstance(self.wake(address=self.address(token=token)), Refused)
        self.assertEqual(self.services.asked, [])

    def test_hosts(self) -> None:
        """The operator may say which; a subscription from before is not asked for any more."""
        hosts = ("*.push.example", "ntfy.example", "own.example:444")
        provider = self.provider = self.made(hosts=hosts)
        for host in ("a.push.example", "b.a.push.example", "ntfy.example:8443", *hosts[1:]):
            provider.check(self.address(token=f"https://{host}/x"))
        for host in (
            HOST,
            "ntfy.example.com",
            "a.ntfy.example",
            "push.example.evil.example",
            "apush.example",
            "ntfy.example:22",
            "own.example",
            "own.example:8443",
            "9.9.9.9",
        ):
            self.refused(provider, self.address(token=f"https://{host}/x"))
        self.assertEqual((self.wake(), self.services.asked), (Refused(NOT_ALLOWED), []))

    def test_keys(self) -> None:
        """A point of the curve, and 16 octets; and calls have no address of their own."""
        off = self.subscriber.public[:-1] + bytes([self.subscriber.public[-1] ^ 1])
        for changes in (
            {"key": None},
            {"key": b""},
            {"key": off},
            {"key": bytes(65)},
            {"key": self.subscriber.public[1:]},
            {"secret": None},
            {"secret": b""},
            {"secret": bytes(15)},
            {"secret": bytes(17)},
            {"call_token": ENDPOINT},
        ):
            self.refused(self.provider, self.address(**changes))
        error = self.assertRaises(Problem, self.provider.check, self.address(key=None, secret=None))
        self.assertEqual(error.detail, NO_KEYS)
        found = self.wake(address=self.address(key=None))
        self.assertEqual(found, Refused("there is no key of the subscription"))

    def test_secret(self) -> None:
        """An address is in no representation."""
        shown = repr((Subscriber().at(ENDPOINT), self.provider._endpoints, self.provider.services))
        self.assertNotIn(HOST, shown)


class SettingsTests(WebPushCase):
    def test_bad(self) -> None:
        """Each is refused with its key named, before the node starts and after."""
        for key, values in {
            "contact": (
                None,
                "",
                "operator@node.example",
                "mailto:operator@localhost",
                "mailto:a b@node.example",
                "mailto:a@node.example\n",
                "mailto:a@node.example,b@node.example",
                "http://node.example/",
                "https://localhost/",
                'https://node.example/"',
                "mailto:" + "a" * 300,
            ),
            "key": ("a secret", "secret:UPPER", 7),
            "hosts": ("push.example", [""], ["*"], ["https://push.example"], ["a"] * 65, [7]),
            "networks": (["10.0.0.1/8"], ["x"], [""], "10.0.0.0/8"),
            "seconds": (0, 61, "8"),
            "urgency": ("low", "", 1),
            "ca": (7,),
            "unheard_of": (1,),
        }.items():
            for value in values:
                settings = {"contact": CONTACT, key: value}
                with self.assertRaises(ConfigError) as caught:
                    check("web", settings)
                self.assertIn(key, str(caught.exception))
                self.assertIn("push provider web", str(caught.exception))
                with self.assertRaises(ConfigError):
                    webpush(self.context(), settings)

    def test_no_contact(self) -> None:
        """Who writes an address alone is told what is wanted, in words."""
        with self.assertRaisesRegex(ConfigError, "contact: mailto:NAME@DOMAIN or https://DOMAIN is wanted"):
            check("web", {"contact": "operator@node.example"})

    def test_contacts(self) -> None:
        """Where whoever runs a push service reaches somebody."""
        for contact in (
            "mailto:a+b@x-y.example.org",
            "https://node.example",
            "https://node.example:8443/contact?a=b#c",
        ):
            check("web", {"contact": contact})

    def test_ca(self) -> None:
        """Roots that are not there, or are none: the node does not start with them."""
        for path, wanted in (("/nowhere", "No such file"), (__file__, "there is no PEM certificate in it")):
            with self.assertRaisesRegex(ConfigError, wanted):
                check("web", {"contact": CONTACT, "ca": path})

    def test_defaults(self) -> None:
        """What the page says of them."""
        found = WebPushSettings(contact=CONTACT)
        self.assertEqual((found.seconds, found.urgency, found.hosts), (8.0, "high", ()))
