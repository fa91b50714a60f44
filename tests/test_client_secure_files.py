"""Files and voice notes of secure chats through the SDK, on a node in memory."""

import os
from io import BytesIO
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from safeum_home.client.errors import BadAnswer, Disconnected, RemoteProblem, local
from safeum_home.client.files.partial_file import partial_path
from safeum_home.client.files.upload import FileTooLarge
from safeum_home.client.secure.files import CHUNK, HEADER, MORE, sealed_size
from safeum_home.client.secure.payloads import File
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked import chat_files
from safeum_home.client.unlocked.file_sealing import SealedSource, SealedUpload
from safeum_home.client.unlocked.items import Fate, Item
from safeum_home.errors import Code
from tests.secure_file_case import NodeWeb, SecureFileCase

KIB = 1024


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
        self.patch(chat_files, "MOST_SOUND", 4999)
        with self.assertRaises(RemoteProblem) as caught:
            self.ben.do(self.files(self.ben, chat).sound_of(taken))
        self.assertTrue(caught.exception.of(Code.TOO_LARGE))

    def test_what_is_said_of_it(self) -> None:
        """Preview, size of a picture, what is answered; a name without a path."""
        chat = self.start(self.ben)
        hash = self.say(self.ben, chat, "a picture, please")
        about: dict[str, Any] = {"preview": b"\1\2", "width": 3, "height": 4, "reply": hash}
        self.ann.do(self.files(self.ann, chat).send(BytesIO(b"x"), name="/tmp/a\n.png", **about))
        self.settle()
        payload = self.last(self.ben, chat).payload
        assert isinstance(payload, File) and payload.reply is not None
        seen = (payload.name, payload.type, payload.preview, payload.width, payload.height)
        self.assertEqual(seen, ("_tmp_a_.png", "image/png", b"\1\2", 3, 4))
        self.assertEqual((payload.reply.hash, payload.reply.id), (hash, self.of(self.ann, chat, hash).id))

    def of(self, device: Any, chat: str, hash: str) -> Item:
        item = self.chat(device, chat).items.by_hash(hash)
        assert item is not None
        return item

    def test_refused_at_once(self) -> None:
        """What could not be said, or is larger than the node takes, is not uploaded."""
        chat, web = self.start(self.ben), self.use(self.ann)
        files = self.files(self.ann, chat)
        wrong: list[dict[str, Any]] = [
            {"preview": bytes(8 * KIB + 1)},
            {"width": 0},
            {"type": "nonsense"},
            {"caption": "x" * 8193},
            {"reply": "no hash"},
        ]
        for each in wrong:
            with self.assertRaises(Refused) as caught:
                self.ann.do(files.send(BytesIO(b"x"), **each))
            self.assertIs(caught.exception.reason, Reason.MALFORMED, each)
        with self.assertRaises(Refused):
            self.ann.do(files.send_voice(BytesIO(b"x"), 1, bytes(129)))
        with self.assertRaises(Refused) as caught:
            self.ann.do(files.send(BytesIO(b"x"), "\u20ac" * 8192, preview=bytes(8 * KIB)))
        self.assertIs(caught.exception.reason, Reason.TOO_LARGE)
        with self.assertRaises(FileTooLarge):
            self.ann.do(files.send(BytesIO(bytes(2 * KIB**2))))
        with self.assertRaises(FileNotFoundError):
            self.ann.do(files.send(self.folder / "nothing"))
        self.assertEqual(web.asked, [])
        self.assertEqual(self.chat(self.ann, chat).items.all, [])

    def test_waits_for_keys(self) -> None:
        """It waits as messages do, and goes with its message then; what is taken back goes nowhere."""
        dan = self.device().register("dan")
        self.everybody.append(dan)
        self.use(dan)
        self.ann.befriend(dan)
        conversation = self.ann.do(self.ann.secure.start([dan.account]))
        item = self.ann.do(conversation.files.send(BytesIO(b"secret"), name="a"))
        taken_back = self.ann.do(conversation.files.send(BytesIO(b"other"), name="b"))
        self.assertEqual((item.fate, item.waits_for), (Fate.WAITING, (dan.account,)))
        with self.assertRaises(RemoteProblem) as caught:
            self.ann.do(conversation.files.sound_of(item))
        self.assertTrue(caught.exception.of(Code.WRONG_STATE))
        self.assertTrue(conversation.forget(taken_back))
        dan.unlock()
        dan.do(dan.secure.accept(conversation.id))
        self.settle(90)
        self.assertIs(item.fate, Fate.SENT)
        [taken] = self.chat(dan, conversation.id).items.all
        self.assertEqual(dan.do(self.files(dan, conversation.id).sound_of(taken)), b"secret")

    def test_deleted(self) -> None:
        """Then nobody has it any more, and is told that."""
        chat = self.start(self.ben)
        item = self.ann.do(self.files(self.ann, chat).send(BytesIO(b"never mind"), name="a"))
        self.settle()
        taken = self.last(self.ben, chat)
        shown = (taken.payload, taken.id)
        self.chat(self.ann, chat).delete(item.hash or "")
        self.settle()
        for each in (taken, Item(taken.sender, 0, shown[0], id=shown[1])):
            with self.assertRaises(RemoteProblem) as caught:
                self.ben.do(self.files(self.ben, chat).save(each, self.folder / "a"))
            self.assertTrue(caught.exception.of(Code.NOT_FOUND))
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertEqual(self.world.database.count("files"), 0)

    def test_no_file(self) -> None:
        """Of what has none nothing is fetched."""
        chat = self.start(self.ben)
        self.say(self.ann, chat, "hello")
        with self.assertRaises(RemoteProblem) as caught:
            self.ben.do(self.files(self.ben, chat).save(self.last(self.ben, chat), self.folder / "a"))
        self.assertTrue(caught.exception.of(Code.INVALID_PARAMS))

    def test_another_device(self) -> None:
        """One that comes later finds it in the history."""
        chat = self.start(self.ben)
        self.ann.do(self.files(self.ann, chat).send(BytesIO(b"secret"), name="a"))
        self.settle()
        tablet = self.device().login("ben")
        self.everybody.append(tablet)
        self.use(tablet)
        tablet.unlock()
        self.settle()
        self.assertEqual(tablet.do(self.files(tablet, chat).sound_of(self.last(tablet, chat))), b"secret")


class UploadTests(SecureFileCase):
    """Uploads that are broken off: in pieces of 100 KiB."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(SealedUpload, "piece", 100 * KIB)
        self.octets = os.urandom(300_000)
        self.chat_id = self.start(self.ben)

    def send(self, *breaks: int | Exception | None, source: Any = None) -> NodeWeb:
        web = self.use(self.ann, *breaks)
        self.ann.do(self.files(self.ann, self.chat_id).send(source or BytesIO(self.octets), name="a"))
        self.settle()
        return web

    def got(self) -> bytes:
        octets: bytes = self.ben.do(
            self.files(self.ben, self.chat_id).sound_of(self.last(self.ben, self.chat_id))
        )
        return octets

    def test_goes_on(self) -> None:
        """After each break it goes on where the node is, with what was encrypted before."""
        web = self.send(None, 50_000, 0, 70_000, local(Code.BUSY))
        self.assertEqual(self.got(), self.octets)
        self.assertEqual([method for method, _ in web.asked].count("POST"), 1)
        self.assertEqual(max(map(len, web.sent)), 100 * KIB)

    def test_progress(self) -> None:
        """It is told of both ways, in octets as they lie at the node."""
        told: list[tuple[int, int]] = []
        self.use(self.ann)
        files, whole = self.files(self.ann, self.chat_id), sealed_size(300_000)
        self.ann.do(files.send(BytesIO(self.octets), name="a", progress=lambda *done: told.append(done)))
        self.assertEqual((told, told[-1]), (sorted(told), (whole, whole)))
        self.settle()
        told.clear()
        taken, files = self.last(self.ben, self.chat_id), self.files(self.ben, self.chat_id)
        self.ben.do(files.save(taken, BytesIO(), progress=lambda *done: told.append(done)))
        self.assertEqual((told, told[0], told[-1]), (sorted(told), (0, whole), (whole, whole)))

    def test_written_to_meanwhile(self) -> None:
        """What is sent again is what was sent: no nonce is used for two texts, though the file is another."""
        source = BytesIO(self.octets)
        web = self.use(self.ann, 90_000)
        web.lost = 40_000
        doing = self.files(self.ann, self.chat_id).send(source, name="a")
        self.settle(0.2)
        source.seek(0)
        source.write(bytes(100_000))
        self.ann.do(doing)
        first, again = web.sent[:2]
        offset = int([fields for method, fields in web.asked if method == "PATCH"][1]["Upload-Offset"])
        self.assertLess(offset, len(first))
        self.assertEqual(again[: len(first) - offset], first[offset:])

    def test_thrown_away_meanwhile(self) -> None:
        """An upload that the node has no more is begun anew, with another key."""
        self.use(self.ann, None, 10_000)
        source = SealedSource(BytesIO(self.octets), len(self.octets))
        keys = [source.key]
        client: Any = self.ann.client
        upload = SealedUpload(client._web(), client._ticket(self.chat_id), source, None)
        self.failureResultOf(self.step(upload.go_on()), Disconnected)
        keys.append(source.key)
        self.world.database.transact(lambda c: c.exec_driver_sql("DELETE FROM uploads"))
        self.successResultOf(self.step(upload.go_on()))
        keys.append(source.key)
        self.assertEqual(len(set(keys)), 3)
        self.assertEqual(upload.offset, source.size)

    def step(self, coroutine: Any) -> "Deferred[Any]":
        doing = Deferred.fromCoroutine(coroutine)
        self.settle(1)
        return doing

    def test_a_node_that_forgets(self) -> None:
        """One that asks for what it has acknowledged, or has more than it was sent, gets nothing."""
        for offset in (0, 100 * KIB - 1, sealed_size(300_000) - 1):
            source = SealedSource(BytesIO(self.octets), len(self.octets))
            source.seek(0)
            source.read(100 * KIB)
            source.acknowledged(100 * KIB)
            source.read(10)
            self.assertRaises(BadAnswer, source.acknowledged, offset)
        source.seek(0)
        self.assertRaises(BadAnswer, source.read, 10)

    def test_shorter_meanwhile(self) -> None:
        """A file that has become shorter is not sent."""

        class Shorter(BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                return super().read(size) if self.tell() < 200_000 else b""

        with self.assertRaises(OSError):
            self.send(source=Shorter(self.octets))
        self.assertEqual(self.chat(self.ann, self.chat_id).items.all, [])

    def test_given_up(self) -> None:
        """It is cancelled: nothing is said."""
        self.use(self.ann, *[0] * 7)
        doing: Any = self.files(self.ann, self.chat_id).send(BytesIO(self.octets), name="a")
        self.settle(0.5)
        doing.cancel()
        self.failureResultOf(doing, CancelledError)
        self.assertEqual(self.chat(self.ann, self.chat_id).items.all, [])

    def test_memory(self) -> None:
        """Of a file there is never more in memory than what was not acknowledged, and a chunk."""
        source = SealedSource(BytesIO(bytes(4 * KIB**2)), 4 * KIB**2)
        for at in range(0, source.size, 100 * KIB):
            source.seek(at)
            source.read(100 * KIB)
            self.assertLess(len(source._kept), 100 * KIB + 2 * (CHUNK + MORE) + HEADER)
            source.acknowledged(min(at + 100 * KIB, source.size))


class DownloadTests(SecureFileCase):
    """Downloads that are broken off."""

    def setUp(self) -> None:
        super().setUp()
        self.octets = os.urandom(300_000)
        self.chat_id = self.start(self.ben)
        self.ann.do(self.files(self.ann, self.chat_id).send(BytesIO(self.octets), name="a"))
        self.settle()
        self.item = self.last(self.ben, self.chat_id)
        self.target = self.folder / "a.bin"

    @property
    def partial(self) -> Any:
        assert isinstance(self.item.payload, File)
        return partial_path(self.target, self.item.payload.hash)

    def save(self) -> Any:
        """What can be cancelled."""
        return self.files(self.ben, self.chat_id).save(self.item, self.target)

    def test_goes_on(self) -> None:
        """Where it was, in the middle of a chunk, too. It gets its name when it is whole."""
        web = self.use(self.ben, 70_000, 0, 1, local(Code.NODE_UNREACHABLE))
        saving = self.save()
        self.settle(0.2)
        self.assertEqual(list(self.folder.iterdir()), [self.partial])
        self.assertEqual(self.ben.do(saving), 300_000)
        self.assertEqual(
            {each: each.read_bytes() for each in self.folder.iterdir()}, {self.target: self.octets}
        )
        spans = [fields["Range"] for _, fields in web.asked]
        self.assertEqual(spans, ["bytes=0-", *["bytes=70000-"] * 2, *["bytes=70001-"] * 2])

    def give_up(self, *breaks: int) -> None:
        self.use(self.ben, *breaks, local(Code.FILE_LOST))
        with self.assertRaises(RemoteProblem) as caught:
            self.ben.do(self.save())
        self.assertTrue(caught.exception.of(Code.FILE_LOST))

    def test_goes_on_later(self) -> None:
        """Another call goes on with the whole chunks that are there."""
        self.give_up(150_000)
        self.assertEqual(self.partial.stat().st_size, 2 * CHUNK)
        self.partial.write_bytes(self.partial.read_bytes() + self.octets[2 * CHUNK :][:100])
        web = self.use(self.ben)
        self.ben.do(self.save())
        self.assertEqual(self.target.read_bytes(), self.octets)
        self.assertFalse(self.partial.exists())
        spans = [fields["Range"] for _, fields in web.asked]
        self.assertEqual(spans, [f"bytes=0-{HEADER - 1}", f"bytes={HEADER + 2 * (CHUNK + MORE)}-"])

    def test_all_there(self) -> None:
        """Of all that is there, but for its name, the last chunk is fetched again: it has to be the last."""
        self.partial.write_bytes(self.octets)
        web = self.use(self.ben)
        self.ben.do(self.save())
        self.assertEqual((self.target.read_bytes(), len(web.asked)), (self.octets, 2))

    def test_something_else_there(self) -> None:
        """What is there and was never of this file is put away, and the file fetched from its beginning."""
        self.partial.write_bytes(os.urandom(200_000))
        self.ben.do(self.save())
        self.assertEqual(self.target.read_bytes(), self.octets)
        self.assertFalse(self.partial.exists())

    def test_nothing_is_replaced(self) -> None:
        self.target.write_text("mine")
        with self.assertRaises(FileExistsError):
            self.ben.do(self.save())
        self.assertEqual(self.target.read_text(), "mine")
        self.assertEqual(list(self.folder.iterdir()), [self.target])

    def test_into_an_open_file(self) -> None:
        """It is written where that stands, over breaks, too."""
        file = BytesIO()
        file.write(b"before")
        self.use(self.ben, 100_000)
        self.assertEqual(self.ben.do(self.files(self.ben, self.chat_id).save(self.item, file)), 300_000)
        self.assertEqual(file.getvalue(), b"before" + self.octets)

    def test_given_up(self) -> None:
        """It is cancelled: what came stays, beside its place, and nothing where nothing came."""
        for breaks, left in (((0,) * 7, []), ((70_000, *(0,) * 6), [self.partial])):
            self.use(self.ben, *breaks)
            saving = self.save()
            self.settle(0.5)
            saving.cancel()
            self.failureResultOf(saving, CancelledError)
            self.assertEqual(list(self.folder.iterdir()), left)
