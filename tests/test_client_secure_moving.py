"""Another passphrase with a vault of many chats: a few epochs at a time are sealed to the new keys."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from msgspec import structs
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secret import Secret
from safeum_home.client.secure import moving
from safeum_home.client.secure.chat_memory import ChatMemory, EpochMemory
from safeum_home.client.secure.epoch import EpochKey, open_key
from safeum_home.client.secure.moving import PIECE, Boxes
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests.secure_case import unique_key
from tests.secure_sdk_case import SecureSdkCase, key_of
from tests.test_secure_vault_room import chat

CHATS = 3 * PIECE


def epoch(number: int, own: UniqueKey) -> EpochMemory:
    """One that is sealed to these keys."""
    key = EpochKey(Secret.of(number.to_bytes(32, "big")))
    id, commitment, sealed = map(
        encode_octets, (bytes([number % 256]) * 32, key.commitment(), key.box(own.public.box))
    )
    return EpochMemory(id, commitment, sealed, number)


class Counted:
    """How many boxes are made in each turn."""

    def __init__(self) -> None:
        self.turns = [0]
        self._box = Secret.box

    def instead(self) -> Callable[[Secret, bytes], bytes]:
        """Of `Secret.box`."""

        def box(secret: Secret, public: bytes) -> bytes:
            self.turns[-1] += 1
            return self._box(secret, public)

        return box

    def pause(self) -> "Deferred[None]":
        self.turns.append(0)
        return succeed(None)


class BoxTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.own, self.new = unique_key(0), unique_key(0, 1)
        self.memories = [ChatMemory(epochs=[epoch(number, self.own)]) for number in range(CHATS)]
        self.counted = Counted()
        self.patch(Secret, "box", self.counted.instead())

    def prepared(self, boxes: Boxes) -> None:
        preparing = Deferred.fromCoroutine(boxes.prepare(self.memories, self.counted.pause))
        self.successResultOf(preparing)

    def test_pieces(self) -> None:
        """Others have their turn in between, and what is made is not made again."""
        boxes = Boxes(self.own, self.new)
        self.prepared(boxes)
        self.assertEqual(self.counted.turns, [PIECE] * 3 + [0])
        made = [boxes.sealed(each) for each in self.memories]
        self.prepared(boxes)
        self.assertEqual(sum(self.counted.turns), CHATS)
        [after], [before] = made[5].epochs, self.memories[5].epochs
        self.assertEqual((after.id, after.at), (before.id, before.at))
        sealed, commitment = decode_octets(after.sealed, 80), decode_octets(after.commitment, 32)
        assert sealed is not None and commitment is not None
        open_key(sealed, commitment, self.new).wipe()

    def test_not_theirs(self) -> None:
        """What does not open is left out."""
        boxes = Boxes(unique_key(3), self.new)
        self.assertEqual(boxes.sealed(self.memories[0]).epochs, [])

    def test_wiped_meanwhile(self) -> None:
        """Keys that are needed no more."""
        own = UniqueKey(self.own.account, Secret.of(b"k" * 32))
        own.wipe()
        self.prepared(Boxes(own, self.new))
        self.assertEqual(self.counted.turns, [0])


class ChangeTests(SecureSdkCase):
    def test_turns(self) -> None:
        """Of a vault of many chats, and of many that are open."""
        chats = [self.start(self.ben) for _ in range(3)]
        for each in chats:
            self.say(self.ann, each, "before")
        vault = self.ben.secure._vault
        kept = {chat(each): ChatMemory(epochs=[epoch(each, self.ben.secure.own)]) for each in range(CHATS)}
        vault._kept = structs.replace(vault._kept, chats=kept)
        counted, later = Counted(), self.world.clock.callLater

        def call_later(delay: float, call: Any, *args: Any, **named: Any) -> Any:
            def run() -> None:
                counted.turns.append(0)
                call(*args, **named)

            return later(delay, run)

        new = key_of(self.ben.account, 1)
        with (
            patch.object(Secret, "box", counted.instead()),
            patch.object(self.world.clock, "callLater", call_later),
        ):
            self.ben.do(self.ben.secure.change_key(new))
            self.settle(5)
        self.assertEqual(self.ben.secure.untold, ())
        self.assertGreaterEqual(sum(counted.turns), CHATS)
        self.assertLessEqual(max(counted.turns), moving.PIECE)
        for each in chats:
            self.say(self.ben, each, "after")
            self.assertEqual(self.ann.said(each), ["before", "after"])
