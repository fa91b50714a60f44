"""Files of secure chats through `safeum pipe`."""

import base64

from twisted.internet.defer import Deferred

from safeum_home.client.secure.payloads import File
from safeum_home.errors import Code
from tests.pipe_secure_case import PipeCase


class FileTests(PipeCase):
    def test_both_ways(self) -> None:
        """A file goes out encrypted and comes back as it was; nothing that is there is replaced."""
        chat, web = self.pair(), self.use(self.ann)
        path, target = self.folder / "plan.txt", self.folder / "back.txt"
        path.write_bytes(b"the plan" * 40)
        sent = self.ask("client.secure.send_file", chat=chat, path=str(path), caption="look")["item"]
        about = (sent["payload"]["name"], sent["payload"]["caption"], sent["payload"]["size"])
        self.assertEqual(about, ("plan.txt", "look", 320))
        self.assertNotIn(b"the plan", b"".join(web.sent))
        self.assertEqual(self.last(self.ben, chat).hash, self.told("client.secure.changed")["item"]["hash"])
        answer = {"chat": chat, "message": sent["hash"], "path": str(target)}
        saved = self.ask("client.secure.save_file", **answer)
        self.assertEqual((saved, target.read_bytes()), ({"path": str(target), "size": 320}, b"the plan" * 40))
        self.assertEqual(self.refused("client.secure.save_file", **answer), Code.INVALID_PARAMS.value.code)

    def test_voice(self) -> None:
        """A voice note says how long it is, and how loud."""
        chat, path = self.pair(), self.folder / "note.ogg"
        path.write_bytes(b"sound")
        wave = base64.b64encode(b"\0\x7f\xff").decode()
        self.ask("client.secure.send_voice", chat=chat, path=str(path), duration=1500, wave=wave)
        payload = self.last(self.ben, chat).payload
        assert isinstance(payload, File) and payload.voice is not None
        self.assertEqual((payload.voice.duration, payload.voice.wave), (1500, b"\0\x7f\xff"))

    def test_no_file(self) -> None:
        """Nothing is said of what cannot be read, nor saved of what has none."""
        chat = self.pair()
        for path in (self.folder / "nothing", self.folder):
            refused = self.refused("client.secure.send_file", chat=chat, path=str(path))
            self.assertEqual(refused, Code.INVALID_PARAMS.value.code)
        text = self.say(self.ann, chat, "no file")
        refused = self.refused("client.secure.save_file", chat=chat, message=text, path="x")
        self.assertEqual(refused, Code.INVALID_PARAMS.value.code)
        self.assertEqual(self.ben.said(chat), ["no file"])

    def test_locked_meanwhile(self) -> None:
        """What was on its way then is answered, and the pipe goes on."""
        chat, path = self.pair(), self.folder / "plan.txt"
        path.write_bytes(b"the plan")
        self.patch(self.use(self.ann), "ask", lambda *about, **more: Deferred())
        asked = self.give("client.secure.send_file", chat=chat, path=str(path))
        self.ann.lock()
        self.settle()
        self.assertEqual(self.answer(asked)["data"]["code"], Code.SECURE_ONLY.value.code)
        self.assertIn("data", self.ask("client.secure.items", chat=chat))
