"""Whatever a node makes of what passes in secure chats: nothing breaks, or is shown but what was said."""

from random import Random
from string import ascii_letters, digits

from msgspec import structs

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.events import Heard, Link, LinkChanged
from safeum_home.client.secure.payloads import Unknown
from safeum_home.client.secure.refused import Refused
from safeum_home.protocol.events import KeysChanged, MemberChanged, VaultChanged
from safeum_home.protocol.group_types import GroupMember
from safeum_home.protocol.signing import decode_octets, encode_octets
from safeum_home.protocol.types import Message, Secure, Text
from tests.secure_case import account
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of

STEPS = 400
STATES = ("member", "invited", "left", "removed")


class FuzzTests(SecureSdkCase):
    def setUp(self) -> None:
        super().setUp()
        self.chats = [self.start(self.ben), self.start(self.ben, self.cay, group=True)]
        self.said = {
            (chat, device.account, text)
            for chat in self.chats
            for device in self.everybody
            for text in ("edited", "mine")
        }
        for number in range(4):
            for chat in self.chats:
                for device in (self.ann, self.ben):
                    self.talk(device, chat, f"{number} of {device.account}")
        self.ann.do(self.ann.secure.change_key(key_of(self.ann.account, 1)))
        self.settle(5)
        told = [each for device in self.everybody for each in device.heard if isinstance(each, Message)]
        self.told = [each for each in told if isinstance(each.body, Secure)]
        self.accounts = [*(device.account for device in self.everybody), account(9)]

    def talk(self, device: SecureDevice, chat: str, text: str) -> None:
        self.said.add((chat, device.account, text))
        hash = self.say(device, chat, text)
        self.chat(device, chat).react(hash, "👍")
        if text.startswith("1"):
            self.chat(device, chat).edit(hash, "edited")
        if text.startswith("2"):
            self.chat(device, chat).delete(hash)

    def test_anything(self) -> None:
        for seed, device in enumerate(self.everybody):
            random = Random(seed)
            for _ in range(STEPS):
                self.step(random, device)
            self.settle(100)
            for conversation in device.secure.chats.values():
                items = [item for item in conversation.items.all if item.hash is not None]
                self.assertEqual(len(items), len({item.hash for item in items}), seed)
                read = [item for item in items if not isinstance(item.payload, Unknown)]
                shown = {(conversation.id, item.sender, item.text) for item in read}
                self.assertEqual(shown - self.said, set(), seed)

    def step(self, random: Random, device: SecureDevice) -> None:
        what = random.random()
        if what < 0.9:
            device.secure.take(self.event(random, what / 0.9))
        elif what < 0.95:
            self.settle(random.choice([0.05, 1, 70]))
        else:
            for conversation in list(device.secure.chats.values()):
                try:
                    conversation.send("mine")
                except (Refused, RemoteProblem):
                    continue

    def event(self, random: Random, what: float) -> Heard:
        if what < 0.8:
            return self.message(random)
        someone, chat = random.choice(self.accounts), random.choice([*self.chats, "!" + "q" * 26])
        if what < 0.9:
            state = random.choice(STATES)
            return MemberChanged("A" * 22, chat, GroupMember(someone, "", "", "member", state), 3)  # type: ignore[arg-type]
        if what < 0.94:
            return KeysChanged("!1", someone, "A" * 43, "A" * 43, random.randrange(9))
        if what < 0.97:
            return VaultChanged(random.randrange(1, 10))
        return LinkChanged(Link.ONLINE, reset=random.random() < 0.5)

    def message(self, random: Random) -> Message:
        """One that has passed, with something of it that is another."""
        message, other = random.choice(self.told), random.choice(self.told)
        body, kind = message.body, random.randrange(8)
        assert isinstance(body, Secure)
        if kind == 0:
            octets = bytearray(decode_octets(body.data, len(body.data) * 3 // 4) or b"")
            octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
            return structs.replace(message, body=structs.replace(body, data=encode_octets(bytes(octets))))
        id = "".join(random.choices(ascii_letters + digits, k=22))
        return [
            message,
            structs.replace(message, body=structs.replace(body, quiet=not body.quiet)),
            structs.replace(message, body=other.body),
            structs.replace(message, body=Text("in clear")),
            structs.replace(message, id=id, sender=random.choice(self.accounts)),
            structs.replace(message, id=id, chat=random.choice(self.chats)),
            structs.replace(message, id=id, origin=other.id),
        ][kind - 1]
