"""After a secure chat is closed the memory of its process holds none of its keys: looked for in all of it."""

import json
import subprocess
import sys
from hashlib import blake2b
from typing import Any

import nacl._sodium
from nacl import bindings
from nacl.pwhash import argon2id

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure.events import Told
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.unique_key import MEMORY, PASSES, salt_of
from tests.secure_case import CHAT, SecureCase, account
from tests.test_sealing_memory import count

WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"

_CHILD = """
import json, sys
from twisted.internet.task import Clock
from safeum_home.client.secure import vault
from safeum_home.client.secure.chat import SecureChat
from safeum_home.client.secure.events import Told
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.people import People
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault_content import Content, pinned

def read():
    return json.loads(sys.stdin.readline())

def write(value):
    print(json.dumps(value), flush=True)

def main():
    begun = read()
    clock = Clock()
    clock.advance(begun["now"])
    key = UniqueKey.of(begun["account"], begun.pop("words"))
    people = People()
    people.told(begun["peer"], PublicKeys.read(begun["sign"], begun["box"]), 0)
    identity = key.identity(1)
    chat = SecureChat(begun["chat"], key, people, clock, begun["peer"])
    posts = chat.say(Text("Hello"), "r").posts
    write({"sign": identity.sign, "box": identity.box, "posts": [[each.data, each.quiet] for each in posts]})
    heard = [chat.take(Told(begun["peer"], str(at), *each)).events for at, each in enumerate(read())]
    blob = vault.seal(Content("A" * 43, pinned(people), chats={begun["chat"]: chat.memory()}), 1, key)
    write([[type(each).__name__ for each in events] for events in heard])
    read()
    chat.close()
    key.wipe()
    if begun["plant"]:
        kept.append(bytearray(begun["plant"], "ascii"))

kept = []
main()
write(None)
read()
"""

_FILES = """
import json, sys
from safeum_home.client.secure.files import FileOpener, FileSealer

def main():
    sealer, size = FileSealer(100_000), 100_000
    pieces = [sealer.add(bytes(size))]
    print(json.dumps({"key": sealer.key.hex(), "header": pieces[0][:24].hex()}), flush=True)
    sys.stdin.readline()
    pieces += sealer.end()
    opener = FileOpener(sealer.key, size, sealer.hash)
    assert b"".join([*map(opener.add, pieces), opener.end()]) == bytes(size)
    given_up = FileOpener(sealer.key, size, sealer.hash)
    given_up.add(pieces[0])
    given_up.wipe()

main()
print("null", flush=True)
sys.stdin.readline()
"""


class ChildCase(SecureCase):
    """A child process, which this one looks into."""

    program = _CHILD

    def setUp(self) -> None:
        super().setUp()
        child = [sys.executable, "-c", self.program]
        self.child = subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self._end)

    def _end(self) -> None:
        self.child.kill()
        self.child.communicate()

    def _ask(self, value: Any) -> Any:
        assert self.child.stdin is not None and self.child.stdout is not None
        self.child.stdin.write(json.dumps(value).encode() + b"\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def _held(self, needles: dict[str, bytes]) -> dict[str, int]:
        return {name: count(self.child.pid, needle) for name, needle in needles.items()}


class MemoryTests(ChildCase):
    """Keys of chats."""

    def test_closed(self) -> None:
        """All private keys are there while it is open, and none is after it was closed."""
        salt, alice = salt_of(account(0)), account(0)
        master = argon2id.kdf(32, WORDS.encode(), salt, PASSES, MEMORY)
        needles = {
            name: blake2b(name.encode(), digest_size=32, key=master, person=b"safeum unique v1").digest()
            for name in ("sign", "box", "vault")
        }
        bob = self.add(1, peer=0)
        sign, box = bob.key.public.texts()
        begun = {"account": alice, "words": WORDS, "chat": CHAT, "now": self.clock.seconds()}
        said = self._ask({**begun, "peer": bob.account, "sign": sign, "box": box, "plant": ""})
        keys = PublicKeys.read(said["sign"], said["box"])
        assert keys is not None
        bob.done(bob.chat.keys_told(alice, keys))
        for data, quiet in said["posts"]:
            bob.done(bob.chat.take(Told(alice, data[:9], data, quiet)))
        self.assertEqual(bob.texts, ["Hello"])
        self.clock.advance(24 * 60 * 60)
        posts = bob.done(bob.chat.say(Text("Hi"), "r"))
        heard = self._ask([[each.data, each.quiet] for each in posts])
        self.assertEqual(heard, [[], ["Received"]])
        for name, data in (("own", said["posts"][0][0]), ("other", posts[0].data)):
            known = bob.chat._room.epochs.get(envelopes.read(data).hash)
            assert known is not None
            key = bob.chat._room.epochs.key(known)._key
            needles[name] = _octets(key)
            sender = alice if name == "own" else bob.account
            hash = keys.hash if name == "own" else bob.key.hash
            who = sender.encode() + b"\0" + hash
            needles[f"sender of {name}"] = blake2b(
                who, digest_size=32, key=needles[name], person=b"safeum sender v1"
            ).digest()
        held = self._held(needles)
        self.assertEqual({name for name, found in held.items() if not found}, set())
        self._ask(None)
        after = self._held({**needles, "master": master, "words": WORDS.encode()})
        print(f"\n    the words themselves, after closing: {after.pop('words')} times", end=" ")
        self.assertEqual(set(after.values()), {0}, after)

    def test_planted(self) -> None:
        """The search finds what was left behind."""
        bob = self.add(1, peer=0)
        sign, box = bob.key.public.texts()
        begun = {"account": account(0), "words": WORDS, "chat": CHAT, "now": self.clock.seconds()}
        plant = "left behind: " + "x" * 19
        self._ask({**begun, "peer": bob.account, "sign": sign, "box": box, "plant": plant})
        self._ask([])
        self._ask(None)
        self.assertGreater(self._held({"plant": plant.encode()})["plant"], 0)


class FileMemoryTests(ChildCase):
    """Keys of files."""

    program = _FILES

    def test_wiped(self) -> None:
        """What libsodium derives of a file's key is wiped; the key itself is in payloads, and may stay."""
        assert self.child.stdout is not None
        said = json.loads(self.child.stdout.readline())
        key, header = bytes.fromhex(said["key"]), bytes.fromhex(said["header"])
        state = bindings.crypto_secretstream_xchacha20poly1305_state()
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
        derived = bytes(nacl._sodium.ffi.buffer(state.statebuf, 32))
        self.assertGreater(self._held({"derived": derived})["derived"], 0)
        self._ask(None)
        after = self._held({"derived": derived, "key": key})
        print(f"\n    the key itself, afterwards: {after['key']} times", end=" ")
        self.assertEqual(after["derived"], 0)


def _octets(secret: Any) -> bytes:
    """What a `Secret` holds."""
    return bytes(nacl._sodium.ffi.buffer(secret._home, secret._size))
