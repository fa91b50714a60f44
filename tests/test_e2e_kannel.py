"""The bridge to Kannel, with a real Kannel between it and an SMS centre."""

from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from bridges.sms.kannel import kannel
from safeum_home.gateway.http import EdgeSite, site_root
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.ports.sms import Accepted, Permanent, SmsContext, SmsProvider, SmsState, Temporary
from tests.e2e.kannel import PASSWORD, USER, KannelProcesses, until
from tests.sms_case import Reports

reactor: Any = _reactor
NUMBER = "+4915112345678"


class KannelTests(TestCase):
    timeout = 180

    def setUp(self) -> "Deferred[None]":  # type: ignore[override]
        return Deferred.fromCoroutine(self.begin())

    async def begin(self) -> None:
        self.reports = Reports()
        self.kannel = KannelProcesses(reactor)
        self.addCleanup(self.kannel.stop)
        await self.kannel.start()
        self.root = site_root(lambda: {"status": "ok"})
        port = reactor.listenTCP(0, EdgeSite(reactor, EdgeLimits(), self.root), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.url = f"http://127.0.0.1:{port.getHost().port}/v1/sms/main"

    def provider(self, password: str = PASSWORD) -> SmsProvider:
        context = SmsContext("main", reactor, lambda _: password.encode(), self.url, self.reports)
        settings = {"url": self.kannel.url, "user": USER, "key": "secret:kannel", "sender": "Node"}
        provider: Any = kannel(context, settings)
        self.addCleanup(provider.stop)
        self.root.putChild(b"v1", site_root(dict, resources={"/sms/main": provider.callback}))
        return provider  # type: ignore[no-any-return]

    async def states(self, reference: str, count: int) -> set[SmsState]:
        """The first `count` states that are reported of a message."""

        def enough() -> bool:
            return [made[1] for made in self.reports.made].count(reference) >= count

        await until(reactor, enough, "a report")
        self.assertEqual({provider for provider, _, _ in self.reports.made}, {"main"})
        return {state for _, found, state in self.reports.made if found == reference}

    async def test_there_and_back(self) -> None:
        """Messages reach the SMS centre as they were, and what became of each comes back."""
        provider = self.provider()
        texts = ["Your code is 123456", "Код 123456, 你好 🙂", "@£$ é € {}[]"]
        for text in texts:
            outcome = await provider.send(NUMBER, text)
            assert isinstance(outcome, Accepted), outcome
            states = await self.states(outcome.reference, 2)
            self.assertEqual(states, {SmsState.ACCEPTED, SmsState.DELIVERED})
        wanted = [{"to": NUMBER[1:], "from": "Node", "text": text} for text in texts]
        self.assertEqual(self.kannel.taken, wanted)

        outcome = await provider.send("+4915112345601", "rejected after a while")
        assert isinstance(outcome, Accepted), outcome
        states = await self.states(outcome.reference, 2)
        self.assertEqual(states, {SmsState.ACCEPTED, SmsState.FAILED})
        outcome = await provider.send("+4915112345602", "rejected at once")
        assert isinstance(outcome, Accepted), outcome
        self.assertEqual(await self.states(outcome.reference, 1), {SmsState.FAILED})

    async def test_refusals(self) -> None:
        """A wrong password, a number that is not allowed, and a Kannel that is away."""
        credentials = Permanent("the provider refuses the credentials", account_refused=True)
        self.assertEqual(await self.provider("wrong").send(NUMBER, "text"), credentials)
        provider = self.provider()
        refused = Permanent("the provider refuses the number", number_refused=True)
        self.assertEqual(await provider.send("+19005550100", "text"), refused)
        self.assertEqual(self.kannel.taken, [])
        self.assertIsInstance(await provider.send(NUMBER, "text"), Accepted)
        self.kannel.stop_last()
        self.assertIsInstance(await provider.send(NUMBER, "text"), Temporary)
