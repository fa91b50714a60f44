"""Real Kamailio and Janus between a carrier, which SIPp is, and an app: without a node's bridge yet."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.caller import call
from safeum_home.admin.carrier_wire import CarrierGrant, CarrierGrantParams, Part
from tests.e2e import g711
from tests.e2e.janus_probe import App, Probe
from tests.e2e.node_process import PATIENCE
from tests.e2e.trunk import CARRIER_TONE, Trunk, needs

APP_TONE = 440
OURS, THEIRS = "+354490001", "+4930123456"


class ProbeCase(SynchronousTestCase):
    """A trunk, and a probe in the node's place."""

    more = ""

    def setUp(self) -> None:
        needs()
        self.trunk = Trunk(self.more, bridge=False)
        self.addCleanup(self.trunk.close)
        self.trunk.start()

    def secret(self, part: Part) -> str:
        socket = str(self.trunk.node.state / "admin.sock")
        return call(socket, "carrier.grant", CarrierGrantParams(part), CarrierGrant).shared

    def probe(self) -> Probe:
        return Probe(self.trunk.app, 8188, self.secret("janus"))

    async def registered(self, probe: Probe) -> int:
        return await probe.register("127.0.0.1:5060", self.secret("kamailio"))

    def wait(self, task: Coroutine[Any, Any, None]) -> None:
        asyncio.run(asyncio.wait_for(task, PATIENCE))


class CallTests(ProbeCase):
    """Calls with sound."""

    def test_both_ways(self) -> None:
        """In and out: each side hears the other's tone, and the carrier is told of the end."""
        self.wait(self._both_ways())

    async def _both_ways(self) -> None:
        trunk = self.trunk
        async with self.probe() as probe:
            handle = await self.registered(probe)
            with trunk.sniffer() as sniffer:
                await self._in(probe, handle)
            heard = g711.said(sniffer.datagrams, trunk.edge_address, trunk.carrier_address)
            self.assertTrue(g711.is_heard(heard, APP_TONE))
            with trunk.sniffer() as sniffer:
                await self._out(probe, handle)
            heard = g711.said(sniffer.datagrams, trunk.edge_address, trunk.carrier_address)
            self.assertTrue(g711.is_heard(heard, APP_TONE))

    async def _in(self, probe: Probe, handle: int) -> None:
        caller = self.trunk.call_in(OURS, THEIRS)
        told, offer = await probe.event(handle, "incomingcall")
        assert offer is not None
        self.assertEqual(told["headers"], {"X-SafeNUM": OURS, "X-CLI": THEIRS})
        app = App(APP_TONE)
        await probe.answer(handle, app, offer)
        await app.until_heard(CARRIER_TONE)
        ended, _ = await probe.event(handle, "hangup")
        self.assertEqual(ended["reason_header_cause"], "16")
        self.assertEqual(caller.wait(), 0, caller.errors())
        await app.close()

    async def _out(self, probe: Probe, handle: int) -> None:
        called = self.trunk.answers()
        app = App(APP_TONE)
        await probe.dial(handle, app, OURS, THEIRS)
        _, answer = await probe.event(handle, "accepted")
        assert answer is not None
        await app.answered(answer)
        await app.until_heard(CARRIER_TONE)
        await asyncio.sleep(1)
        await probe.hang_up(handle)
        self.assertEqual(called.wait(), 0, called.errors())
        await app.close()
