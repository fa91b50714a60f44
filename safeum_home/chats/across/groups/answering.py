"""What accounts of other nodes ask of groups of this one: done as for this node's own accounts."""

from collections.abc import Coroutine
from typing import Any, NamedTuple

import msgspec
from msgspec import structs
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.across.groups.commands import BY_CHAT, BY_OWNER, METHODS, Handlers
from safeum_home.chats.across.groups.names import CalledElsewhere
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.limits import RateLimit
from safeum_home.ports import Committed, Cursors, Database
from safeum_home.protocol.commands import GroupReaders
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.questions import GroupAnswer, GroupCommand


class RemoteCaller(NamedTuple):
    """`ports.Caller`: an account of another node, which speaks for it. No device of it is known here."""

    account: AccountId
    host: str = ""
    device: DeviceId = DeviceId("")


class GroupAnswering:
    """Carries out what accounts of other nodes ask of groups of this one."""

    def __init__(
        self,
        database: Database,
        cursors: Cursors,
        registry: ChatRegistry,
        references: GroupReferences,
        handlers: Handlers,
        called: CalledElsewhere,
        limit: RateLimit,
    ) -> None:
        """`handlers` are those of this node's own groups; `limit` is for each node that asks."""
        self._database = database
        self._cursors = cursors
        self._registry = registry
        self._references = references
        self._handlers = handlers
        self._called = called
        self._limit = limit

    async def answer(self, node: str, asked: GroupCommand) -> GroupAnswer:
        account = AccountId(asked.who.account)
        if node_of(account) != node:
            raise Problem(Code.NOT_PERMITTED)
        self._limit.take(node)
        command = METHODS.get(asked.method)
        if command is None:
            raise Problem(Code.INVALID_PARAMS)
        try:
            params: Any = msgspec.convert(asked.params, command.params, strict=True)
        except msgspec.ValidationError:
            raise Problem(Code.INVALID_PARAMS) from None
        self._called.note(asked.who)
        if command.params in (*BY_CHAT, *BY_OWNER):
            chat = await self._registry.load(ChatId(params.chat))
            if chat is None or chat.hub is not None or chat.kind is not ChatKind.GROUP:
                raise Problem(Code.NOT_FOUND)
            if isinstance(params, GroupReaders):
                params = structs.replace(params, upto=await self._named_here(chat, asked.message))
        result = self._handlers[command.params](RemoteCaller(account), params)
        if isinstance(result, Coroutine | Deferred):
            result = await result
        if isinstance(result, Committed):
            result.publish()
            result = result.result
        return GroupAnswer(msgspec.to_builtins(result))

    async def _named_here(self, chat: Chat, told: Reference | None) -> str:
        """The id here of a message that another node has named; raises `not_found`."""

        def find(c: Connection) -> int | None:
            return None if told is None else self._references.find(c, chat, told)

        position = await self._database.read(find)
        if position is None:
            raise Problem(Code.NOT_FOUND)
        return self._cursors.encode(position)
