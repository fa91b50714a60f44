"""Nobody keeps other nodes out: neither who is of no node, nor a node whose bodies do not come."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from federation.signatures import new_nonce, sign_request
from tests.federated import Pair
from tests.federated_http import send
from tests.federation import fields

HELLO = "/_safeum/federation/v1/hello"
TRANSACTION = "/_safeum/federation/v1/transactions/" + "A" * 22 + "/1"


class KeptOutTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pair = Pair("a.example", "b.example", "evil.example")
        self.a, self.b, self.evil = (self.pair[name] for name in ("a.example", "b.example", "evil.example"))
        self.answers: list[Any] = []

    def heard(self) -> None:
        """The other node is heard all the same, at once."""
        self.pair.settle(0.1)
        self.b.say("x", 1)
        self.pair.settle(1)
        self.assertEqual(self.a.arrived(), [("b.example", "x", 1)])

    def test_by_a_stranger(self) -> None:
        """Requests in the name of a node that gives no keys are few at a time, for one address."""
        self.pair.mute.add("evil.example")
        for number in range(64):
            made = fields(
                "POST",
                HELLO,
                b"{}",
                origin="evil.example",
                created=int(self.pair.clock.seconds()),
                nonce="A" * 20 + f"{number:02}",
            )
            send(self.a.site, "POST", HELLO, b"{}", made).addCallback(self.answers.append)
        self.heard()
        self.assertEqual(len(self.answers), 64 - 16)

    def test_by_slow_bodies(self) -> None:
        """A node has few bodies on their way at a time."""
        key, body = self.evil.federation.own.in_use, bytes(1_000_000)
        for _ in range(64):
            made = sign_request(
                "PUT",
                TRANSACTION,
                body,
                origin="evil.example",
                destination="a.example",
                key_id=key.key_id,
                signer=key.signer,
                created=int(self.pair.clock.seconds()),
                nonce=new_nonce(),
            )
            sent = send(self.a.site, "PUT", TRANSACTION, body, made, whole=False)
            sent.addCallback(self.answers.append)
        self.heard()
        self.assertEqual(len(self.answers), 64 - 4)
