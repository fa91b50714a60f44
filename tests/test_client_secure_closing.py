"""What is under way when secure chats are locked: it ends, with its keys, and whoever waits is told."""

import os
from io import BytesIO
from itertools import count
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from safeum_home.client.errors import ClientError
from safeum_home.errors import Code
from safeum_home.protocol.events import KeysChanged
from tests.secure_file_case import NodeWeb, SecureFileCase
from tests.secure_sdk_case import Bend, SecureSdkCase, key_of


class Held(NodeWeb):
    """Answers nothing."""

    def ask(self, *args: Any, **named: Any) -> "Deferred[Any]":
        return Deferred()


class FileTests(SecureFileCase):
    def test_given_up(self) -> None:
        """A file is not encrypted or decrypted any further, in either direction."""
        chat = self.start(self.ben)
        self.use(self.ann)
        self.ann.do(self.files(self.ann, chat).send(BytesIO(os.urandom(300_000)), name="a.bin"))
        self.settle()
        web = Held(self.world)
        for device in (self.ann, self.ben):
            device.client._web = lambda: web  # type: ignore[method-assign,assignment,return-value]
        target = self.folder / "taken"
        waiting: list[Any] = [
            self.files(self.ann, chat).send(BytesIO(os.urandom(300_000)), name="b.bin"),
            self.files(self.ben, chat).save(self.last(self.ben, chat), target),
        ]
        self.settle(1)
        self.assertEqual([each.called for each in waiting], [False, False])
        conversations = [self.chat(each, chat) for each in (self.ann, self.ben)]
        for device in (self.ann, self.ben):
            device.lock()
        for each in waiting:
            self.failureResultOf(each, CancelledError)
        self.assertEqual([each.files._running for each in conversations], [set(), set()])
        self.assertFalse(target.exists())


class LockTests(SecureSdkCase):
    def test_while_unlocking(self) -> None:
        """At whatever point: it is refused, all keys are wiped, and no chat stays open."""
        self.start(self.ben)
        self.ann.lock()
        self.ann.bent()
        for frames in count(1):
            key, results = key_of(self.ann.account), list[Any]()
            self.ann.bend = self.locks_after(frames, results)
            self.ann.client.unlock_with(key).addBoth(results.append)
            secure = self.ann.secure
            self.settle(10)
            [result] = results
            if result is secure:
                break
            self.assertTrue(result.value.of(Code.WRONG_STATE), result)
            self.assertEqual((key.wiped, secure.chats, self.ann.client.secure), (True, {}, None))
        self.assertGreater(frames, 4)

    def locks_after(self, frames: int, results: list[Any]) -> Bend:
        """Locks with one of the frames of the node, unless it is unlocked by then."""
        left = iter(range(frames - 1))

        def bend(frame: dict[str, Any]) -> list[dict[str, Any]]:
            if next(left, None) is None and not results:
                self.ann.client.lock()
            return [frame]

        return bend

    def test_roster_under_way(self) -> None:
        """Whoever waits until it is in force is told that this will not be heard here."""
        chat = self.start(self.ben, group=True)
        conversation = self.chat(self.ann, chat)
        self.ann.drop()
        signing = conversation.admit([self.ben.account]), conversation.dismiss([self.ben.account])
        waiting = [Deferred.fromCoroutine(each) for each in signing]
        self.settle(1)
        self.assertEqual([each.called for each in waiting], [False, False])
        self.ann.client.lock()
        for each in waiting:
            self.failureResultOf(each, ClientError)

    def test_keys_of_strangers(self) -> None:
        """A node that tells of keys of whoever it likes has nothing asked, or kept, of them."""
        self.start(self.ben)
        asked: list[str] = []
        self.ann.secure._directory.need = asked.extend  # type: ignore[method-assign,assignment]
        stranger = "@" + "a" * 26 + self.ben.account[27:]
        for account in (stranger, self.ben.account):
            self.ann.secure.take(KeysChanged("!1", account, "A" * 43, "A" * 43, 1))
        self.settle(5)
        self.assertEqual(asked, [self.ben.account])
