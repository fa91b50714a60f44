"""A trunk with a probe in the node's place: real Kamailio and Janus, SIPp as the carrier."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.caller import call
from safeum_home.admin.carrier_wire import CarrierGrant, CarrierGrantParams, EdgeParams, EdgeRows, Part
from safeum_home.grants.trunk import EdgeRecord
from tests.e2e.janus_probe import App, Probe
from tests.e2e.node_process import PATIENCE
from tests.e2e.relay import until
from tests.e2e.trunk import CARRIER_TONE, Sipp, Trunk, needs

APP_TONE = 440
OURS, THEIRS = "+354490001", "+4930123456"


class ProbeCase(SynchronousTestCase):
    """A trunk; what a test does with it is a coroutine."""

    more = ""

    def setUp(self) -> None:
        needs()
        self.trunk = Trunk(self.more, bridge=False)
        self.addCleanup(self.trunk.close)
        self.start()

    def start(self) -> None:
        self.trunk.start()

    def wait(self, task: Coroutine[Any, Any, None]) -> None:
        asyncio.run(asyncio.wait_for(task, 2 * PATIENCE))

    def secret(self, part: Part) -> str:
        return call(self._socket, "carrier.grant", CarrierGrantParams(part), CarrierGrant).shared

    def probe(self) -> Probe:
        return Probe(self.trunk.app, 8188, self.secret("janus"))

    async def registered(self, probe: Probe) -> int:
        return await probe.register("127.0.0.1:5060", self.secret("kamailio"))

    async def taken(self, probe: Probe, handle: int, caller: str = THEIRS) -> tuple[Sipp, App]:
        """A call that came in, and that the app has taken; we are the ones who hang up."""
        call_in = self.trunk.call_in(OURS, caller, scenario="in_held")
        _, offer = await probe.event(handle, "incomingcall")
        assert offer is not None
        app = App(APP_TONE)
        await probe.answer(handle, app, offer)
        await probe.event(handle, "accepted")
        await app.until_heard(CARRIER_TONE)
        return call_in, app

    async def told(self, sipp: Sipp, beginning: str) -> None:
        """Wait until the carrier has heard something."""
        deadline = time.monotonic() + PATIENCE
        while not sipp.received(beginning):
            if time.monotonic() > deadline:
                raise AssertionError(f"{beginning} did not come:\n{sipp.messages()[-3000:]}")
            await asyncio.sleep(0.1)

    def records(self, count: int) -> list[EdgeRecord]:
        """What the node has of the edge, when it has so many: the oldest first."""
        until(lambda: len(self._records()) >= count)
        return sorted(self._records(), key=lambda record: record.began)

    def _records(self) -> list[EdgeRecord]:
        month = time.strftime("%Y-%m", time.gmtime())
        return call(self._socket, "carrier.edge", EdgeParams(month), EdgeRows).records

    @property
    def _socket(self) -> str:
        return str(self.trunk.node.state / "admin.sock")
