"""What the terminal calls with: what the command line names, and what is said where it cannot be had."""

import sys
from unittest.mock import patch

from safeum_home.client.cli_options import options, parser
from safeum_home.client.desk import phone
from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.phone import Phone
from safeum_home.client.errors import NoMedia
from safeum_home.client.slash.commands import submit
from tests.test_client_call_desk import CallDeskCase


class PhoneTests(CallDeskCase):
    def test_no_microphone(self) -> None:
        """It is said, and what can be done; nobody is called, and the call that rings still rings."""
        self.enter(self.ben, "/call ann")
        self.lacks = "No microphone was found"
        self.enter(self.ann, "/answer")
        self.assertIn("No microphone was found: start safeum with --call-audio FILE", self.said(self.ann)[-1])
        self.assertEqual(len(self.desks[self.ann].calls.waiting), 1)

    def test_not_installed(self) -> None:
        """Without aiortc the terminal is there, and says what calls need."""
        desk = Desk(self.ann.client, self.world.clock, lambda: 0)
        desk.calls.take(phone.NO_PHONE)
        submit(desk, "/call ben")
        self.settle()
        self.assertEqual(desk.notices[-1].text, "Calls need more packages: pip install 'safeum-home[calls]'.")

    def test_rings_where_it_cannot_be_taken(self) -> None:
        """It is said who calls."""
        cay = self.register("cay")
        cay.befriend(self.ann)
        desk = Desk(cay.client, self.world.clock, lambda: 0)
        desk.calls.take(phone.NO_PHONE)
        self.enter(self.ann, "/call cay")
        said = "ann is calling, and cannot be answered here. Calls need more packages: "
        self.assertTrue(desk.notices[-1].text.startswith(said), desk.notices[-1])

    def _options(self, *arguments: str) -> Phone:
        given = parser().parse_args(["chat", "--login", "ann", "--password-fd", "0", *arguments])
        with patch("safeum_home.client.cli_options.read_line", return_value="password"):
            return options(given).phone

    def test_options(self) -> None:
        """What the command line names; what cannot be had is refused before anything runs."""
        self.assertIsNotNone(self._options().source)
        made = self._options("--call-audio", "tone:440", "--call-video", "grey", "--call-relay-only")
        self.assertEqual((made.shows, made.relay_only), (True, True))
        self.assertIsNone(self.successResultOf(made.lacks()))
        for arguments, said in (
            (("--call-audio", "tone:4"), "--call-audio tone:4: a tone is of 20 to 20000 hertz"),
            (("--call-audio", "tone:x"), "--call-audio tone:x: a tone is of 20 to 20000 hertz"),
            (("--call-audio", "/nowhere/x"), "x: No such file or directory"),
            (("--call-video", __file__), "test_client_phone.py cannot be played"),
            (("--call-video", "camera:/nowhere/x"), "there is no camera /nowhere/x"),
            (("--call-record", "x.mp3"), "x.mp3 is none of .wav, .ogg, .opus"),
        ):
            error = self.assertRaises(NoMedia, self._options, *arguments)
            self.assertIn(said, str(error))

    def test_options_without_packages(self) -> None:
        """Then what was asked for is refused, and nothing else is."""
        gone = {"aiortc": None, "av": None}
        loaded = {name: None for name in sys.modules if name.startswith("safeum_home.client.webrtc")}
        with patch.dict(sys.modules, gone):
            for name in loaded:
                del sys.modules[name]
            self.assertIsNone(self._options().source)
            self.assertRaises(NoMedia, self._options, "--call-audio", "tone:440")
