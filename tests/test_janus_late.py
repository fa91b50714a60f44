"""Apps that have vanished, and what is said too late of a call."""

from typing import Any

from safeum_home.ports.carrier import (
    APP_VANISHED,
    CarrierEnd,
)
from tests.janus_case import APP, BRIDGE, Ear, JanusCase


class VanishedTests(JanusCase):
    """The app is gone, and nobody says so but Janus."""

    def ended_by_us(self, call: Any, ear: Ear, handle: int) -> None:
        self.janus.pump()
        self.assertEqual(len(self.janus.bodies("hangup")), 1)
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(ear.end, CarrierEnd(200, APP_VANISHED, far=False))

    def test_webrtc(self) -> None:
        """ICE has failed, or it has said goodbye (DTLS)."""
        call, ear, handle = self.talk()
        self.tell(handle, call, "hangingup")
        self.janus.core(handle, "hangup", reason="ICE failed")
        self.ended_by_us(call, ear, handle)
        self.advance(2)
        self.assertEqual(self.carrier.lines, (0, 3))

    def test_never_there(self) -> None:
        """It does not come about within 20 seconds."""
        call, ear, handle = self.dial()
        self.tell(handle, call, "accepted", jsep=BRIDGE)
        self.advance(19)
        self.assertEqual(self.janus.bodies("hangup"), [])
        self.advance(2)
        self.ended_by_us(call, ear, handle)

    def test_early(self) -> None:
        """It was there before the answer."""
        call, ear, handle = self.dial()
        self.tell(handle, call, "progress", jsep=BRIDGE)
        self.janus.core(handle, "webrtcup")
        self.tell(handle, call, "accepted")
        self.advance(120)
        self.assertEqual(ear.told, [("progress", BRIDGE), ("answered", None)])

    def test_silent(self) -> None:
        """Nothing comes for 30 seconds; less than that is nothing."""
        call, ear, handle = self.talk()
        self.janus.core(handle, "media", type="audio", receiving=False, seconds=1)
        self.advance(29)
        self.janus.core(handle, "media", type="audio", receiving=True)
        self.janus.core(handle, "slowlink", uplink=True, lost=30)
        self.advance(60)
        self.assertEqual(ear.told, [("answered", BRIDGE)])
        self.janus.core(handle, "media", type="audio", receiving=False, seconds=1)
        self.advance(31)
        self.ended_by_us(call, ear, handle)


class LateTests(JanusCase):
    """What is said too late of one call does not reach the next."""

    def test_of_a_former_call(self) -> None:
        """By its Call-ID."""
        call, ear, handle = self.talk()
        self.tell(handle, call, "hangup", code=200)
        self.quiet(handle)
        again, other, same = self.dial()
        self.assertEqual(same, handle)
        for event in ("hangup", "accepted", "info", "ringing"):
            self.tell(handle, call, event, code=200, type="application/dtmf", content="1")
        self.tell(handle, "", "hangup", code=200)
        self.assertEqual(other.told, [])
        self.tell(handle, again, "accepted", jsep=BRIDGE)
        self.assertEqual(other.told, [("answered", BRIDGE)])
        self.assertEqual(ear.end, CarrierEnd(200))

    def test_of_its_sound(self) -> None:
        """As long as Janus has not let go of that, a line rests, and is not called out on."""
        call, _, handle = self.talk()
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(self.carrier.lines, (1, 3))
        _, ear, other = self.dial()
        self.assertNotEqual(other, handle)
        self.quiet(handle)
        self.assertEqual((ear.told, self.carrier.lines), ([], (1, 3)))

    def test_of_its_sound_while_one_comes_in(self) -> None:
        """Janus gives a line away that it knows to be free: what was before is not what is now."""
        first = self.janus.handles[0]
        self.comes(first)
        self.tell(first, "in-1", "hangup", code=487)
        self.comes(first, "in-2")
        self.quiet(first)
        [_, (call, _, ear)] = self.desk.calls
        self.assertEqual(ear.told, [])
        call.answer(APP)
        self.tell(first, "in-2", "accepted")
        self.assertEqual(ear.told, [("answered", None)])

    def test_never_let_go(self) -> None:
        """A line that rests for too long is given up, and another one is made."""
        call, _, handle = self.talk()
        self.tell(handle, call, "hangup", code=200)
        self.advance(7)
        self.assertEqual([each["handle_id"] for each in self.janus.asked_for("detach")], [handle])
        self.assertEqual((self.carrier.lines, len(self.janus.handles)), ((0, 3), 4))

    def test_settles(self) -> None:
        """For longer than a thread of Janus goes on, which would take the next call's sound down."""
        call, _, handle = self.talk()
        self.tell(handle, call, "hangup", code=200)
        self.janus.core(handle, "hangup", reason="Close PC")
        self.advance(1.2)
        self.assertEqual(self.carrier.lines, (1, 3))
        self.advance(0.5)
        self.assertEqual(self.carrier.lines, (0, 3))

    def test_never_over(self) -> None:
        """Janus does not say that a call is over: it is for us, and its line is given up."""
        call, ear, handle = self.talk()
        call.hang_up()
        self.advance(6)
        self.assertEqual(ear.end, CarrierEnd(200, far=False))
        self.assertEqual([each["handle_id"] for each in self.janus.asked_for("detach")], [handle])
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(self.carrier.lines, (0, 3))

    def test_master_in_doubt(self) -> None:
        """With the master all would go: it is not called out on, and all begins anew when nobody speaks."""
        first = self.janus.handles[0]
        self.comes(first)
        call, other, handle = self.talk()
        [(there, _, ear)] = self.desk.calls
        there.decline(486)
        self.advance(12)
        self.assertEqual(ear.end, CarrierEnd(486, far=False))
        self.assertEqual((self.carrier.lines, self.janus.is_cut), ((2, 3), False))
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(other.end, CarrierEnd(200))
        self.advance(6)
        self.assertTrue(self.janus.is_cut)
        self.reconnect()
        self.assertEqual((self.carrier.is_up, self.carrier.lines), (True, (0, 3)))

    def test_master_heals(self) -> None:
        """One that has carried a call since is in doubt no more."""
        first = self.janus.handles[0]
        self.comes(first)
        _, _, _ = self.talk()
        self.desk.calls[0][0].decline(486)
        self.advance(6)
        self.comes(first, "in-2")
        self.tell(first, "in-2", "hangup", code=487)
        self.quiet(first)
        self.advance(30)
        self.assertEqual((self.carrier.lines, self.janus.is_cut), ((1, 3), False))
