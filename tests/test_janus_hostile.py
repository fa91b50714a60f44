"""What a Janus that is out of its mind can do."""

import json
from random import Random
from typing import Any

from bridges.safenum.janus.channel import BAD_RATE, BURST, MOST_BAD
from bridges.safenum.janus.messages import MOST_FRAME
from safeum_home.ports.carrier import CarrierEnd
from tests.janus_case import BRIDGE, LOST, Desk, JanusCase, JanusDouble

EVENTS = ("incomingcall", "accepted", "progress", "ringing", "hangup", "info", "registered", "missed_call")
CODES = (0, 180, 200, 486, 9999)


class HostileTests(JanusCase):
    """Janus is another process, fed by a telephone network: nothing that it says takes more than itself."""

    def setUp(self) -> None:
        super().setUp()
        self.call, self.ear, self.handle = self.talk()

    def alive(self) -> None:
        """All is as it was."""
        self.janus.pump()
        self.assertEqual(self.ear.told, [("answered", BRIDGE)])
        self.assertEqual((self.janus.is_cut, self.carrier.is_up, self.carrier.lines), (False, True, (1, 3)))

    def cut(self, why: str) -> None:
        self.janus.pump()
        self.assertEqual((self.ear.end, self.janus.is_cut, self.carrier.standing), (LOST, True, why))

    def test_garbage(self) -> None:
        """A hundred frames of it are passed over; then it is cut."""
        for place in range(MOST_BAD):
            self.janus.raw((b"", b"[]", b"{", b'{"janus":5}', b"\0\x7f", b"[" * 5000)[place % 6])
        self.alive()
        self.janus.raw(b"{}")
        self.cut("what Janus says makes no sense")

    def test_garbage_now_and_then(self) -> None:
        """What is long ago is not counted."""
        for _ in range(3):
            for _ in range(MOST_BAD):
                self.janus.raw(b"{}")
            self.janus.pump()
            self.clock.rightNow += MOST_BAD / BAD_RATE
        self.alive()

    def test_of_the_other_side(self) -> None:
        """However long it is what the other side writes: the end of a call is heard."""
        long = "7" * 5000
        more = {"reason_header_protocol": long, "reason_header_cause": long, "type": long, "content": long}
        self.tell(self.handle, self.call, "info", **more)
        self.alive()
        self.tell(self.handle, self.call, "hangup", code=200, headers={f"X-{long}": long}, **more)
        self.assertEqual(self.ear.end, CarrierEnd(200))

    def test_other_sessions(self) -> None:
        """What is of another session is not of ours."""
        data = {"sip": "event", "call_id": self.call.reference, "result": {"event": "hangup", "code": 200}}
        for kind in ("event", "hangup", "detached", "timeout"):
            self.janus.say(janus=kind, session_id=5, sender=self.handle, plugindata={"data": data})
        self.alive()

    def test_other_handles(self) -> None:
        for kind in ("event", "hangup", "detached", "media", "webrtcup"):
            self.janus.core(5, kind, plugindata={"data": {"result": {"event": "incomingcall"}}})
        self.alive()

    def test_unknown(self) -> None:
        """Kinds of frames and events, and answers that nobody waits for."""
        self.janus.core(self.handle, "trickle", candidate={"completed": True})
        self.janus.core(self.handle, "event")
        self.janus.core(self.handle, "event", plugindata={"data": {}})
        for kind in ("success", "error", "ack"):
            self.janus.say(janus=kind, transaction="t" * 64, session_id=self.janus.session)
        for event in ("transfer", "updatingcall", "notify", "", "calling"):
            self.janus.event(self.handle, {"event": event}, self.call.reference)
        self.alive()

    def test_types(self) -> None:
        """Fields of other types than they have."""
        for result in (
            {"event": 5},
            {"event": "hangup", "code": "200"},
            {"event": "hangup", "reason_header_cause": 16},
            {"event": "info", "content": ["1"], "type": "application/dtmf"},
            {"event": "incomingcall", "headers": {"X-SafeNUM": 5}},
            {"event": "incomingcall", "headers": {f"X-{place}": "" for place in range(65)}},
        ):
            self.janus.event(self.handle, result, self.call.reference)
        self.alive()

    def test_causes(self) -> None:
        """Codes and causes that are none are not handed on."""
        for cause, code in (("16 ", 99), ("\u0661", 1000), ("999", -1), ("-1", 0)):
            call, ear, handle = self.dial()
            more = {"reason_header_protocol": "Q.850", "reason_header_cause": cause}
            self.tell(handle, call, "hangup", code=code, **more)
            self.assertEqual(ear.end, CarrierEnd(0, 0))
            self.quiet(handle)

    def test_duplicates(self) -> None:
        """Everything is said three times."""
        for _ in range(3):
            self.tell(self.handle, self.call, "accepted", jsep=BRIDGE)
        self.alive()
        for _ in range(3):
            self.comes(self.janus.handles[0])
        self.assertEqual(len(self.desk.calls), 1)
        for _ in range(3):
            self.tell(self.handle, self.call, "hangup", code=200)
            self.quiet(self.handle)
        self.assertEqual(self.ear.end, CarrierEnd(200))
        self.assertEqual(self.carrier.lines, (1, 3))

    def test_same_handle(self) -> None:
        """A handle that is there already is no further line."""
        self.janus.core(self.janus.handles[1], "detached")
        self.janus._ids = self.janus.handles[0] - 1
        self.janus.pump()
        self.advance(1)
        self.assertLessEqual(len(self.janus.asked_for("attach")), 5)
        self.assertTrue(self.carrier.is_up)

    def test_long(self) -> None:
        """A frame that has no end is not waited for."""
        self.janus.raw(json.dumps({"janus": "x" * MOST_FRAME}).encode())
        self.cut("the connection was lost")

    def test_flood(self) -> None:
        """Nor is more taken than the busiest trunk has to say."""
        for _ in range(int(BURST) + 200):
            self.janus.core(self.handle, "slowlink", uplink=True, lost=1)
        self.cut("Janus says too much")

    def test_calls_without_end(self) -> None:
        """As many come in as there are lines, whatever Janus makes up."""
        for place in range(200):
            self.comes(self.janus.handles[place % 3], f"in-{place}")
        self.assertEqual((len(self.desk.calls), self.carrier.lines), (2, (3, 3)))
        self.assertEqual(self.ear.told, [("answered", BRIDGE)])

    def test_others(self) -> None:
        """Another carrier does not notice."""
        other, double, desk = self.make(), JanusDouble(self.clock), Desk()
        other.start(desk)
        double.accept()
        self.janus.raw(json.dumps({"janus": "x" * MOST_FRAME}).encode())
        self.janus.pump()
        double.pump()
        self.assertEqual((self.carrier.is_up, other.is_up), (False, True))

    def test_random(self) -> None:
        """Frames with anything in them: calls end once, and there are as many lines as there were."""
        random = Random(8)
        ears = [self.ear]
        for _ in range(2000):
            if self.janus.is_cut:
                self.reconnect()
            if random.random() < 0.2 and self.carrier.is_up and self.carrier.lines[0] < 3:
                ears.append(self.dial()[1])
            self.say(random)
            self.advance(random.choice([0, 0, 0, 0.5]))
        self.janus.cut()
        ears += [each for _, _, each in self.desk.calls]
        self.assertGreater(len(ears), 25)
        for each in ears:
            self.assertIsInstance(each.end, CarrierEnd)
        self.reconnect()
        self.assertEqual(self.carrier.lines, (0, 3))

    def say(self, random: Random) -> None:
        """Something, of any handle, and of a call that there is, was, or never will be."""
        out = [(int(each["handle_id"]), each["body"]["call_id"]) for each in self.janus.bodies("call")[-3:]]
        incoming = [(each, f"in-{each}") for each in self.janus.handles]
        handle, call = random.choice([*out, *incoming, (5, "in-5"), (0, ""), (self.janus.handles[0], "?")])
        result: dict[str, Any] = {"event": random.choice(EVENTS), "code": random.choice(CODES)}
        if random.random() < 0.5:
            result["headers"] = {"X-SafeNUM": "+354490000001"}
        more: dict[str, Any] = {"jsep": {"sdp": BRIDGE}} if random.random() < 0.5 else {}
        self.janus.event(handle, result, call, **more)
        if random.random() < 0.3:
            self.janus.core(handle, random.choice(["hangup", "webrtcup", "media", "slowlink"]))
