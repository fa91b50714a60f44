"""docs/federation-vectors.json read by others' code; tests.test_protocol_documents holds it to ours."""

import json
from base64 import b32encode, b64encode
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import canonicaljson
import msgspec
import signedjson.key
import signedjson.sign
from nacl.signing import SigningKey, VerifyKey
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import direct_chat_id
from safeum_home.protocol.federation.chats import SharedMessage
from safeum_home.protocol.types import Text

PAGE = Path(__file__).parent.parent / "docs" / "federation.md"
VECTORS = PAGE.with_name("federation-vectors.json")


def unpadded(octets: bytes) -> str:
    return b64encode(octets).rstrip(b"=").decode()


class VectorTests(SynchronousTestCase):
    """Each value follows from the parent key by what the document says."""

    def setUp(self) -> None:
        self.vectors: dict[str, Any] = json.loads(VECTORS.read_text())
        parent = bytes.fromhex(self.vectors["keys"]["parent"])
        self.keys = {
            f"ed25519:{number}": SigningKey(
                blake2b(
                    number.to_bytes(8, "big"),
                    digest_size=32,
                    key=parent,
                    person=b"safeum fed key".ljust(16, b"\0"),
                ).digest()
            )
            for number in (1, 2)
        }

    def public(self, key_id: str) -> bytes:
        return bytes(self.keys[key_id].verify_key)

    def verified(self, text: str) -> dict[str, Any]:
        """A signed object, canonical to canonicaljson and verified by signedjson."""
        value: dict[str, Any] = json.loads(text)
        self.assertEqual(canonicaljson.encode_canonical_json(value).decode(), text)
        key = signedjson.key.decode_verify_key_bytes("ed25519:2", self.public("ed25519:2"))
        signedjson.sign.verify_signed_json(value, "b.example", key)
        return value

    def test_keys(self) -> None:
        """Keys are derived by number."""
        for key_id, public in self.vectors["keys"]["public"].items():
            self.assertEqual(self.public(key_id).hex(), public)

    def test_document(self) -> None:
        """The document publishes both keys, and is signed with the one in force."""
        document = self.verified(self.vectors["document"])
        self.assertEqual(document["verify_keys"], {"ed25519:2": {"key": unpadded(self.public("ed25519:2"))}})
        self.assertEqual(document["old_verify_keys"]["ed25519:1"]["key"], unpadded(self.public("ed25519:1")))

    def test_chat(self) -> None:
        """The id of a direct chat is the hash of its two accounts that the protocol's page tells of."""
        chat = self.vectors["chat"]
        low, high = sorted(chat["accounts"])
        self.assertNotEqual([low, high], chat["accounts"])
        self.assertEqual(f"{low}\n{high}", chat["hashed"])
        personal = chat["personal"].encode().ljust(16, b"\0")
        digest = blake2b(chat["hashed"].encode(), digest_size=16, person=personal).digest()
        self.assertEqual("!" + b32encode(digest).decode().rstrip("=").lower(), chat["id"])
        self.assertEqual(json.loads(self.vectors["event"]["octets"])["chat"], chat["id"])

    def test_event(self) -> None:
        """The event is signed for its sender, without its signatures."""
        event = self.verified(self.vectors["event"]["octets"])
        signatures = event.pop("signatures")
        signed = canonicaljson.encode_canonical_json(event)
        self.assertEqual(signed.decode(), self.vectors["event"]["signed"])
        signature = unpadded(self.keys["ed25519:2"].sign(signed).signature)
        self.assertEqual(signature, self.vectors["event"]["signature"])
        self.assertEqual(signatures, {"b.example": {"ed25519:2": signature}})
        self.assertTrue(event["sender"].endswith(":b.example"))
        self.assertEqual(event["chat"], direct_chat_id(event["sender"], "@" + "b" * 26 + ":a.example"))  # type: ignore[arg-type]
        msgspec.convert(
            event["content"], SharedMessage
        )  # one that a node takes, as docs/federation.md shows it

    def test_the_page_shows_one_that_is_taken(self) -> None:
        """The event that docs/federation.md shows has the members of one, and a content of its type."""
        [_, events] = PAGE.read_text().split("\n## Events\n")
        event: dict[str, Any] = json.loads(events.split("```json\n")[1].split("```")[0])
        self.assertEqual(set(event), set(json.loads(self.vectors["event"]["octets"])))
        self.assertEqual(event["type"], "chat.message")
        message = msgspec.convert(event["content"], SharedMessage)
        msgspec.convert(message.body, Text)

    def test_request(self) -> None:
        """The signature base, line by line as RFC 9421 (section 2.5) has it, and what signs it."""
        request = self.vectors["request"]
        fields = request["fields"]
        digest = b64encode(sha256(request["body"].encode()).digest()).decode()
        self.assertEqual(fields["Content-Digest"], f"sha-256=:{digest}:")
        parameters = fields["Signature-Input"].removeprefix("safeum=")
        base = "\n".join(
            (
                f'"@method": {request["method"]}',
                f'"@request-target": {request["target"]}',
                f'"content-digest": {fields["Content-Digest"]}',
                f'"safeum-origin": {fields["Safeum-Origin"]}',
                f'"safeum-destination": {fields["Safeum-Destination"]}',
                f'"@signature-params": {parameters}',
            )
        )
        self.assertEqual(base, request["base"])
        signature = self.keys["ed25519:2"].sign(base.encode()).signature
        self.assertEqual(fields["Signature"], f"safeum=:{b64encode(signature).decode()}:")
        VerifyKey(self.public("ed25519:2")).verify(base.encode(), signature)
