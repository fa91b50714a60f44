"""Secure chats need no disk: nothing is opened for writing, so a file system that is read-only is enough."""

import os
import sys
from contextlib import suppress as suppressed

from safeum_home.client.unlocked.file_sealing import SealedUpload
from tests.secure_file_case import SecureFileCase

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class Watch:
    """What Python opens for writing while it is `on`: an audit hook (PEP 578), which stays."""

    def __init__(self) -> None:
        self.on = False
        self.written: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, about: tuple[object, ...]) -> None:
        if self.on and event == "open" and isinstance(about[2], int) and about[2] & WRITES:
            self.written.append(str(about[0]))


class DiskTests(SecureFileCase):
    def setUp(self) -> None:
        super().setUp()
        self.watch = Watch()

    def tearDown(self) -> None:
        self.watch.on = False
        super().tearDown()

    def test_nothing_is_written(self) -> None:
        """From the first word to the vault, and on to the next time that it is unlocked."""
        self.watch.on = True
        chat = self.start(self.ben)
        self.say(self.ann, chat, "hello")
        self.settle(15)
        self.assertGreater(self.ann.secure.vault_version(), 0)
        self.ann.lock()
        self.ann.unlock()
        self.say(self.ann, chat, "again")
        self.watch.on = False
        self.assertEqual(self.ben.said(chat), ["hello", "again"])
        self.assertEqual(self.watch.written, [])

    def test_files(self) -> None:
        """Of a file that is sent nothing is written either, over breaks; of one that is heard neither."""
        chat, octets = self.start(self.ben), os.urandom(300_000)
        self.patch(SealedUpload, "piece", 100_000)
        source = self.folder / "a.bin"
        source.write_bytes(octets)
        self.watch.on = True
        self.use(self.ann, None, 30_000)
        self.ann.do(self.files(self.ann, chat).send(source, "here"))
        self.settle()
        sound = self.ben.do(self.files(self.ben, chat).sound_of(self.last(self.ben, chat)))
        self.watch.on = False
        self.assertEqual(sound, octets)
        self.assertEqual(self.watch.written, [])

    def test_it_would_be_seen(self) -> None:
        """Also where it is refused, as on a file system that is read-only."""
        path = self.mktemp()
        self.watch.on = True
        with suppressed(OSError), open(f"{path}/nowhere", "wb"):
            pass
        self.watch.on = False
        self.assertEqual(self.watch.written, [f"{path}/nowhere"])
