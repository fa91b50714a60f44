"""An account that is closed with a PIN, and its contact."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.closing import SAME_SECONDS
from safeum_home.ids import AccountId
from tests.world import LAPTOP, PASSWORD, Client, Refused, World

PIN = "284716"
OTHER = "905814"
"""A PIN that nobody has set."""


class ClosingCase(SynchronousTestCase):
    """Alice has a PIN and is in contact with Bob; Bob and Carol are in contact too."""

    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob, self.carol = map(self.world.register, ("alice", "bob", "carol"))
        self.chat = self.world.befriend(self.alice, self.bob)
        self.other = self.world.befriend(self.bob, self.carol)
        self.alice.write(self.chat, "hello")
        self.bob.write(self.chat, "hello you")
        self.bob.write(self.other, "stays")
        self.alice.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.world.settle()
        for client in (self.alice, self.bob, self.carol):
            client.take()

    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    def login_refused(self, client: Client, password: str = PASSWORD) -> None:
        about = {"username": "alice", "password": password, "device": LAPTOP}
        number = client.ask("session.login", **about)
        self.world.settle(SAME_SECONDS)
        self.assertEqual(self.assertRaises(Refused, client.answer, number).code, "bad_credentials")

    def block(self) -> None:
        """Somebody else's phone, Alice's login, her PIN."""
        Client(self.world, "198.51.100.1").call("account.block", username="Alice", pin=PIN)

    def blind(self, client: Client) -> bytes:
        return self.world.vault.blinder.account(AccountId(client.account))

    def rows(self) -> dict[str, int]:
        tables = (
            "keys accounts aliases devices profiles contacts chats members events dedupe tombstones erasing"
        )
        return {table: self.world.database.count(table) for table in tables.split()}
