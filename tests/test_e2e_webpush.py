"""Web Push over real TLS: to npm's web-push-testing, and to push services that want to be let in."""

from typing import Any

from bridges.push.sender import Sender
from bridges.push.template import PAYLOADS
from bridges.push.webpush import webpush
from safeum_home.config_push import PushProviderSection, PushSection
from safeum_home.errors import Problem
from safeum_home.outgoing.answers import TLS_FAILED
from safeum_home.outgoing.resolving import NOT_ALLOWED
from safeum_home.ports.push import (
    Accepted,
    Gone,
    Outcome,
    PushAddress,
    PushContext,
    PushProvider,
    Refused,
    Temporary,
    Wake,
    Woken,
)
from tests.certificates import Authority
from tests.doubles.webpush import Subscriber
from tests.e2e.kannel import until
from tests.e2e.push_services import WebPushTesting
from tests.e2e.unified_push import Prosody
from tests.federation_net import NetCase, reactor
from tests.webpush_case import CONTACT, ROOT

HOST = "push.example"
LOOPBACK = ("127.0.0.0/8",)


class WebPushNetCase(NetCase):
    def provider(self, root: bytes = ROOT, networks: tuple[str, ...] = LOOPBACK, **more: Any) -> PushProvider:
        def no_secret(_name: str) -> bytes:
            raise AssertionError("no secret is needed")

        settings = {"contact": CONTACT, "networks": networks, "ca": str(self.ca)} | more
        context = PushContext("web", "node.example", reactor, no_secret, lambda: root)
        dns: Any = self.dns
        provider = webpush(context, settings, dns)
        self.addCleanup(provider.stop)
        return provider

    async def wake(self, provider: PushProvider, address: PushAddress, wake: Wake = Wake.MESSAGE) -> Outcome:
        provider.check(address)
        return await provider.wake(address, wake, 60)


class WebPushTestingTests(WebPushNetCase):
    async def begin(self, authority: Authority | None = None) -> WebPushTesting:
        service = WebPushTesting(self, reactor, authority or self.authority, HOST)
        await service.started()
        self.dns.say(HOST, "127.0.0.1")
        return service

    async def test_life(self) -> None:
        """Both classes arrive and are read; an expired subscription is gone."""
        service, provider = await self.begin(), self.provider()
        address = await service.subscribe(provider.application_key)
        for wake in (Wake.MESSAGE, Wake.CALL, Wake.MESSAGE):
            self.assertEqual(await self.wake(provider, address, wake), Accepted())
        wanted = [PAYLOADS[wake].decode() for wake in (Wake.MESSAGE, Wake.CALL, Wake.MESSAGE)]
        self.assertEqual(await service.opened(address), wanted)
        await service.expire(address)
        self.assertEqual(await self.wake(provider, address), Gone("the subscription has ended"))

    async def test_many(self) -> None:
        """A hundred subscriptions at once, of which each gets its own, of a push service that is new."""
        service, provider = await self.begin(), self.provider()
        sender = Sender(reactor, PushSection([PushProviderSection("web", "webpush")]), [provider])
        self.addCleanup(sender.stop)
        addresses = [await service.subscribe(provider.application_key) for _ in range(100)]
        started = [sender.wake("web", each, Wake.MESSAGE) for each in addresses]
        self.assertEqual([await each for each in started], [Woken.TAKEN] * 100)
        self.assertEqual(sender.standings()[0].counts, {"taken": 100})
        for address in addresses:
            self.assertEqual(await service.opened(address), [PAYLOADS[Wake.MESSAGE].decode()])

    async def test_refused(self) -> None:
        """Another node's subscription, another subscriber's keys, and one that nobody has."""
        service, provider = await self.begin(), self.provider()
        address = await service.subscribe(self.provider(ROOT[::-1]).application_key)
        refused = Refused("the push service does not understand the request")
        self.assertEqual(await self.wake(provider, address), refused)
        mine = await service.subscribe(provider.application_key)
        self.assertEqual(await self.wake(provider, Subscriber().at(mine.token)), refused)
        nobody = f"{mine.token.rpartition('/')[0]}/{'0' * 64}"
        self.assertEqual(await self.wake(provider, Subscriber().at(nobody)), refused)
        self.assertEqual(await service.opened(address), [])
        self.assertEqual(await service.opened(mine), [])

    async def test_another_authority(self) -> None:
        """Who has no certificate that the node trusts gets nothing to read."""
        service, provider = await self.begin(Authority()), self.provider()
        address = await service.subscribe(provider.application_key)
        self.assertEqual(await self.wake(provider, address), Temporary(TLS_FAILED, address_alone=True))
        self.assertEqual(await service.opened(address), [])


class UnifiedPushTests(WebPushNetCase):
    """Prosody's push service, and a telephone that is connected to it."""

    async def test_life(self) -> None:
        """Both classes arrive, and are read; an endpoint that nobody has is gone."""
        prosody = Prosody(self, reactor, self.authority, HOST)
        self.dns.say(HOST, "127.0.0.1")
        provider, subscriber = self.provider(), Subscriber()
        telephone = await prosody.distributor()
        address = subscriber.at(telephone.endpoint)
        for wake in (Wake.MESSAGE, Wake.CALL):
            self.assertEqual(await self.wake(provider, address, wake), Accepted())
        came = [subscriber.open(each) for each in telephone.pushes]
        self.assertEqual(came, [PAYLOADS[Wake.MESSAGE], PAYLOADS[Wake.CALL]])
        nobody = f"https://{HOST}:{prosody.port}/push/nobody"
        self.assertEqual(await self.wake(provider, subscriber.at(nobody)), Gone("the subscription has ended"))
        telephone.transport.abortConnection()
        await until(reactor, lambda: telephone.gone, "the end")


class InsideTests(WebPushNetCase):
    """Endpoints are clients' words: none leads into the operator's own networks."""

    async def test_addresses(self) -> None:
        """By number, by name, and by name the second time it is looked up."""
        node = self.node("localhost", HOST)
        self.dns.say(HOST, "127.0.0.1")
        self.dns.say("six.example", "::ffff:127.0.0.1")
        provider = self.provider(networks=())
        for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", HOST, "six.example"):
            address = Subscriber().at(f"https://{host}:{node.port}/ok")
            self.assertEqual(await self.wake(provider, address), Refused(NOT_ALLOWED), host)
        self.assertEqual(node.connections, 0)

    async def test_rebinding(self) -> None:
        """A name that was allowed leads inside the next time a connection is made."""
        node = self.node(HOST, interface="127.0.0.2")
        inside = self.node(HOST)
        provider = self.provider(networks=("127.0.0.2/32",))
        address = Subscriber().at(f"https://{HOST}:{node.port}/ok")
        self.assertEqual(await self.wake(provider, address), Accepted())
        await provider.stop()
        self.assertEqual(await self.wake(provider, address), Refused(NOT_ALLOWED))
        self.assertEqual((node.connections, inside.connections), (1, 0))

    async def test_redirect(self) -> None:
        """It is not followed."""
        node = self.node(HOST)
        provider = self.provider()
        found = await self.wake(provider, Subscriber().at(f"https://{HOST}:{node.port}/moved"))
        self.assertEqual(found, Refused("the push service is somewhere else: redirects are not followed"))
        self.assertEqual([request.path for request in node.served.requests], [b"/moved"])

    async def test_hosts(self) -> None:
        """Where the operator says which hosts, no name is looked up for another."""
        provider = self.provider(hosts=("ntfy.example",))
        address = Subscriber().at(f"https://{HOST}/ok")
        self.assertRaises(Problem, provider.check, address)
        self.assertEqual(await provider.wake(address, Wake.MESSAGE, 60), Refused(NOT_ALLOWED))
        self.assertEqual(self.dns.asked, [])

    async def test_never_ends(self) -> None:
        """An answer that drips, that is silent, and one without end: each within its bounds."""
        node = self.node(HOST)
        provider = self.provider(seconds=1)
        for path, words in (
            ("drip", "there was no answer in time"),
            ("silent", "there was no answer in time"),
            ("endless", "the answer is too long"),
        ):
            found = await self.wake(provider, Subscriber().at(f"https://{HOST}:{node.port}/{path}"))
            self.assertEqual(getattr(found, "reason", found), words)
