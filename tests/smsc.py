"""An SMSC that is not ours: npm's `smpp` in a process of its own, and a provider that is connected to it."""

import os
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from bridges.sms.smpp import Smpp
from safeum_home.errors import Code, Problem
from safeum_home.ports.sms import SmsContext, SmsState
from tests.doubles.process import PATIENCE, DoubleProcess
from tests.e2e.needs import tool
from tests.e2e.registries import npm

SCRIPT = Path(__file__).parent / "doubles" / "smsc.js"
reactor: Any = installed_reactor


class Smsc(DoubleProcess):
    """The process."""

    async def mode(self, mode: str, **more: Any) -> None:
        """How it answers from now on."""
        self.order(mode=mode, **more)
        await self.next("mode")


class Reports:
    """`ports.sms.SmsReports`."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, SmsState]] = []

    def report(self, provider: str, reference: str, state: SmsState) -> None:
        self.told.append((provider, reference, state))


class SmscCase(TestCase):
    """Tests against a real SMSC: `self.smsc` after `await self.serve()`, a provider by `self.provider()`."""

    timeout = 120

    def setUp(self) -> None:
        self.modules = npm("smpp", "smpp@0.5.1")
        self.reports = Reports()
        self.secrets = {"smpp-main": b"correct\n"}
        self.opened: list[Smpp] = []
        self.started: list[Smsc] = []

    async def tearDown(self) -> None:  # type: ignore[override]  # trial awaits it
        await gatherResults([provider.stop() for provider in self.opened])
        for smsc in self.started:
            smsc.transport.closeStdin()  # type: ignore[union-attr]
            await smsc.ended.addTimeout(PATIENCE, reactor)
            self.assertEqual(smsc.errors, b"")

    async def serve(self, *arguments: str) -> int:
        """Start an SMSC; its port."""
        self.smsc = Smsc()
        self.started.append(self.smsc)
        node = tool("node", "nodejs")
        command = [node, str(SCRIPT), *arguments]
        reactor.spawnProcess(
            self.smsc, node, command, env={"NODE_PATH": str(self.modules), "PATH": os.environ["PATH"]}
        )
        port: int = (await self.smsc.next("listening"))["port"]
        return port

    def secret(self, name: str) -> bytes:
        if name not in self.secrets:
            raise Problem(Code.NOT_FOUND)
        return self.secrets[name]

    def provider(self, endpoint: str, **settings: Any) -> Smpp:
        """A provider that is going to connect."""
        context = SmsContext("main", reactor, self.secret, None, self.reports)
        known = {"endpoint": endpoint, "system_id": "home", "password": "secret:smpp-main"}
        provider = Smpp(context, {**known, "reconnect_seconds": 0.05, **settings})
        self.opened.append(provider)
        return provider

    async def bound(self, **settings: Any) -> Smpp:
        """A provider that is connected to a new SMSC."""
        port = await self.serve()
        provider = self.provider(f"tcp:127.0.0.1:{port}", **settings)
        await self.until_bound(provider)
        return provider

    async def until_bound(self, provider: Smpp) -> None:
        """Wait for it; the reactor turns meanwhile."""
        waited = 0.0
        while provider._link is None:
            turn: Deferred[None] = Deferred()
            reactor.callLater(0.01, turn.callback, None)
            await turn
            waited += 0.01
            self.assertLess(waited, PATIENCE)
