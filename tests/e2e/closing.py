"""A real node on which accounts are closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.sealing.memory import Arena, Level, Slot
from safeum_home.sealing.root import parse
from safeum_home.sealing.vault import Vault, open_vault
from tests.e2e.node_process import NodeProcess
from tests.e2e.wire import RawClient, Refused
from tests.world import CONSENT

PASSWORD, PIN = "correct horse battery", "284716"
DEVICE = {"name": "a device", "system": "a system"}


class ClosingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = NodeProcess(self.database(), limits={"pin_tries": 1000, "pin_tries_per_address": 1000})
        self.addCleanup(self.node.close)

    def database(self) -> str:
        return "sqlite"

    def client(self) -> RawClient:
        client = RawClient(self.node.connect())
        self.addCleanup(client.close)
        return client

    def register(self, name: str) -> tuple[RawClient, dict[str, Any]]:
        client = self.client()
        about = {"username": name, "password": PASSWORD, "device": DEVICE}
        return client, client.call("account.register", **about, consent=CONSENT)

    def refused(self, code: str, client: RawClient, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    @contextmanager
    def vault(self) -> Iterator[Vault]:
        """What today's root secret and keyring open, while no node uses them."""
        root = parse(Arena(floor=Level.UNLOCKED), self.node.words)
        assert isinstance(root, Slot)
        vault = open_vault(root, self.node.state)
        try:
            yield vault
        finally:
            vault.wipe()
