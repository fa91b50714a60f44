"""The node's signatures: the published vectors, checked with other implementations, and the signer."""

import json
from base64 import urlsafe_b64decode
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from sqlalchemy import Connection, Update, update
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.sealed import seal_message
from safeum_home.errors import Erased
from safeum_home.ids import AccountId, ChatId, direct_chat_id, support_account, system_account
from safeum_home.protocol import frames
from safeum_home.protocol.signing import (
    TAG,
    decode_octets,
    encode_octets,
    fingerprint,
    is_authentic,
    signed_octets,
    speaks_for_node,
)
from safeum_home.protocol.types import Message, Text
from safeum_home.sealing.signing import Ed25519Signer
from safeum_home.storage.schema import events
from tests.support_case import SupportCase
from tests.values import values
from tests.world_parts import arena

VECTORS = Path(__file__).parent.parent / "docs" / "protocol" / "node-signatures.json"


def canonical(value: Any) -> bytes:
    """RFC 8785, for texts and integers, as Python's own encoder writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _execute(c: Connection, statement: Update) -> None:
    c.execute(statement)


class VectorTests(SynchronousTestCase):
    """docs/protocol/node-signatures.json."""

    def setUp(self) -> None:
        self.document = json.loads(VECTORS.read_text())
        self.vectors = self.document["vectors"]

    def _unpadded(self, text: str) -> bytes:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def test_by_hand(self) -> None:
        """As the page says it, with OpenSSL and the standard library: what is signed, and by whom."""
        key = Ed25519PublicKey.from_public_bytes(self._unpadded(self.document["public_key"]))
        valid = [vector for vector in self.vectors if vector["valid"]]
        self.assertGreaterEqual(len(valid), 2)
        for vector in valid:
            members = {**vector["message"], "node": self.document["node"]}
            signature = self._unpadded(members.pop("signature"))
            octets = b"safeum node message v1\0" + canonical(members)
            self.assertEqual(octets.hex(), vector["signed"])
            key.verify(signature, octets)
            self.assertRaises(InvalidSignature, key.verify, signature, octets + b" ")

    def test_each(self) -> None:
        """The client's own check takes those that are valid, and no other."""
        self.assertTrue(any(not vector["valid"] for vector in self.vectors))
        for vector in self.vectors:
            message = msgspec.convert(vector["message"], Message)
            found = is_authentic(message, self.document["node"], self.document["public_key"])
            self.assertEqual(found, vector["valid"], vector["about"])
            self.assertTrue(speaks_for_node(message, AccountId(self.document["account"])), vector["about"])

    def test_names(self) -> None:
        """The accounts, the chats and the fingerprint in it are those of the code."""
        node, account = self.document["node"], AccountId(self.document["account"])
        contacts = (system_account(node), support_account(node))
        self.assertEqual(contacts, (self.document["system"], self.document["support"]))
        for vector, contact in zip(self.vectors, contacts, strict=False):
            self.assertEqual(vector["message"]["chat"], direct_chat_id(account, contact))
        digits = sha256(self._unpadded(self.document["public_key"])).hexdigest()[:40]
        self.assertEqual(self.document["fingerprint"].replace(" ", ""), digits)
        self.assertEqual(
            fingerprint(self._unpadded(self.document["public_key"])), self.document["fingerprint"]
        )

    def test_the_seed(self) -> None:
        """The node's signer makes these very signatures of this seed."""
        slot = arena().slot()
        slot.view()[:] = bytes.fromhex(self.document["seed"])
        signer = Ed25519Signer(slot)
        self.assertEqual(encode_octets(signer.public_key), self.document["public_key"])
        for vector in self.vectors:
            if vector["valid"]:
                signature = signer.sign(bytes.fromhex(vector["signed"]))
                self.assertEqual(encode_octets(signature), vector["message"]["signature"])


class SignerTests(SynchronousTestCase):
    """The key in locked memory."""

    def test_as_another_implementation(self) -> None:
        """OpenSSL makes the same key and signatures of the same seed."""
        for length in (0, 1, 63, 64, 65, 10_000):
            slot = arena().slot().fill_random()
            other = Ed25519PrivateKey.from_private_bytes(bytes(slot.view()))
            signer = Ed25519Signer(slot)
            octets = bytes(slot.view())[:1] * length
            self.assertEqual(signer.sign(octets), other.sign(octets))
            self.assertEqual(signer.public_key, other.public_key().public_bytes_raw())

    def test_wiped(self) -> None:
        """Nothing is signed with a key that is gone; wiping twice is harmless, and leaves the seed."""
        slot = arena().slot().fill_random()
        signer = Ed25519Signer(slot)
        signer.wipe()
        signer.wipe()
        self.assertRaises(Erased, signer.sign, b"x")
        self.assertIsNotNone(slot.pointer)


class EncodingTests(SynchronousTestCase):
    """What is signed is one thing only."""

    @given(values(Message))
    def test_any_message(self, message: Message) -> None:
        """What is signed is the message as a reader of its JSON has it, whatever is in it."""
        members = json.loads(frames.encode_params(message))
        for others in ("signature", "reactions", "mine"):
            members.pop(others, None)
        self.assertEqual(signed_octets("n", message), TAG + canonical({**members, "node": "n"}))

    def test_octets_have_one_text(self) -> None:
        """A text that stands for the same octets in another way is refused, and so is any other."""
        octets = bytes(range(64))
        text = encode_octets(octets)
        self.assertEqual(decode_octets(text, 64), octets)
        for wrong in (text + "=", text[:-1], text + "A", text[:-1] + "x", "", "é" * 86, text[:-1] + "\n"):
            self.assertIsNone(decode_octets(wrong, 64), wrong)
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
            if last != text[-1]:
                self.assertNotEqual(decode_octets(text[:-1] + last, 64), octets)


class NodeTests(SupportCase):
    """What the node writes, and only that, is signed."""

    def test_ordinary_messages_are_as_they_were(self) -> None:
        """No octet is added to what people write to each other."""
        bob = self.world.register("bob")
        chat = self.world.befriend(self.alice, bob)
        sent = self.alice.write(chat, "hi")
        [message] = bob.messages()
        self.assertEqual(list(message), ["id", "chat", "sender", "at", "body"])
        plain = Message(sent["id"], chat, self.alice.account, sent["at"], Text("hi"))
        expected = (
            f'{{"id":"{sent["id"]}","chat":"{chat}","sender":"{self.alice.account}",'
            f'"at":{sent["at"]},"body":{{"kind":"text","text":"hi"}}}}'
        )
        self.assertEqual(frames.encode_params(plain).decode(), expected)

    def test_alerts_and_answers(self) -> None:
        """Live, in the history and in the list of chats: the same message, which verifies."""
        phone = self.world.login("alice")
        [alert] = [event["params"] for event in self.alice.take("chat.message")]
        self.alice.write(self.chat, "help")
        self.staff("reply", account="alice", text="done")
        [answer] = [m for m in self.alice.messages() if m["sender"] != self.alice.account]
        listed = [chat["last"] for chat in phone.call("chat.list")["chats"]]
        for message in (alert, answer):
            self.assertTrue(self.authentic(message))
            self.assertIn(message, phone.call("chat.history", chat=message["chat"])["messages"])
            self.assertIn(message, listed)
        own = phone.call("chat.history", chat=self.chat)["messages"][0]
        self.assertNotIn("signature", own)

    def test_each_octet_counts(self) -> None:
        """Whatever is changed in an answer on its way, it does not verify any more."""
        self.alice.write(self.chat, "help")
        self.staff("reply", account="alice", text="done")
        [answer] = [m for m in self.alice.messages() if m["sender"] != self.alice.account]
        encoded = msgspec.json.encode(answer)
        changed = 0
        for place in range(len(encoded)):
            try:
                message = msgspec.json.decode(
                    encoded[:place] + bytes([encoded[place] ^ 1]) + encoded[place + 1 :]
                )
                self.assertFalse(self.authentic(message), encoded[place:])
                changed += 1
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
        self.assertGreater(changed, 150)

    def test_what_is_changed_at_rest(self) -> None:
        """Not even whoever has the chat's own key can put other words, or none of a signature, in a row."""
        self.alice.write(self.chat, "help")
        self.staff("reply", account="alice", text="done")
        [answer] = [m for m in self.alice.messages() if m["sender"] != self.alice.account]
        chat = self.successResultOf(self.world.domain.registry.load(ChatId(self.chat)))
        assert chat is not None
        position = self.world.vault.cursors.decode(answer["id"])
        signature = answer["signature"]
        turned = ("B" if signature[0] == "A" else "A") + signature[1:]
        for changed in (
            {**answer, "body": {"kind": "text", "text": "dona"}},
            {**answer, "signature": turned},
            {name: value for name, value in answer.items() if name != "signature"},
        ):
            sealed = seal_message(chat, position, msgspec.json.encode(changed))
            row = update(events).where(events.c.position == position).values(sealed=sealed)
            self.successResultOf(self.world.database.transact(partial(_execute, statement=row)))
            found = self.alice.call("chat.history", chat=self.chat)["messages"][-1]
            self.assertEqual(found, changed)
            self.assertFalse(self.authentic(found))
        self.assertTrue(self.authentic(answer))

    def test_the_key_is_the_roots(self) -> None:
        """The same root secret is the same key: what was signed before a restart verifies after it."""
        signer = self.world.vault.signer
        again = Ed25519Signer(self.world.vault.signing_seed)
        self.assertEqual(again.public_key, signer.public_key)
        self.world.vault.wipe()
        self.assertRaises(Erased, signer.sign, b"x")
