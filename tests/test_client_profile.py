"""Profiles and pictures in the terminal client and the SDK, at 80 columns."""

import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any
from unittest import mock

from twisted.internet.defer import Deferred

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.methods import here
from safeum_home.client.methods.here import this_device
from safeum_home.errors import Code, Problem
from safeum_home.images import clean
from safeum_home.protocol.types import DeviceType
from tests.client_desk import DeskTestCase
from tests.client_double import ADA, BOB, DEVICE
from tests.test_images import SECRET, drawn, encoded, exif, laden

AVATAR = "A" + "b" * 26
PNG = encoded(drawn("RGB"), "PNG")


class ProfileCase(DeskTestCase):
    """Ada's profile is what was set last; Bob's is in `bobs`."""

    def setUp(self) -> None:
        super().setUp()
        self.own: dict[str, Any] = {"display_name": "Ada", "show_safenum": False}
        self.bobs: dict[str, Any] = {"display_name": "Bob", "status": "at sea"}
        self.pictures = {AVATAR: ("image/png", PNG)}
        self.wire.answers |= {
            "profile.get": self._profile,
            "profile.set": lambda params: self.own.update(params["profile"]) or {},
            "profile.avatar.get": self._picture,
            "profile.avatar.set": lambda params: {"avatar": AVATAR},
            "profile.avatar.remove": lambda params: {},
        }
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def _profile(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["account"] is None:
            return {"account": ADA, "address": "ada@home.test", "profile": self.own}
        return {"account": BOB, "address": "bob@home.test", "profile": self.bobs}

    def _picture(self, params: dict[str, Any]) -> Any:
        if params["avatar"] not in self.pictures:
            return Problem(Code.NOT_FOUND)
        kind, data = self.pictures[params["avatar"]]
        return {**params, "account": BOB, "type": kind, "data": b64encode(data).decode()}

    def answer(self, line: str) -> str:
        """What is said to a line, on one line."""
        before = len(self.desk.notices)
        self.enter(line)
        self.body(rows=40)
        return " ".join(" ".join(n.text for n in list(self.desk.notices)[before:]).split())

    def file(self, data: bytes, name: str = "me.png") -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


class ProfileTests(ProfileCase):
    def test_all_of_ones_own(self) -> None:
        """Everything that can be set is set by a command, shown, and leaves the rest as it is."""
        for line in (
            "/name Countess",
            "/status computing",
            "/about I like\nengines",
            "/field Birthday: 10 December",
            "/field Site: https://example.test",
            "/field birthday: 10 Dec",
            "/safenum show",
        ):
            self.enter(line)
        self.assertEqual(
            self.own,
            {
                "display_name": "Countess",
                "status": "computing",
                "about": "I like\nengines",
                "fields": [
                    {"label": "birthday", "value": "10 Dec"},
                    {"label": "Site", "value": "https://example.test"},
                ],
                "show_safenum": True,
            },
        )
        self.own |= {"safenum": "+000 1", "avatar": AVATAR}
        shown = self.answer("/profile")
        for part in (
            "Countess <ada@home.test>: computing",
            "About: I like engines",
            "birthday: 10 Dec",
            "SafeNUM: +000 1 (contacts see it)",
            "/avatar looks at it",
        ):
            self.assertIn(part, shown)
        self.assertIn("\n    engines", self.body(rows=40))
        self.enter("/field Site:")
        self.enter("/safenum hide")
        self.assertEqual((len(self.own["fields"]), self.own["show_safenum"]), (1, False))

    def test_anothers(self) -> None:
        """A contact's profile, in which nothing that they wrote passes for something else."""
        lie = "nice\nSafeNUM: +999\nPicture: /avatar eve"
        self.bobs |= {"about": lie, "fields": [{"label": "SafeNUM", "value": "+999\n  SafeNUM: +1"}]}
        shown = self.answer("/profile bob")
        self.assertIn("Bob <bob@home.test>: at sea", shown)
        lines = self.body(rows=40).partition("Bob <bob@")[2].split("\n")
        ours = [line for line in lines if line.startswith("  ") and not line.startswith("   ")]
        self.assertEqual([line.split()[0] for line in ours], ["About:", "\N{MIDDLE DOT}"])
        self.assertNotIn("/avatar bob", shown)
        self.bobs |= {"about": "", "fields": [], "safenum": "+000 2", "avatar": AVATAR}
        shown = self.answer("/profile bob")
        self.assertIn("SafeNUM: +000 2", shown)
        self.assertIn("/avatar bob looks at it", shown)
        self.assertNotIn("contacts see", shown)

    def test_mistakes(self) -> None:
        """Said before anything is sent."""
        self.own["fields"] = [{"label": f"f{number}", "value": "x"} for number in range(8)]
        for line, words in (
            ("/name " + "x" * 65, "at most 64 characters, and this has 65"),
            ("/status " + "x" * 257, "at most 256"),
            ("/about " + "x" * 2049, "at most 2048"),
            ("/field nothing", "/field Birthday: 10 December"),
            ("/field : x", "Which one?"),
            ("/field " + "l" * 33 + ": x", "at most 32"),
            ("/field l: " + "x" * 257, "at most 256"),
            ("/field none:", "There is no none"),
            ("/field ninth: x", "8 fields already"),
            ("/safenum perhaps", "/safenum show"),
        ):
            self.assertIn(words, self.answer(line))
        self.assertEqual(self.params("profile.set"), [])
        self.enter("/field F0: y")
        self.assertEqual(self.own["fields"][0], {"label": "F0", "value": "y"})


class PictureTests(ProfileCase):
    def sent(self) -> list[tuple[str, bytes]]:
        return [(params["type"], b64decode(params["data"])) for params in self.params("profile.avatar.set")]

    def test_setting(self) -> None:
        """What is sent is the picture alone."""
        data = laden(drawn("RGB"), "PNG")
        said = self.answer(f"/avatar {self.file(data)}")
        self.assertIn("Your contacts see your picture now: PNG, 61x47", said)
        self.assertIn("left out", said)
        self.assertEqual(self.sent(), [("image/png", clean(data).data)])
        self.assertNotIn(SECRET.encode(), self.sent()[0][1])
        spaced = self.file(clean(data).data, "my picture.png")
        self.assertNotIn("left out", self.answer(f"/avatar {spaced}"))
        self.assertEqual(len(self.sent()), 2)
        self.assertIn("no picture now", self.answer("/avatar none"))
        self.assertEqual(len(self.params("profile.avatar.remove")), 1)

    def test_what_cannot_be_used(self) -> None:
        """Each with a word about what to do; nothing is sent."""
        moving = encoded(drawn("RGB"), "PNG", save_all=True, append_images=[drawn("RGB").rotate(9)])
        noise = encoded(drawn("RGB", (98, 98)).resize((512, 512)), "PNG")
        self.assertGreater(len(noise), 41_000)
        for data, words in (
            (
                encoded(drawn("RGB", (513, 20)), "JPEG"),
                "513x20 pixels, and 512x512 is the most. Scale it down",
            ),
            (noise, "KiB, and 40 KiB is the most. Scale it down"),
            (moving, "moves"),
            (b"GIF89a", "neither JPEG nor PNG nor WebP"),
            (PNG[:-30], "cannot be used: it ends too early."),
            (b"", "cannot be used"),
        ):
            self.assertIn(words, self.answer(f"/avatar {self.file(data)}"))
        lying = encoded(drawn("RGB"), "JPEG", exif=exif())
        self.assertIn("shown lying", self.answer(f"/avatar {self.file(lying)}"))
        os.mkfifo(self.folder / "pipe.png")
        for path in (
            self.folder / "pipe.png",
            self.folder,
            self.folder / "none.png",
            "/dev/zero",
            "~nobody/x",
        ):
            self.assertIn("There is no file", self.answer(f"/avatar {path}"))
        self.assertEqual(self.sent(), [])

    def test_looking_and_saving(self) -> None:
        """A contact's picture is told of, and saved where that is asked for, over nothing that is there."""
        self.assertIn("Bob (bob) has no picture", self.answer("/avatar bob"))
        self.bobs["avatar"] = self.own["avatar"] = AVATAR
        self.assertIn("PNG, 61x47", self.answer("/avatar bob"))
        self.assertIn("/avatar bob FILE saves it", self.answer("/avatar bob"))
        self.assertIn("Your picture: PNG, 61x47", self.answer("/avatar"))
        target = self.folder / "bob.png"
        self.assertIn("Saved as", self.answer(f"/avatar Bob {target}"))
        self.assertEqual(target.read_bytes(), PNG)
        self.assertIn("already", self.answer(f"/avatar Bob {target}"))
        self.assertIn("cannot be written", self.answer(f"/avatar Bob {self.folder}/no/such.png"))
        self.assertEqual(list(self.folder.iterdir()), [target])
        self.assertEqual(self.sent(), [])

    def test_what_a_node_sends_is_not_trusted(self) -> None:
        """What is no picture is not saved, and metadata is not either."""
        self.bobs["avatar"] = AVATAR
        target = self.folder / "x.png"
        self.pictures[AVATAR] = ("image/png", b"#!/bin/sh")
        self.assertIn("not a picture", self.answer(f"/avatar bob {target}"))
        self.assertFalse(target.exists())
        self.pictures[AVATAR] = ("image/png", laden(drawn("L"), "PNG"))
        self.answer(f"/avatar bob {target}")
        self.assertNotIn(SECRET.encode(), target.read_bytes())
        del self.pictures[AVATAR]
        self.assertIn("no picture for you to see", self.answer("/avatar bob"))

    def test_the_sdk_checks_first(self) -> None:
        """Refusals need no node, and have its codes."""
        noise = encoded(drawn("RGB", (98, 98)).resize((512, 512)), "PNG")
        for data, code in ((b"x", Code.INVALID_IMAGE), (noise, Code.TOO_LARGE)):
            error = self.assertRaises(RemoteProblem, self.node.client.set_avatar, data)
            self.assertTrue(error.of(code))
        self.assertEqual(self.sent(), [])
        done = self.node.client.set_avatar(laden(drawn("L"), "JPEG"))
        assert isinstance(done, Deferred)
        self.assertEqual(self.successResultOf(done).avatar, AVATAR)
        self.assertNotIn(SECRET.encode(), self.sent()[0][1])


class DeviceTests(ProfileCase):
    def test_devices(self) -> None:
        """All that is known of a device stands below its name, within the columns that there are."""
        entry = {"device": DEVICE, "name": "phone", "system": "Android 16", "created_at": 1_700_000_000_000}
        told = {"type": "phone", "model": "Fairphone 6", "region": "Bavaria", "time_zone": "Europe/Berlin"}
        here = entry | told | {"current": True, "connected": True, "address": "2001:db8::77"}
        gone = entry | {"name": "old one\x1b[2J", "current": False, "connected": False}
        longest = {"name": "n" * 64, "system": "s" * 64, "model": "m" * 32, "region": "r" * 32}
        long = here | longest | {"time_zone": "z" * 40, "current": False}
        self.wire.answers["device.list"] = lambda params: {"devices": [here, gone, long]}
        self.enter("/devices")
        shown = self.body(rows=40)
        self.assertIn("  1  phone on Android 16 (this one)\n     phone, Fairphone 6, Bavaria,", shown)
        self.assertIn("from 2001:db8::77", " ".join(shown.split()))
        self.assertIn(
            "  2  old one\N{REPLACEMENT CHARACTER}[2J on Android 16 (not connected)\n     since 14 Nov 2023",
            shown,
        )
        self.assertIn("/revoke NUMBER", shown)

    def test_this_device(self) -> None:
        """What is told of this computer is true, and as little as that."""
        device = this_device("x")
        self.assertEqual((device.name, device.model, device.region), ("x", None, None))
        self.assertIs(device.type, DeviceType.DESKTOP)
        self.assertIs(this_device("x", DeviceType.BOT).type, DeviceType.BOT)
        for zone, told in (
            ("Europe/Berlin", "Europe/Berlin"),
            ("CET-1CEST,M3.5.0", None),
            ("/etc/passwd", None),
        ):
            with mock.patch.object(here, "get_localzone_name", return_value=zone):
                self.assertEqual(this_device().time_zone, told)
        for failure in (LookupError(), UserWarning(), OSError(), ValueError()):
            with mock.patch.object(here, "get_localzone_name", side_effect=failure):
                self.assertIsNone(this_device().time_zone)
        for system, kind in (("Darwin", DeviceType.DESKTOP), ("Plan9", DeviceType.OTHER)):
            with mock.patch("platform.system", return_value=system):
                self.assertIs(this_device().type, kind)
        with mock.patch("sys.platform", "ios"):
            self.assertIsNone(this_device().type)
