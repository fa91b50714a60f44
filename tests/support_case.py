"""Support in memory: a world, and its operator at the admin socket's own service."""

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.service import AdminFactory
from safeum_home.ids import AccountId
from safeum_home.node.support_operation import support_handlers
from safeum_home.protocol.signing import is_authentic
from safeum_home.protocol.types import Message
from tests.world import NODE, Client, Refused, World


def ask_staff(case: SynchronousTestCase, factory: AdminFactory, method: str, **params: Any) -> dict[str, Any]:
    """A command of the staff and its answer; raises `Refused`."""
    request = {"jsonrpc": "2.0", "id": 1, "method": f"support.{method}", "params": params}
    answer = msgspec.json.decode(case.successResultOf(factory.answer(msgspec.json.encode(request))))
    if "error" in answer:
        raise Refused(answer["error"])
    return dict(answer["result"])


class SupportCase(SynchronousTestCase):
    """Alice has an account; `staff` asks what the staff asks."""

    def setUp(self) -> None:
        self.begin(World())

    def begin(self, world: World) -> None:
        self.world = world
        self.factory = AdminFactory(world.clock, support_handlers(lambda: world.domain))
        self.alice = world.register("alice")
        self.alice.take()
        self.chat = self.support_of(self.alice)

    def support_of(self, client: Client) -> str:
        return self.world.services.support_chat(AccountId(client.account))

    def staff(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the staff and its answer; raises `Refused`."""
        return ask_staff(self, self.factory, method, **params)

    def refused(self, code: str, method: str, **params: Any) -> str:
        refusal = self.assertRaises(Refused, self.staff, method, **params)
        self.assertEqual(refusal.code, code)
        return str(refusal)

    def authentic(self, message: dict[str, Any]) -> bool:
        """Whether a message, as a client got it, verifies under the node's key."""
        return is_authentic(msgspec.convert(message, Message), NODE, self.world.services.node_key)

    def stored(self) -> int:
        """How many messages the database holds."""
        return self.world.database.count("events")
