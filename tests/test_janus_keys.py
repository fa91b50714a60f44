"""Keys that are pressed in calls through Janus."""

from bridges.safenum.janus.dtmf import MOST, PAUSE, TONE, pressed
from tests.janus_case import BRIDGE, JanusCase


class KeysTests(JanusCase):
    def test_pressed_here(self) -> None:
        """One after another, as a hand would; not before the answer, nor after the end."""
        call, _, handle = self.dial()
        call.dtmf("1")
        self.tell(handle, call, "accepted", jsep=BRIDGE)
        call.dtmf("12")
        call.dtmf("#")
        self.janus.pump()
        self.assertEqual(self.digits(), "1")
        self.advance(2 * (TONE + PAUSE) + 0.01)
        self.assertEqual(self.digits(), "12#")
        call.dtmf("0" * (MOST + 50))
        self.tell(handle, call, "hangup", code=200)
        self.advance(60)
        self.assertEqual(self.digits(), "12#")

    def test_too_many(self) -> None:
        call, _, _ = self.talk()
        call.dtmf("0" * (MOST + 50))
        self.advance(60)
        self.assertEqual(self.digits(), "0" * MOST)

    def digits(self) -> str:
        return "".join(each["body"]["digit"] for each in self.janus.bodies("dtmf_info"))

    def test_pressed_there(self) -> None:
        call, ear, handle = self.talk()
        for kind, content in (
            ("application/dtmf-relay", "Signal=5\r\nDuration=160"),
            ("application/dtmf", "#"),
            ("text/plain", "7"),
            ("application/dtmf", "77"),
        ):
            self.tell(handle, call, "info", type=kind, content=content)
        self.assertEqual(ear.told[1:], [("dtmf", "5"), ("dtmf", "#")])

    def test_forms(self) -> None:
        for kind, content, key in (
            ("application/dtmf-relay", "Signal= a\r\nDuration= 100\r\n", "A"),
            ("Application/DTMF-Relay", "signal=*", "*"),
            ("application/dtmf-relay", "Signal=11\r\nDuration=160", ""),
            ("application/dtmf-relay", "Duration=160\r\nSignal=1", ""),
            ("application/dtmf-relay", "", ""),
            ("application/dtmf", " 1\r\n", "1"),
            ("application/dtmf", "E", ""),
        ):
            self.assertEqual(pressed(kind, content), key, content)

    def test_failed(self) -> None:
        """Keys that Janus does not send do not end a call."""
        self.janus.refused["dtmf_info"] = 499
        call, ear, _ = self.talk()
        call.dtmf("1")
        self.advance(1)
        self.assertEqual(ear.told, [("answered", BRIDGE)])
