"""The bridge to WNS, against a double written from Microsoft's documents."""

from collections.abc import Mapping
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.web.iweb import IAgent
from twisted.web.resource import Resource

from bridges.push.bearer import NO_OTHERS, NOT_OURS
from bridges.push.endpoints import NO_HOST, NO_URL
from bridges.push.oauth import NO_CREDENTIALS
from bridges.push.origins import FAILURES, LEFT_ALONE, SECONDS
from bridges.push.template import PAYLOADS
from bridges.push.wns import Wns, WnsSettings, wns
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import IN_TIME, NoAnswer
from safeum_home.outgoing.client import ANYWHERE
from safeum_home.outgoing.http import Answer, HttpLimits, Outgoing
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import NOT_ALLOWED, UNKNOWN_NAME
from safeum_home.ports.push import Accepted, Gone, Outcome, PushAddress, Refused, Temporary, Wake
from tests.doubles.wns import ANSWERS, EntraDouble, WnsDouble
from tests.push_bridge_case import PushBridgeCase
from tests.sms_case import Scripted

HOST = "wns2-hk2p.notify.windows.com"
CREDENTIALS: Any = {"tenant": EntraDouble.TENANT, "client": EntraDouble.CLIENT, "key": "secret:wns"}


def channel(name: str = "received", host: str = HOST) -> str:
    """The URI of a channel that is answered so."""
    return f"https://{host}/w/?token={name}.BQYAAAC%2fAbc%2b123"


class Ways:
    """The guarded client without a network: every host is the double's, but for those that fail."""

    def __init__(self, clock: Clock, root: Resource) -> None:
        agent: IAgent = RequestTraversalAgent(root)
        self._outgoing = Outgoing(clock, ANYWHERE, agent, HttpLimits())
        self.failing: dict[str, str] = {}
        self.asked: list[Place] = []

    def request(
        self, place: Place, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> "Deferred[Answer]":
        self.asked.append(place)
        if place.host in self.failing:
            failed: Deferred[Answer] = Deferred()
            failed.errback(NoAnswer(self.failing[place.host]))
            return failed
        return self._outgoing.request(method, path, {**headers, "Host": place.authority}, body)

    def close(self) -> "Deferred[None]":
        self._outgoing.stop()
        return succeed(None)


class WnsCase(PushBridgeCase):
    def setUp(self) -> None:
        super().setUp()
        self.entra = EntraDouble()
        self.double = WnsDouble(self.entra)
        self.secrets = {"wns": EntraDouble.SECRET.encode()}

    def provider(self, root: Resource | None = None, **changes: Any) -> Wns:
        settings = WnsSettings(**CREDENTIALS | changes)
        self.ways = Ways(self.clock, root or self.double)
        client: Any = self.ways
        return Wns(self.context(), settings, client, self.way(settings.login_url, self.entra))

    def proven(self, root: Resource | None = None) -> Wns:
        """One that has had a wake taken by another host already."""
        provider = self.provider()
        self.assertEqual(self.woken(provider, channel(host="db5.notify.windows.com")), Accepted())
        self.ways._outgoing = Ways(self.clock, root or self.double)._outgoing
        return provider


class SendTests(WnsCase):
    def test_accepted(self) -> None:
        """A raw notification that is the constant of its class, to the channel's own host."""
        provider = self.provider()
        for wake, seconds, kept in ((Wake.MESSAGE, 86400, "cache"), (Wake.CALL, 30, "no-cache")):
            self.assertEqual(self.woken(provider, channel(), wake, seconds), Accepted())
            self.assertEqual(self.double.taken[-1], (HOST, PAYLOADS[wake]))
            head = self.double.heads[-1]
            self.assertEqual((head["x-wns-ttl"], head["x-wns-cache-policy"]), (str(seconds), kept))
            self.assertEqual((head["x-wns-priority"], head["x-wns-requestforstatus"]), ("1", "true"))
        self.assertEqual(self.ways.asked, [Place(HOST)] * 2)

    def test_answers(self) -> None:
        """Everything that WNS documents, and what it means."""
        fewer, trouble = "WNS asks for fewer requests", Temporary("WNS is in trouble there", None, True)
        away = Temporary("the device is away, and WNS has kept nothing for it", address_alone=True)
        blocked = Refused("WNS has blocked this node", account_refused=True)
        wanted: dict[str, Outcome] = {
            "received": Accepted(),
            "away": Accepted(),
            "bare": Accepted(),
            "dropped": Refused("the device does not take it"),
            "dropped-bare": Refused("the device does not take it"),
            "dropped-away": away,
            "dropped-temp": away,
            "channel": Temporary("WNS takes no more for this device now", address_alone=True),
            "header": Refused("WNS refuses a header field of the request"),
            "ticket": Refused("WNS refuses the access token", account_refused=True),
            "other-app": Refused("the channel is not of the application that the node asks as"),
            "unknown": Gone("WNS does not know the channel"),
            "method": Refused("WNS refuses the request's method"),
            "throttled": Temporary(fewer, 90.0),
            "throttled-bare": Temporary(fewer),
            "expired": Gone("the channel has expired"),
            "blocked": blocked,
            "blocked-described": blocked,
            "large": Refused("WNS says that the payload is too long"),
            "failed": trouble,
            "busy": Temporary("WNS is in trouble there", 45.0, address_alone=True),
            "busy-bare": trouble,
        }
        self.assertEqual(set(wanted), set(ANSWERS))
        for name, outcome in wanted.items():
            self.assertEqual(self.woken(self.provider(), channel(name)), outcome, name)

    def test_other_statuses(self) -> None:
        """What WNS does not document; a redirect is not followed."""
        trouble = Temporary("WNS is in trouble there", address_alone=True)
        for status, outcome in {
            201: Refused("WNS's answer is not understood"),
            301: Refused("WNS's answer is not understood"),
            307: Refused("WNS's answer is not understood"),
            408: trouble,
            418: Refused("WNS refuses the request"),
            429: Temporary("WNS asks for fewer requests"),
            502: trouble,
            599: trouble,
        }.items():
            root = Scripted(status, b"<html>", {"Location": "https://127.0.0.1/"})
            self.assertEqual(self.woken(self.provider(root), channel()), outcome, status)
            self.assertEqual(root.asked, 1)

    def test_unproven_host(self) -> None:
        """A host that never took a wake, where others did, says nothing of WNS: a client named it."""
        for status, reason in ((503, "WNS is in trouble there"), (406, "WNS asks for fewer requests")):
            provider = self.proven(Scripted(status, headers={"Retry-After": "9"}))
            self.assertEqual(self.woken(provider, channel()), Temporary(reason, 9.0, address_alone=True))
        provider = self.proven(Scripted(401))
        self.assertEqual(self.woken(provider, channel()), Refused("WNS refuses the access token"))
        provider = self.proven(Scripted(410, headers={"X-WNS-Error-Description": "Domain Blocked"}))
        self.assertEqual(self.woken(provider, channel()), Refused("WNS has blocked this node"))

    def test_proven_host(self) -> None:
        """A host that took wakes before is WNS: what it says of the node is for all of it."""
        provider = self.proven()
        self.assertEqual(self.woken(provider, channel()), Accepted())
        self.assertEqual(
            self.woken(provider, channel("throttled")), Temporary("WNS asks for fewer requests", 90.0)
        )
        blocked = Refused("WNS has blocked this node", account_refused=True)
        self.assertEqual(self.woken(provider, channel("blocked")), blocked)

    def test_host_in_trouble(self) -> None:
        """A data centre that does not answer, or fails, is left alone for a while, and no other with it."""
        for name in ("failed", "received"):
            provider = self.provider()
            self.woken(provider, channel())
            self.ways.failing = {} if name == "failed" else {HOST: IN_TIME}
            found = [self.woken(provider, channel(name)) for _ in range(FAILURES)]
            self.assertTrue(all(isinstance(each, Temporary) and each.address_alone for each in found))
            asked = len(self.ways.asked)
            self.assertEqual(self.woken(provider, channel()), Temporary(LEFT_ALONE, SECONDS, True))
            self.assertEqual(len(self.ways.asked), asked)
            self.assertEqual(self.woken(provider, channel(host="db5.notify.windows.com")), Accepted())
            self.ways.failing = {}
            self.clock.advance(SECONDS)
            self.assertEqual(self.woken(provider, channel()), Accepted())

    def test_names(self) -> None:
        """A name that DNS does not know, or that leads into the operator's network."""
        provider = self.provider()
        self.ways.failing = {HOST: UNKNOWN_NAME, "in.notify.windows.com": NOT_ALLOWED}
        self.assertEqual(self.woken(provider, channel()), Temporary(UNKNOWN_NAME, address_alone=True))
        found = self.woken(provider, channel(host="in.notify.windows.com"))
        self.assertEqual(found, Refused(NOT_ALLOWED))

    def test_proven_hosts_are_bounded(self) -> None:
        """Clients may name as many as they want."""
        provider = self.provider()
        for number in range(100):
            self.woken(provider, channel(host=f"h{number}.notify.windows.com"))
        self.assertEqual(len(provider._proven), 64)

    def test_check(self) -> None:
        """Only hosts of WNS are channels' (see also test_push_endpoints)."""
        provider = self.provider()
        written = PushAddress(channel(host="a.notify.windows.com"))
        for host in ("a.notify.windows.com", "A.Notify.windows.com", "a.notify.windows.com:443"):
            self.assertEqual(provider.check(PushAddress(channel(host=host))), written)
        for address in (
            PushAddress("https://127.0.0.1/?token=x"),
            PushAddress("https://notify.windows.com.evil.example/?token=x"),
            PushAddress("https://a.notify.windows.com:8443/?token=x"),
            PushAddress("http://a.notify.windows.com/?token=x"),
            PushAddress(channel(), call_token=channel()),
            PushAddress(channel(), key=b"\4" * 65),
        ):
            error = self.assertRaises(Problem, provider.check, address)
            self.assertIs(error.code, Code.PUSH_ADDRESS_REFUSED)
            self.assertIn(error.detail, (NO_URL, NO_HOST, NO_OTHERS))

    def test_not_allowed_any_more(self) -> None:
        """An address that was registered before the operator took its host away is not asked."""
        provider = self.provider(hosts=("push.example",))
        self.assertEqual(self.woken(provider, channel()), Refused(NOT_OURS))
        self.assertEqual((self.ways.asked, self.entra.granted), ([], 0))

    def test_given_up(self) -> None:
        """A wake that is given up, or comes to no end, ends; nothing is left of it."""

        class Silent(Resource):
            isLeaf = True

            def render_POST(self, _request: Any) -> int:
                return 1

        provider = self.provider(Silent())
        late = provider.wake(PushAddress(channel()), Wake.CALL, 30)
        self.clock.advance(8)
        self.assertEqual(self.successResultOf(late), Temporary(IN_TIME))
        given_up = provider.wake(PushAddress(channel()), Wake.CALL, 30)
        given_up.cancel()
        self.assertIsInstance(self.successResultOf(given_up), Temporary)
        stopped = provider.wake(PushAddress(channel()), Wake.CALL, 30)
        self.successResultOf(provider.stop())
        self.assertIsInstance(self.successResultOf(stopped), Temporary)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LoginTests(WnsCase):
    def test_once(self) -> None:
        """One access token serves a day, and is replaced once where it is not taken any more."""
        provider = self.provider()
        for _ in range(3):
            self.woken(provider, channel())
        self.assertEqual(self.entra.granted, 1)
        self.entra.valid.clear()
        self.assertEqual(self.woken(provider, channel()), Accepted())
        self.assertEqual((self.entra.granted, len(self.ways.asked)), (2, 5))

    def test_refused(self) -> None:
        """What Entra refuses is the operator's to mend; its words are told nobody."""
        cases: tuple[tuple[Any, str], ...] = (
            ({"tenant": EntraDouble.CLIENT}, "the login service refuses the request"),
            ({"client": EntraDouble.TENANT}, "the login service does not let this client ask for a token"),
            ({"key": "secret:old"}, "the login service does not know the client, or refuses its secret"),
        )
        for changes, reason in cases:
            self.secrets["old"] = b"a secret of before"
            found = self.woken(self.provider(**changes), channel())
            self.assertEqual(found, Refused(reason, account_refused=True))
            self.assertEqual(self.ways.asked, [])

    def test_no_secret(self) -> None:
        """Without it nobody is asked; with it, it goes on at once."""
        provider = self.provider()
        self.assertIsNone(provider.trouble)
        kept, self.secrets = self.secrets, {}
        self.assertEqual(provider.trouble, "no secret wns in the store")
        self.assertEqual(self.woken(provider, channel()), Refused(NO_CREDENTIALS, account_refused=True))
        for broken in (b"", b"\xff", b"two\nlines"):
            self.secrets = {"wns": broken}
            self.assertEqual(self.woken(provider, channel()), Refused(NO_CREDENTIALS, account_refused=True))
        self.secrets, self.tampered = kept, True
        self.assertEqual(provider.trouble, "secret wns cannot be opened")
        self.assertEqual(self.woken(provider, channel()), Refused(NO_CREDENTIALS, account_refused=True))
        self.tampered = False
        self.assertEqual(self.woken(provider, channel()), Accepted())


class SettingsTests(WnsCase):
    def test_settings(self) -> None:
        """They are read strictly; what is wrong is named, and no secret is needed for it."""
        for settings, key in (
            ({}, "tenant"),
            (CREDENTIALS | {"tenant": "../common"}, "tenant"),
            (CREDENTIALS | {"client": ""}, "client"),
            (CREDENTIALS | {"key": "Q8~a"}, "key"),
            (CREDENTIALS | {"hosts": []}, "hosts"),
            (CREDENTIALS | {"hosts": ["*"]}, "hosts"),
            (CREDENTIALS | {"networks": ["10.0.0.1/8"]}, "networks"),
            (CREDENTIALS | {"login_url": "http://login.example"}, "login_url"),
            (CREDENTIALS | {"url": "https://login.example"}, "url"),
        ):
            with self.assertRaisesRegex(ConfigError, f"^push provider main: .*{key}"):
                wns.check("main", settings)  # type: ignore[attr-defined]

    def test_made(self) -> None:
        """The bridge is made without connecting anywhere, and stops."""
        provider = wns(self.context(), CREDENTIALS)
        self.assertIsNone(provider.application_key)
        self.successResultOf(provider.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])
