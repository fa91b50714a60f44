"""A node that signs properly, with its own keys, and tells a.example what it likes: evil.example."""

from collections.abc import Mapping
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from federation.signatures import new_nonce, sign_request
from safeum_home.outgoing.http import Answer
from safeum_home.protocol.federation.signed import base64
from safeum_home.protocol.federation.transactions import Received, body_of
from tests.federated import Pair
from tests.federated_http import send
from tests.federation import NOW

A, B, EVIL = "a.example", "b.example", "evil.example"
STREAM = "E" * 21 + "A"


class HostileCase(SynchronousTestCase):
    """A node, one that is well, and the hostile one."""

    options: Mapping[str, Any] = {}

    def setUp(self) -> None:
        self.pair = Pair(A, B, EVIL, **self.options)
        self.a, self.b, self.evil = (self.pair[name] for name in (A, B, EVIL))
        self.evil.federation.sender.stop()
        self.number = 0

    # --- what it says

    def plain(self, **other: Any) -> dict[str, Any]:
        """An event of its own, with other members than it should have."""
        about = {
            "at": NOW * 1000,
            "content": {"value": 1},
            "id": "1",
            "node": EVIL,
            "sender": f"@{'e' * 26}:{EVIL}",
            "type": "test.saying",
        }
        return {**about, **other}

    def signed(self, unsigned: bytes, by: str = EVIL, name: str | None = None) -> bytes:
        """Octets of an event with a good signature by the keys of a node over exactly these octets."""
        key = self.pair[by].federation.own.in_use
        signature = base64(key.signer.sign(unsigned))
        added = b'"signatures":{"%b":{"%b":"%b"}},"type"' % tuple(
            each.encode() for each in (name or by, key.key_id, signature)
        )
        return unsigned.replace(b'"type"', added)

    def event(self, by: str = EVIL, **other: Any) -> bytes:
        return self.signed(msgspec.json.encode(self.plain(**other), order="sorted"), by)

    def with_value(self, text: str) -> bytes:
        """An event whose value is written so."""
        unsigned = msgspec.json.encode(self.plain(content={"value": 12345}), order="sorted")
        return self.signed(unsigned.replace(b"12345", text.encode()))

    # --- how it says it

    def fields(self, method: str, path: str, body: bytes, **other: Any) -> dict[str, str]:
        key = self.evil.federation.own.in_use
        about = {
            "origin": EVIL,
            "destination": A,
            "created": int(self.pair.clock.seconds()),
            "key_id": key.key_id,
            "signer": key.signer,
            "nonce": new_nonce(),
        }
        return sign_request(method, path, body, **{**about, **other})

    def request(self, method: str, path: str, body: bytes, fields: Mapping[str, str] | None = None) -> Answer:
        signed = self.fields(method, path, body) if fields is None else fields
        answered = send(self.a.site, method, path, body, signed)
        self.pair.settle()
        return self.successResultOf(answered)

    def tell(self, *events: bytes) -> list[str]:
        """A transaction with these events; what became of each: empty where it was taken."""
        self.number += 1
        path = f"/_safeum/federation/v1/transactions/{STREAM}/{self.number}"
        answer = self.request("PUT", path, body_of(events))
        self.assertEqual(answer.status, 200, answer.body)
        refused = {each.index: each.code for each in msgspec.json.decode(answer.body, type=Received).refused}
        return [refused.get(index, "") for index in range(len(events))]

    def code(self, answer: Answer) -> tuple[int, str]:
        return answer.status, msgspec.json.decode(answer.body).get("code", "")

    def still_well(self) -> None:
        """The other node is heard, and told, all the same."""
        before = len(self.a.arrived()), len(self.b.arrived())
        self.b.say("well", 1, A)
        self.a.say("well", 1, B)
        self.pair.settle()
        self.assertEqual((len(self.a.arrived()), len(self.b.arrived())), (before[0] + 1, before[1] + 1))
