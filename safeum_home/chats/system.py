"""The node's own contacts, and the first of them: login alerts, written into the account's own chat."""

from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.messages import Messages
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import (
    SUPPORT_USERNAME,
    SYSTEM_USERNAME,
    AccountId,
    DeviceId,
    support_account,
    system_account,
)
from safeum_home.ports import Known, NodeSigner, Staged
from safeum_home.protocol.signing import encode_octets, signed_octets
from safeum_home.protocol.types import Body, DeviceInfo, LoginAlert, Message


def system_contact(node: str) -> Known:
    """Who writes in the name of `node`."""
    return Known(system_account(node), SYSTEM_USERNAME, "SafeUM", "")


def support_contact(node: str) -> Known:
    """In whose name the staff of `node` answers."""
    return Known(support_account(node), SUPPORT_USERNAME, "SafeUM Support", "")


def signing(node: str, signer: NodeSigner) -> Callable[[Message], Message]:
    """What puts the signature of `node` to a message of one of its contacts."""

    def signed(message: Message) -> Message:
        signature = signer.sign(signed_octets(node, message))
        return structs.replace(message, signature=encode_octets(signature))

    return signed


class SystemMessages:
    """`ports.Announcer`."""

    def __init__(
        self, registry: ChatRegistry, messages: Messages, system: AccountId, now: Callable[[], int]
    ) -> None:
        self._registry = registry
        self._messages = messages
        self._system = system
        self._now = now

    def found(self, account: AccountId) -> Callable[[Connection], None]:
        return self._registry.found_system(account)

    def login(self, account: AccountId, device: DeviceId, info: DeviceInfo) -> "Deferred[Staged]":
        return self.tell(account, LoginAlert(device, info.name, info.system, self._now()))

    def tell(self, account: AccountId, body: Body) -> "Deferred[Staged]":
        return Deferred.fromCoroutine(self._tell(account, body))

    async def _tell(self, account: AccountId, body: Body) -> Staged:
        chat = await self._registry.load(self._registry.system_chat(account))
        if chat is None:
            raise Problem(Code.NOT_FOUND)
        return Staged(*self._messages.compose_system(chat, self._system, body))
