"""Real SDK clients with unique keys on nodes in memory, and a node between them that a test can bend."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.events import Heard
from safeum_home.client.secret import Secret
from safeum_home.client.secure.events import Refusal, RosterChanged
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import SecureWarning
from safeum_home.client.unlocked.secure_chats import SecureChats
from tests.sdk_world import SdkDevice
from tests.world import World

T = TypeVar("T")
Bend = Callable[[dict[str, Any]], Iterable[dict[str, Any]]]
"""What becomes of a frame of the node on its way to a device."""


def key_of(account: str, version: int = 0) -> UniqueKey:
    """Of no passphrase, which would take its time."""
    return UniqueKey(account, Secret.of((f"{version}{account}".encode() + b"k" * 32)[:32]))


class SecureDevice(SdkDevice):
    """A device whose owner has entered a unique key."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.heard: list[Heard] = []
        self.client.listen(self.heard.append)
        self.bend: Bend | None = None

    @property
    def account(self) -> str:
        assert self.client.opened is not None
        return self.client.opened.account

    @property
    def secure(self) -> SecureChats:
        assert self.client.secure is not None
        return self.client.secure

    def unlock(self, version: int = 0) -> "SecureDevice":
        self.do(self.client.unlock_with(key_of(self.account, version)))
        self.bent()
        return self

    def lock(self) -> None:
        self.do(self.client.lock())

    def bent(self) -> None:
        """Have the frames of this connection pass the test."""
        listener = self.wire._listener
        straight = listener.received

        def received(payload: bytes) -> None:
            frame = msgspec.json.decode(payload)
            for each in [frame] if self.bend is None else self.bend(frame):
                straight(msgspec.json.encode(each))

        self.wire._received = received  # type: ignore[method-assign]

    def warnings(self, kind: type[T]) -> list[T]:
        """What it was warned of."""
        about = [each.about for each in self.heard if isinstance(each, SecureWarning)]
        return [each for each in about if isinstance(each, kind)]

    @property
    def alarms(self) -> list[str]:
        """The kinds of all that it was warned of, but for what members have signed of who is in it."""
        about = [each.about for each in self.heard if isinstance(each, SecureWarning)]
        return [type(each).__name__ for each in about if not isinstance(each, RosterChanged)]

    @property
    def refused(self) -> list[Reason]:
        return [each.reason for each in self.warnings(Refusal)]

    def said(self, chat: str) -> list[str]:
        """What it shows of a secure chat."""
        return [item.text for item in self.secure.chats[chat].items.all]


class SecureSdkCase(SynchronousTestCase):
    """Ann, Ben and Cay are contacts of each other, with their keys entered."""

    def setUp(self) -> None:
        self.world = self.new_world()
        self.ann, self.ben, self.cay = (self.device().register(name) for name in ("ann", "ben", "cay"))
        for one, other in ((self.ann, self.ben), (self.ann, self.cay), (self.ben, self.cay)):
            one.befriend(other)
        self.everybody = [self.ann, self.ben, self.cay]
        for each in self.everybody:
            each.unlock()

    def new_world(self) -> World:
        return World()

    def tearDown(self) -> None:
        for each in self.everybody:
            each.client.close()

    def device(self) -> SecureDevice:
        return SecureDevice(self.world)

    def settle(self, seconds: float = 2.0) -> None:
        self.world.clock.pump([0.05] * int(seconds / 0.05))

    def start(self, *others: SecureDevice, group: bool = False) -> str:
        """A secure chat that Ann has begun, in which all are."""
        accounts = [each.account for each in others]
        conversation = self.ann.do(self.ann.secure.start(accounts, group=group))
        chat: str = conversation.id
        for each in others:
            each.do(each.secure.accept(chat))
            self.settle()
        return chat

    def chat(self, device: SecureDevice, chat: str) -> Conversation:
        return device.secure.chats[chat]

    def say(self, device: SecureDevice, chat: str, text: str) -> str:
        """The hash of what was said."""
        item = self.chat(device, chat).send(text)
        self.settle()
        assert item.hash is not None, item.fate
        return item.hash
