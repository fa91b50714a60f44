"""Frames that no client should send: each gets a coded error, or a close with a code and a reason.

All of them go to one node, whose memory stays bounded, and on which a well-behaved pair chats meanwhile.
"""

from collections.abc import Iterable

from tests.e2e.abuse import AbuseTestCase
from tests.e2e.malformed import FRAME, FRAMES, PAYLOADS, WRONG_STATE, request
from tests.e2e.people import connect, resume
from tests.e2e.wire import CONTINUATION, PING, PONG, TEXT, Ended, RawClient, frame


class MalformedFrameTests(AbuseTestCase):
    """Every frame is sent to a session and, where that makes sense, before there is one."""

    def test_payloads(self) -> None:
        """A coded error, with the id of the request as far as it could be read; the session goes on."""
        for name, (payload, code) in PAYLOADS.items():
            with resume(self.node, self.person) as client:
                self._refused(client, frame(payload), code, name)
                # In three fragments, with a ping between them: the same.
                third = len(payload) // 3
                self._refused(
                    client,
                    frame(payload[:third], final=False)
                    + frame(b"here?", PING)
                    + frame(payload[third : 2 * third], CONTINUATION, final=False)
                    + frame(payload[2 * third :], CONTINUATION),
                    code,
                    f"{name}, in fragments",
                )
                self.assertTrue(client.call("device.list")["devices"], name)

    def _refused(self, client: RawClient, octets: bytes, code: str, name: str) -> None:
        client.wire.send(octets)
        answer = client.read()
        self.assertIn("error", answer, name)
        problem = answer["error"]["data"]
        self.assertTrue(problem["title"] and problem["type"] and problem["status"], name)
        self.assertIsInstance(answer["error"]["code"], int)
        self.assertEqual(problem["code"], code, name)

    def test_wrong_state(self) -> None:
        """A coded error, and the session goes on."""
        for name, (opened, payload, code) in WRONG_STATE.items():
            with resume(self.node, self.person) if opened else connect(self.node) as client:
                self._refused(client, frame(payload), code, name)
                if opened:
                    self.assertTrue(client.call("device.list")["devices"], name)

    def test_two_at_once(self) -> None:
        """A second login while the first is under way is refused; the first is not."""
        with connect(self.node) as client:
            token = {"token": self.person.token}
            both = frame(request("session.resume", params=token, id=1))
            client.wire.send(both + frame(request("session.resume", params=token, id=2)))
            answers = {answer["id"]: answer for answer in (client.read(), client.read())}
            self.assertEqual(answers[2]["error"]["data"]["code"], "wrong_state")
            self.assertEqual(answers[1]["result"]["account"], self.person.account)

    def test_frames(self) -> None:
        """A close with the code that RFC 6455 has for it; and a reason, where it was the node's decision."""
        for opened in (True, False):
            for name, (octets, code) in FRAMES.items():
                with resume(self.node, self.person) if opened else connect(self.node) as client:
                    ended = self._ended(client, octets, name)
                    self.assertEqual(ended.code, code, f"{name}: {ended}")
                    if not name.startswith("a close with code"):
                        self.assertTrue(ended.reason, name)

    def test_in_pieces(self) -> None:
        """Octet by octet it is all the same."""
        for name in ("invalid UTF-8", "unmasked", "opcode 3", "a close of one octet", "binary"):
            octets, code = FRAMES[name]
            with resume(self.node, self.person) as client:
                ended = self._ended(client, (octets[at : at + 1] for at in range(len(octets))), name)
                self.assertEqual(ended.code, code, name)

    def _ended(self, client: RawClient, octets: bytes | Iterable[bytes], name: str) -> Ended:
        try:
            for piece in [octets] if isinstance(octets, bytes) else octets:
                client.wire.send(piece)
            while True:
                answer = client.read()
                self.assertNotIn("result", answer, name)
        except Ended as ended:
            return ended
        except ConnectionError:
            raise AssertionError(f"{name}: cut off without a word") from None

    def test_many(self) -> None:
        """Whoever sends nothing but malformed frames is closed before long."""
        with resume(self.node, self.person) as client:
            ended = self._ended(client, frame(b"{") * 50, "50 times")
            self.assertEqual((ended.code, ended.reason), (1008, "too many malformed frames"))

    def test_allowed(self) -> None:
        """What is unusual, and right: fragments, control frames between them, a text of exactly 64 KiB."""
        with resume(self.node, self.person) as client:
            whole = request(params={})
            pieces = [frame(whole[:1], TEXT, final=False)]
            pieces += [
                frame(whole[at : at + 1], CONTINUATION, final=False) + frame(b"", PONG)
                for at in range(1, len(whole))
            ]
            client.wire.send(b"".join([*pieces, frame(b"", CONTINUATION)]))
            self.assertIn("result", client.read())
            client.wire.send(frame(whole.ljust(FRAME)))
            self.assertIn("result", client.read())
            client.wire.send(frame(b"echo", PING))
            self.assertEqual(client.read_frame(), (PONG, b"echo"))
