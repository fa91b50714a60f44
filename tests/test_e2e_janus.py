"""The bridge with real Janus and Kamailio, SIPp being the carrier, and aiortc the app."""

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from bridges.safenum.janus.carrier import Janus
from bridges.safenum.janus.settings import read
from safeum_home.admin.caller import call
from safeum_home.admin.carrier_wire import CarrierGrant, CarrierGrantParams
from safeum_home.admin.wire import Params, Status
from safeum_home.ports.carrier import (
    APP_VANISHED,
    EDGE,
    JANUS,
    NETWORK_DOWN,
    CarrierCall,
    CarrierContext,
    CarrierEnd,
)
from tests.e2e.apps import Apps
from tests.e2e.cable import Cable
from tests.e2e.janus_probe import App
from tests.e2e.node_process import PATIENCE
from tests.e2e.relay import until
from tests.e2e.trunk import CARRIER_TONE, Sipp, Trunk, needs
from tests.janus_case import Desk, Ear

reactor: Any = installed_reactor
APP_TONE = 440
OURS, SECOND, THEIRS = "+354490001", "+354490002", "+4930123456"
CANARY = "canary-of-an-app"


class JanusCase(TestCase):
    """A trunk whose node leaves Janus alone, and a bridge of ours in its place, with two lines."""

    timeout = 600

    async def setUp(self) -> None:  # type: ignore[override]  # trial awaits it
        needs()
        self.trunk = Trunk(bridge=False)
        self.addCleanup(deferToThread, self.trunk.close)
        await deferToThread(self.trunk.start)
        self.apps = Apps()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.apps.close()))
        self.cable = Cable(reactor, 8188)
        self.cable.host = self.trunk.app
        self.addCleanup(self.cable.listening.stopListening)
        self.addCleanup(self.cable.cut)
        socket = str(self.trunk.node.state / "admin.sock")
        parts = {JANUS: "janus", EDGE: "kamailio"}
        shared = {
            word: bytes.fromhex(call(socket, "carrier.grant", CarrierGrantParams(part), CarrierGrant).shared)  # type: ignore[arg-type]
            for word, part in parts.items()
        }
        context = CarrierContext("trunk", reactor, lambda name: b"", shared.__getitem__)
        settings = {
            "endpoint": f"tcp:127.0.0.1:{self.cable.entrance}",
            "calls": 2,
            "register_seconds": 30,
            "reconnect_seconds": 2.0,
        }
        self.carrier = Janus(context, read("trunk", settings))
        self.desk = Desk()
        self.carrier.start(self.desk)
        self.addCleanup(self.carrier.stop)
        await self.up()

    async def until(self, true: Callable[[], object], what: str) -> None:
        deadline = reactor.seconds() + PATIENCE
        while not true():
            if reactor.seconds() > deadline:
                raise AssertionError(f"{what} did not come: {self.carrier.standing}, {self.carrier.lines}")
            await deferLater(reactor, 0.02)

    async def up(self) -> None:
        """All lines are there, and none is taken."""

        def ready() -> bool:
            session = self.carrier._session
            lines = None if session is None else (len(session.lines), session.lines.taken)
            return self.carrier.is_up and lines == (2, 0)

        await self.until(ready, "the carrier")

    # --- what happens

    async def goes_out(self) -> tuple[CarrierCall, Ear, App]:
        """A call that the carrier takes, and whose tone is heard."""
        app, ear = await self.apps.app(APP_TONE), Ear()
        dialled = self.carrier.dial(OURS, THEIRS, await self.apps.do(app.offer()), ear)
        await self.until(lambda: any(each[0] == "answered" for each in ear.told), "an answer")
        [answer] = [each[1] for each in ear.told if each[0] == "answered"]
        await self.apps.do(app.answered({"sdp": answer}))
        await self.apps.do(app.until_heard(CARRIER_TONE))
        return dialled, ear, app

    async def comes_in(self, number: str = OURS, port: int = 5070) -> tuple[Sipp, Ear, CarrierCall]:
        """A call from the carrier that is answered, and whose tone is heard."""
        known = len(self.desk.calls)
        sipp = self.trunk.call_in(number, THEIRS, port=port, seconds=600.0)
        await self.until(lambda: len(self.desk.calls) > known, "a call")
        taken, offer, ear = self.desk.calls[-1]
        self.assertEqual((offer.called, offer.caller, offer.trunk), (number, THEIRS, "trunk"))
        app = await self.apps.app(APP_TONE)
        taken.answer(await self.apps.do(app.answer(offer.sdp)))
        await self.apps.do(app.until_heard(CARRIER_TONE))
        self.assertEqual(ear.told, [("answered", None)])
        return sipp, ear, taken

    async def ended(self, ear: Ear) -> CarrierEnd:
        await self.until(lambda: any(isinstance(each, CarrierEnd) for each in ear.told), "an end")
        return ear.end

    async def went_well(self, sipp: Sipp) -> None:
        self.assertEqual(await deferToThread(sipp.wait), 0, sipp.errors())


class CallTests(JanusCase):
    async def test_calls(self) -> None:
        """In, out, two at once, one too many; early sound, keys; declined, given up, and refused."""
        await self.out()
        await self.early()
        await self.keys()
        await self.two_at_once()
        await self.not_answered()
        await self.vanished()
        self.assertEqual(self.carrier.counts.lost, 0)

    async def out(self) -> None:
        answers = await deferToThread(self.trunk.answers)
        dialled, ear, _ = await self.goes_out()
        self.assertEqual(ear.told[0], ("progress", None))
        self.assertIn(f"Call-ID: {dialled.reference}", answers.messages())
        dialled.hang_up()
        self.assertEqual(await self.ended(ear), CarrierEnd(200, far=False))
        await self.went_well(answers)
        await self.up()

    async def early(self) -> None:
        """Sound before the answer; the carrier hangs up."""
        answers = await deferToThread(self.trunk.answers, "out_early")
        app, ear = await self.apps.app(APP_TONE), Ear()
        dialled = self.carrier.dial(OURS, THEIRS, await self.apps.do(app.offer()), ear)
        await self.until(lambda: ear.told, "sound")
        [(event, sdp)] = ear.told
        self.assertEqual(event, "progress")
        await self.apps.do(app.answered({"sdp": sdp}))
        await self.apps.do(app.until_heard(CARRIER_TONE))
        await self.until(lambda: len(ear.told) > 1, "an answer")
        self.assertEqual(ear.told[1:], [("answered", None)])
        await self.until(lambda: answers.received("ACK"), "an acknowledgement")
        dialled.hang_up()
        await self.ended(ear)
        await self.went_well(answers)
        await self.up()
        hangs_up = await deferToThread(self.trunk.answers, "out_hangs_up", seconds=1.0)
        _, ear, _ = await self.goes_out()
        self.assertEqual(await self.ended(ear), CarrierEnd(200, 16))
        await self.went_well(hangs_up)
        await self.up()

    async def keys(self) -> None:
        """In SIP INFO, both ways."""
        answers = await deferToThread(self.trunk.answers, "out_key")
        dialled, ear, _ = await self.goes_out()
        dialled.dtmf("5")
        await self.until(lambda: ("dtmf", "7") in ear.told, "a key")
        self.assertIn("Signal=5", answers.messages())
        dialled.hang_up()
        await self.ended(ear)
        await self.went_well(answers)
        await self.up()

    async def two_at_once(self) -> None:
        """A third call in hears that it is busy, and one out that there is no line."""
        first, first_ear, taken = await self.comes_in()
        second, second_ear, other = await self.comes_in(SECOND, port=5072)
        third = self.trunk.call_in(OURS, THEIRS, scenario="in_refused", port=5074)
        await self.went_well(third)
        self.assertTrue(third.received("SIP/2.0 486"))
        await self.until(lambda: self.carrier.counts.missed == 1, "a missed call")
        taken.hang_up()
        self.assertEqual(await self.ended(first_ear), CarrierEnd(200, far=False))
        self.assertEqual(second_ear.told, [("answered", None)])
        await self.until(lambda: first.received("BYE"), "the end")
        other.hang_up()
        await self.ended(second_ear)
        await self.until(lambda: second.received("BYE"), "the end")
        await self.up()

    async def not_answered(self) -> None:
        self.desk.does = lambda call: call.decline(480)
        declined = self.trunk.call_in(OURS, THEIRS, scenario="in_refused", port=5076)
        await self.went_well(declined)
        self.assertTrue(declined.received("SIP/2.0 480"), declined.messages())
        self.assertEqual(await self.ended(self.desk.calls[-1][2]), CarrierEnd(480, far=False))
        self.desk.does = lambda call: None
        await self.up()
        await self.went_well(self.trunk.call_in(OURS, THEIRS, scenario="in_cancelled", port=5078))
        self.assertEqual((await self.ended(self.desk.calls[-1][2])).sip, 487)
        await self.up()
        refuses = await deferToThread(self.trunk.answers, "out_refused")
        app, ear = await self.apps.app(APP_TONE), Ear()
        self.carrier.dial(OURS, THEIRS, await self.apps.do(app.offer()), ear)
        self.assertEqual(await self.ended(ear), CarrierEnd(486))
        await self.went_well(refuses)
        await self.up()

    async def vanished(self) -> None:
        """The app is gone: the carrier is told, and nobody pays for silence."""
        answers = await deferToThread(self.trunk.answers)
        _, ear, app = await self.goes_out()
        await self.apps.do(app.close())
        self.assertEqual(await self.ended(ear), CarrierEnd(200, APP_VANISHED, far=False))
        await self.went_well(answers)
        await self.up()


class DeathTests(JanusCase):
    LOST = CarrierEnd(200, NETWORK_DOWN, far=False)

    async def test_websocket_cut(self) -> None:
        """The carrier gets BYE, each listener an end; and then it is as it was."""
        answers = await deferToThread(self.trunk.answers)
        _, out, _ = await self.goes_out()
        sipp, incoming, _ = await self.comes_in()
        self.cable.cut()
        for ear in (out, incoming):
            self.assertEqual(await self.ended(ear), self.LOST)
        await self.went_well(answers)
        await self.until(lambda: sipp.received("BYE"), "the end")
        await self.up()
        self.assertEqual((out.end, incoming.end), (self.LOST, self.LOST))
        await self.comes_in(SECOND, port=5072)

    async def test_janus_killed(self) -> None:
        """Each listener hears an end at once; when Janus is back it is registered, and takes calls."""
        _, ear, _ = await self.comes_in()
        await deferToThread(self.trunk.janus.kill)
        self.assertEqual(await self.ended(ear), self.LOST)
        self.assertFalse(self.carrier.is_up)
        await deferToThread(self.trunk.janus.start)
        await self.up()
        await self.comes_in(SECOND, port=5072)

    async def test_edge_killed(self) -> None:
        """A call goes on, and Janus registers again by itself."""
        _, ear, taken = await self.comes_in()
        await deferToThread(self.trunk.kamailio.kill)
        await deferToThread(self.trunk.kamailio.start)
        again = self.again()
        await self.until(lambda: again.result is True, "a registration")
        self.assertEqual(ear.told, [("answered", None)])
        taken.hang_up()
        await self.ended(ear)

    def again(self) -> "Registered":
        return Registered(self)


class Registered:
    """Whether a call comes in again: it is tried until one does."""

    def __init__(self, case: JanusCase) -> None:
        self.result = False
        self._case = case
        self._known = len(case.desk.calls)
        case.desk.does = lambda call: call.decline(480)
        self._port = 5080
        self._try()

    def _try(self) -> None:
        if len(self._case.desk.calls) > self._known:
            self.result = True
            return
        self._port += 2
        sipp = self._case.trunk.call_in(SECOND, THEIRS, scenario="in_refused", port=self._port)
        deferToThread(sipp.wait).addCallback(lambda _: self._try())


class BlindTests(JanusCase):
    async def test_descriptions(self) -> None:
        """Nothing of what an app describes itself with reaches the carrier."""
        answers = await deferToThread(self.trunk.answers)
        app, ear = await self.apps.app(APP_TONE), Ear()
        offer = await self.apps.do(app.offer())
        planted = offer.replace("o=- ", f"o={CANARY} ").replace("s=-", f"s={CANARY}")
        planted += f"a=msid:{CANARY} {CANARY}\r\na=ssrc:1 cname:{CANARY}\r\na=label:{CANARY}\r\n"
        dialled = self.carrier.dial(OURS, THEIRS, planted, ear)
        await self.until(lambda: any(each[0] == "answered" for each in ear.told), "an answer")
        await self.until(lambda: answers.received("ACK"), "an acknowledgement")
        dialled.hang_up()
        await self.ended(ear)
        await self.went_well(answers)
        told = answers.messages()
        self.assertIn("INVITE sip:", told)
        for word in (CANARY, self.trunk.app_address, self.trunk.app, "candidate", "fingerprint", "ice-"):
            self.assertNotIn(word, told)


class NodeTests(SynchronousTestCase):
    def test_status(self) -> None:
        """A node brings its own bridge up, says how it is with it, and ends it when it stops."""
        needs()
        trunk = Trunk(settings=", calls = 3, reconnect_seconds = 2.0")
        self.addCleanup(trunk.close)
        trunk.start()

        def shown() -> list[str]:
            socket = str(trunk.node.state / "admin.sock")
            return call(socket, "status", Params(), Status).carriers

        until(lambda: shown() == ["carrier: up; 0 of 3 lines taken"])
        trunk.janus.kill()
        until(lambda: shown() == ["carrier: not connected: the connection is refused; 0 of 3 lines taken"])
        trunk.janus.start()
        until(lambda: shown() == ["carrier: up; 0 of 3 lines taken"])
        trunk.node.stop()
        log = trunk.node.log.read_text()
        self.assertIn("Carrier carrier is up.", log)
        self.assertNotIn("Traceback", log)
