"""Files and voice notes of secure chats through the SDK, on a node in memory."""

import os
from io import BytesIO

from safeum_home.client.secure.files import CHUNK, sealed_size
from safeum_home.client.secure.payloads import File
from safeum_home.client.unlocked.items import Fate
from tests.secure_file_case import SecureFileCase


class SendingTests(SecureFileCase):
    def test_both_ways(self) -> None:
        """Of sizes around those of chunks; all read what was sent, and the node has something else."""
        chat = self.start(self.ben, self.cay)
        for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 300_000):
            octets, web = os.urandom(size), self.use(self.ann)
            path = self.folder / f"{size}.bin"
            path.write_bytes(octets)
            item = self.ann.do(self.files(self.ann, chat).send(path, "Look!"))
            self.settle()
            self.assertIs(item.fate, Fate.SENT)
            for device in (self.ann, self.ben, self.cay):
                taken = self.last(device, chat)
                assert isinstance(taken.payload, File)
                about = (taken.payload.name, taken.payload.size, taken.payload.type, taken.text)
                self.assertEqual(about, (f"{size}.bin", size, "application/octet-stream", "Look!"))
                target = self.folder / f"{size}.of-{device.account[1:9]}"
                self.assertEqual(device.do(self.files(device, chat).save(taken, target)), size)
                self.assertEqual(target.read_bytes(), octets)
            self.assertEqual(len(b"".join(web.sent)), sealed_size(size))
            if size > 100:
                self.assertNotIn(octets[:100], b"".join(web.sent))

    def test_voice(self) -> None:
        """A voice note says how long it is, and how loud, and is heard without being stored."""
        chat = self.start(self.ben)
        sound = os.urandom(5000)
        self.ann.do(self.files(self.ann, chat).send_voice(BytesIO(sound), 1500, b"\0\x7f\xff"))
        self.settle()
        taken = self.last(self.ben, chat)
        assert isinstance(taken.payload, File) and taken.payload.voice is not None
        self.assertEqual((taken.payload.voice.duration, taken.payload.voice.wave), (1500, b"\0\x7f\xff"))
        self.assertEqual((taken.payload.name, taken.payload.type), ("voice.ogg", "audio/ogg"))
        self.assertEqual(self.ben.do(self.files(self.ben, chat).sound_of(taken)), sound)
