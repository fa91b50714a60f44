"""Real Kamailio and Janus between a carrier, which SIPp is, and an app: calls, and what the carrier sees."""

import asyncio
import json
import re
import subprocess
import time
from hashlib import md5
from pathlib import Path

from tests.e2e import g711
from tests.e2e.janus_probe import App, Probe
from tests.e2e.node_process import BIN, PATIENCE
from tests.e2e.rtp_events import RtpEvents, pressed
from tests.e2e.sniffer import Datagram, Sniffer
from tests.e2e.trunk import CARRIER_TONE
from tests.trunk_case import APP_TONE, OURS, THEIRS, ProbeCase

PASSWORD = "p!a%MARK%$(ci)w"
"""Nothing of it is anything to Kamailio but itself."""
OUTCOMES = (("486", 486), ("404", 404), ("500", 500), ("603", 603))


class CallTests(ProbeCase):
    """Calls with sound."""

    def test_both_ways(self) -> None:
        """In and out: each side hears the other, the carrier learns nothing but numbers, all is recorded."""
        self.wait(self._both_ways())
        incoming, outgoing = self.records(2)
        self.assertEqual(
            [(each.direction, each.caller, each.called, each.sip) for each in (incoming, outgoing)],
            [("in", THEIRS, OURS, 0), ("out", OURS, THEIRS, 0)],
        )
        self.assertGreaterEqual(incoming.ended - incoming.answered, 2_900)
        self._nothing_is_said()
        self._secrets_are_nowhere()
        self._passed_on()

    async def _both_ways(self) -> None:
        trunk = self.trunk
        async with self.probe() as probe:
            handle = await self.registered(probe)
            with trunk.sniffer() as sniffer:
                await self._in(probe, handle)
                await self._out(probe, await probe.helper())
        heard = g711.said(sniffer.datagrams, trunk.edge_address, trunk.carrier_address)
        self.assertTrue(g711.is_heard(heard, APP_TONE))
        self._hidden(sniffer.datagrams)

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
        self.assertIn(f"P-Asserted-Identity: <sip:{OURS}@{self.trunk.edge_address}>", called.messages())
        await app.close()

    def _hidden(self, datagrams: list[Datagram]) -> None:
        """Nothing of what is behind the edge, nor of the programs' names; `X-` headers go nowhere."""
        sip = b"\n".join(each.octets for each in datagrams if b"SIP/2.0" in each.octets)
        ours = b"\n".join(
            each.octets
            for each in datagrams
            if each.source == self.trunk.edge_address and b"SIP/2.0" in each.octets
        )
        self.assertIn(b"INVITE sip:", ours)
        for hidden in (self.trunk.app_address, self.trunk.app, "127.0.0.1", "edge.invalid", "bridge@"):
            self.assertNotIn(hidden.encode(), sip)
        for word in (b"Janus", b"amailio", b"ofia", b"User-Agent", b"Server:", b"\nX-", b"msid"):
            self.assertNotIn(word, ours)

    def _nothing_is_said(self) -> None:
        """No number and no address in what is passed on of their logs."""
        for program in (self.trunk.kamailio, self.trunk.janus):
            said = program.said()
            self.assertIn(" serves.", said)
            self.assertNotRegex(said, r"\d{7,}|198\.1[89]\.")

    def _secrets_are_nowhere(self) -> None:
        """Not on a disk, in arguments or the environment; no core is left, and nothing runs as root."""
        secrets = [self.secret(part).encode() for part in ("kamailio", "janus")]
        for program in (self.trunk.kamailio, self.trunk.janus):
            process = Path(f"/proc/{program.pid}")
            self.assertRegex((process / "limits").read_text(), r"Max core file size +0 +0 ")
            status = (process / "status").read_text()
            [uid] = re.findall(r"^Uid:\t(\d+)\t", status, re.M)
            self.assertNotEqual(uid, "0")
            self.assertRegex(status, r"(?m)^NoNewPrivs:\t1$")
            self.assertEqual((process / "environ").read_bytes(), b"")
            for secret in secrets:
                self.assertNotIn(secret, (process / "cmdline").read_bytes())
        self.trunk.kamailio.stop()
        folders = (self.trunk.node.folder, self.trunk.memory)
        places = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        self.assertGreater(len(places), 8)
        for place in places:
            for secret in secrets:
                self.assertNotIn(secret, place.read_bytes(), str(place))

    def _passed_on(self) -> None:
        """`carrier pass`: what the node gives to one elsewhere, and takes of it."""
        config = str(self.trunk.config)
        command = [str(BIN / "safeum-home"), "carrier", "pass", "kamailio", "--config", config]
        done = subprocess.run(command, input=b"{}\n", capture_output=True, check=True)
        grant = json.loads(done.stdout)
        self.assertEqual(grant, {"shared": self.secret("kamailio"), "password": ""})
        records = self.records(2)
        line = json.dumps({"records": [{**_fields(records[0]), "reference": "elsewhere"}]}).encode()
        done = subprocess.run(command, input=line + b"\n", capture_output=True, check=True)
        self.assertEqual(json.loads(done.stdout), {"shared": "", "password": ""})
        self.assertIn("elsewhere", [each.reference for each in self.records(3)])
        refused = subprocess.run(command, input=b"[]\n", capture_output=True, check=False)
        self.assertEqual(refused.returncode, 2)


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}  # type: ignore[attr-defined]  # a Struct


class OutcomeTests(ProbeCase):
    """Calls that come to nothing, and those that the carrier ends."""

    def test_outcomes(self) -> None:
        """Of each kind, with its code on both sides and in the record."""
        self.wait(self._outcomes())
        found = [(each.direction, each.caller, each.sip, bool(each.answered)) for each in self.records(9)]
        self.assertEqual(
            found,
            [
                ("in", THEIRS, 486, False),
                ("in", THEIRS, 487, False),
                *(("out", OURS, code, False) for _, code in OUTCOMES),
                ("out", OURS, 487, False),
                ("out", OURS, 0, True),
                ("in", "", 0, True),
            ],
        )

    async def _outcomes(self) -> None:
        async with self.probe() as probe:
            handles = [await self.registered(probe), await probe.helper(), await probe.helper()]
            await self._declined(probe, handles[0])
            await self._given_up(probe, handles)
            for code, expected in OUTCOMES:
                await self._refused(probe, code, expected)
            await self._unanswered(probe)
            await self._hung_up(probe)
            await self._withheld(probe)

    async def _declined(self, probe: Probe, handle: int) -> None:
        caller = self.trunk.call_in(OURS, THEIRS, scenario="in_refused")
        await probe.event(handle, "incomingcall")
        # Janus says so before it can refuse it: what is refused in between rings on.
        await self.told(caller, "SIP/2.0 180")
        await probe.say(handle, {"request": "decline", "code": 486})
        self.assertEqual(caller.wait(), 0, caller.errors())
        self.assertTrue(caller.received("SIP/2.0 486"))

    async def _given_up(self, probe: Probe, handles: list[int]) -> None:
        caller = self.trunk.call_in(OURS, THEIRS, scenario="in_cancelled", seconds=0.5)
        ended = await probe.any_event(handles, "hangup", "Request Terminated")
        self.assertEqual(ended["code"], 487)
        self.assertEqual(caller.wait(), 0, caller.errors())

    async def _refused(self, probe: Probe, code: str, expected: int) -> None:
        called = self.trunk.answers("out_refused", code=code, reason="As The Carrier Likes")
        handle, app = await probe.helper(), App(APP_TONE)
        await probe.dial(handle, app, OURS, THEIRS)
        ended, _ = await probe.event(handle, "hangup")
        self.assertEqual((ended["code"], called.wait()), (expected, 0))
        await app.close()

    async def _unanswered(self, probe: Probe) -> None:
        called = self.trunk.answers("out_unanswered")
        handle, app = await probe.helper(), App(APP_TONE)
        await probe.dial(handle, app, OURS, THEIRS)
        await probe.event(handle, "ringing")
        await probe.hang_up(handle)
        self.assertEqual(called.wait(), 0, called.errors())
        await app.close()

    async def _hung_up(self, probe: Probe) -> None:
        called = self.trunk.answers("out_hangs_up", seconds=0.5)
        handle, app = await probe.helper(), App(APP_TONE)
        await probe.dial(handle, app, OURS, THEIRS)
        _, answer = await probe.event(handle, "accepted")
        assert answer is not None
        await app.answered(answer)
        ended, _ = await probe.event(handle, "hangup")
        self.assertEqual((ended["reason_header_cause"], called.wait()), ("16", 0))
        await app.close()

    async def _withheld(self, probe: Probe) -> None:
        """A number that asks not to be shown goes no further than the edge."""
        headers = f"Privacy: id\nP-Asserted-Identity: <sip:{THEIRS}@carrier.example>"
        caller = self.trunk.call_in(OURS, "anonymous", scenario="in_held", headers=headers)
        handle, told, offer = await probe.any_call()
        self.assertNotIn(THEIRS, json.dumps(told))
        self.assertEqual(told["headers"]["X-CLI"], "")
        app = App(APP_TONE)
        await probe.answer(handle, app, offer)
        await probe.event(handle, "accepted")
        await app.until_heard(CARRIER_TONE)
        await probe.hang_up(handle)
        self.assertEqual(caller.wait(), 0, caller.errors())
        await app.close()


class KeyTests(ProbeCase):
    """Keys that are pressed, and a carrier that asks who calls."""

    more = 'login = "us"\nproof = "secret:carrier"'

    def start(self) -> None:
        self.trunk.node.start()
        self.trunk.node.set_secret("carrier", PASSWORD.encode())
        self.trunk.kamailio.start()
        self.trunk.janus.start()

    def test_keys(self) -> None:
        """In both directions by SIP INFO, in a call that was proved."""
        self.wait(self._keys())

    async def _keys(self) -> None:
        async with self.probe() as probe:
            handle = await self.registered(probe)
            caller = self.trunk.call_in(OURS, THEIRS, scenario="in_dtmf", seconds=0.5)
            _, offer = await probe.event(handle, "incomingcall")
            assert offer is not None
            app = App(APP_TONE)
            await probe.answer(handle, app, offer)
            told, _ = await probe.event(handle, "info")
            self.assertEqual(told["type"], "application/dtmf-relay")
            self.assertIn("Signal=5", told["content"])
            self.assertEqual(caller.wait(), 0, caller.errors())
            await app.close()
            await self._proved(probe)

    async def _proved(self, probe: Probe) -> None:
        called = self.trunk.answers("out_proved")
        handle, app = await probe.helper(), App(APP_TONE)
        await probe.dial(handle, app, OURS, THEIRS)
        _, answer = await probe.event(handle, "accepted")
        assert answer is not None
        await app.answered(answer)
        await app.until_heard(CARRIER_TONE)
        await probe.say(handle, {"request": "dtmf_info", "digit": "7"})
        await self.told(called, "INFO")
        await probe.hang_up(handle)
        self.assertEqual(called.wait(), 0, called.errors())
        self.assertIn("Signal=7", called.messages())
        self._is_proved(called.messages())
        await app.close()

    def _is_proved(self, messages: str) -> None:
        """The digest (RFC 7616) is one of the password, which nobody is told."""
        [header] = set(re.findall(r"^Authorization: Digest (.*)$", messages, re.M))
        found = {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', header)}
        who = _md5("us", found["realm"], PASSWORD)
        what = _md5("INVITE", found["uri"])
        nonces = (found["nonce"], found["nc"], found["cnonce"], found["qop"])
        self.assertEqual(found["response"], _md5(who, *nonces, what))
        self.assertNotIn(PASSWORD, messages)


def _md5(*parts: str) -> str:
    return md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


class EventTests(ProbeCase):
    """Keys that are pressed in the sound: RTP events (RFC 4733)."""

    def test_both_ways(self) -> None:
        """They come to the other side, in either direction, as they are."""
        self.wait(self._both_ways())

    async def _both_ways(self) -> None:
        trunk = self.trunk
        async with self.probe() as probe:
            handle = await self.registered(probe)
            caller = trunk.call_in(OURS, THEIRS, scenario="in_events")
            _, offer = await probe.event(handle, "incomingcall")
            assert offer is not None
            self.assertIn(" telephone-event/8000", offer["sdp"])
            events = RtpEvents()
            app = App(APP_TONE, events)
            with trunk.sniffer() as sniffer:
                await probe.answer(handle, app, offer)
                await events.until_heard("5")
                events.press("7")
                await self.sniffed("7", sniffer)
            await probe.hang_up(handle)
            self.assertEqual(caller.wait(), 0, caller.errors())
            await app.close()

    async def sniffed(self, key: str, sniffer: Sniffer) -> None:
        """Wait until the edge has passed a key on to the carrier."""
        deadline = time.monotonic() + PATIENCE
        edge = self.trunk.edge_address
        while not any(each.source == edge and pressed(each.rtp) == key for each in list(sniffer.datagrams)):
            self.assertLess(time.monotonic(), deadline, f"{key} did not come")
            await asyncio.sleep(0.1)


class DeathTests(ProbeCase):
    """Each of the three dies in the midst of a call: the carrier hears of the end, and it is recorded."""

    def test_deaths(self) -> None:
        """The node; Janus, which comes back; Janus, which does not; Kamailio."""
        for death in (self._node_dies, self._janus_dies_and_is_back, self._kamailio_dies, self._janus_dies):
            self.wait(death())
        records = self.records(4)
        self.assertEqual([(each.sip, bool(each.answered)) for each in records], [(0, True)] * 4)

    async def _node_dies(self) -> None:
        async with self.probe() as probe:
            caller, app = await self.taken(probe, await self.registered(probe))
        await self.told(caller, "BYE")
        self.assertEqual(caller.wait(), 0, caller.errors())
        await app.close()

    async def _janus_dies_and_is_back(self) -> None:
        async with self.probe() as probe:
            caller, app = await self.taken(probe, await self.registered(probe))
            self.trunk.janus.kill()
        self.trunk.janus.start()
        self.assertFalse(caller.received("BYE"))
        async with self.probe() as probe:
            await self.registered(probe)
            await self.told(caller, "BYE")
        self.assertEqual(caller.wait(), 0, caller.errors())
        await app.close()

    async def _kamailio_dies(self) -> None:
        """It goes on, and ends as it should have; who calls then is put through."""
        async with self.probe() as probe:
            handle = await self.registered(probe)
            await probe.helper()
            caller, app = await self.taken(probe, handle)
            self.trunk.kamailio.kill()
            self.trunk.kamailio.start()
            del app.heard[:]
            await app.until_heard(CARRIER_TONE)
            await probe.hang_up(handle)
            await self.told(caller, "BYE")
            self.assertEqual(caller.wait(), 0, caller.errors())
            await app.close()

    async def _janus_dies(self) -> None:
        async with self.probe() as probe:
            caller, app = await self.taken(probe, await self.registered(probe))
            self.trunk.janus.kill()
            await self.told(caller, "BYE")
        self.assertEqual(caller.wait(), 0, caller.errors())
        await app.close()
