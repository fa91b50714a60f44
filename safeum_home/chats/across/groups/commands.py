"""Commands about groups across nodes: what an account asks of a group is asked of its hub, which does the
same as for its own accounts. So there is one place where all of it is decided.

A hub that is away changes nothing (`node_unreachable`), but for this: one can always leave.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.across.groups.coming import Coming
from safeum_home.chats.across.groups.leaving import CopyLeaving
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.groups.entrance import GroupLimits
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Caller, Committed, Cursors, Database, Directory
from safeum_home.ports.federation import Peers
from safeum_home.protocol import commands
from safeum_home.protocol.command import COMMANDS, Params
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.groups import Called
from safeum_home.protocol.federation.questions import GroupAnswer, GroupCommand
from safeum_home.protocol.invites import node_in
from safeum_home.storage import accounts, chats, events, group_nodes, roster

Handler = Callable[..., Any]
Handlers = Mapping[type[Params], Handler]
BY_CHAT = (
    commands.GroupInvite,
    commands.GroupAccept,
    commands.GroupDecline,
    commands.GroupLeave,
    commands.GroupRemove,
    commands.GroupSetRole,
    commands.GroupReaders,
    commands.GroupSet,
    commands.GroupAvatarSet,
    commands.GroupAvatarRemove,
    commands.GroupAvatarGet,
    commands.GroupGetLink,
    commands.GroupLinkReset,
    commands.GroupLinkRevoke,
)
"""What names the chat that it is about."""
BY_LINK = (commands.GroupPreview, commands.GroupJoin)
"""What comes with a link, in which the hub is named."""
BY_OWNER = (commands.ChatHistorySet,)
"""What is of chats of all kinds: a group's hub is asked, of which the own node has a say in the answer."""
READS = (commands.GroupReaders, commands.GroupAvatarGet, commands.GroupGetLink)
METHODS = {each.method: each for each in COMMANDS.values() if each.params in (*BY_CHAT, *BY_LINK, *BY_OWNER)}

_REFUSED = frozenset((Code.NODE_UNREACHABLE, Code.RATE_LIMITED))
"""After these the hub may have done it all the same, or will be asked again."""


class GroupForwarding:
    """Asks hubs on behalf of accounts of this node."""

    def __init__(
        self,
        node: str,
        peers: Peers,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        opener: ChatOpener,
        references: GroupReferences,
        directory: Directory,
        leaving: CopyLeaving,
        coming: Coming,
        limits: GroupLimits,
    ) -> None:
        self._node = node
        self._peers = peers
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._opener = opener
        self._references = references
        self._directory = directory
        self._leaving = leaving
        self._coming = coming
        self._limits = limits

    def wrapped(self, handlers: Handlers) -> dict[type[Params], Handler]:
        """The same commands, for groups of all nodes."""
        wrapped = dict(handlers)
        for params in BY_CHAT:
            wrapped[params] = self._by_chat(handlers[params])
        for linked in BY_LINK:
            wrapped[linked] = self._by_link(handlers[linked])
        return wrapped

    def history(self, local: Handler, shown: Handler) -> Handler:
        """`chat.history.set`; `shown` makes of a hub's answer what a client of this node gets."""

        async def run(caller: Caller, params: commands.ChatHistorySet) -> Any:
            chat = await self._registry.load(ChatId(params.chat))
            if chat is None or chat.hub is None or caller.account not in chat.writers:
                return await local(caller, params)
            self._limits.changes.take(caller.account)
            told = await self._ask(chat.hub, caller, params)
            return await shown(caller, params, told)

        return run

    def _by_chat(self, local: Handler) -> Handler:
        async def run(caller: Caller, params: Any) -> Any:
            chat = await self._registry.load(ChatId(params.chat))
            if chat is None or chat.hub is None:
                return await local(caller, params)
            if not isinstance(params, READS):
                self._limits.changes.take(caller.account)
            return await self._at(chat.hub, caller, params)

        return run

    def _by_link(self, local: Handler) -> Handler:
        async def run(caller: Caller, params: Any) -> Any:
            node = node_in(params.link)
            if node is None or node == self._node:
                return await local(caller, params)
            self._limits.changes.take(caller.account)
            if isinstance(params, commands.GroupJoin):
                return await self._join(node, caller, params)
            return await self._ask(node, caller, params)

        return run

    async def _at(self, hub: str, caller: Caller, params: Any) -> Any:
        if isinstance(params, commands.GroupAccept):
            return await self._agreed(hub, caller, ChatId(params.chat), params)
        if isinstance(params, commands.GroupLeave | commands.GroupDecline):
            return await self._leave(hub, caller, params)
        if isinstance(params, commands.GroupReaders):
            return await self._ask(hub, caller, params, await self._named_there(params))
        return await self._ask(hub, caller, params)

    async def _join(self, hub: str, caller: Caller, params: commands.GroupJoin) -> Any:
        # Which group that is has to be known before: the hub may tell of it before it answers.
        previewed = await self._ask(hub, caller, commands.GroupPreview(params.link))
        chat = ChatId(previewed.chat)
        if previewed.member and await self._has_left(caller.account, chat):
            # It has left while the hub was away, which was not told of that yet.
            await self._ask(hub, caller, commands.GroupLeave(chat))
        return await self._agreed(hub, caller, chat, params)

    async def _has_left(self, account: AccountId, chat: ChatId) -> bool:
        """Whether an account is not in a group here, nor waits to be told that it is."""
        blind, index = self._blinder.chat(chat), self._blinder.account(account)

        def read(c: Connection) -> bool:
            return chats.member(c, blind, index) is None and not group_nodes.has_agreed(c, blind, index)

        return await self._database.read(read)

    async def _agreed(self, hub: str, caller: Caller, chat: ChatId, params: Params) -> Any:
        """Ask a hub to let an account be in a group: it has agreed when its node is told so."""
        blind, account = self._blinder.chat(chat), self._blinder.account(caller.account)

        def agree(c: Connection) -> bool:
            if not accounts.exists(c, account):
                raise Problem(Code.NOT_FOUND)
            was = chats.member(c, blind, account) is not None
            if not was and roster.count_own(c, account, roster.MEMBER) >= self._limits.section.groups:
                raise Problem(Code.LIMIT_REACHED, "groups")
            group_nodes.agree(c, blind, account)
            return was

        was = await self._database.transact(agree)
        expected = self._coming.expect(caller.account, chat)
        try:
            answer = await self._ask(hub, caller, params)
            if was or not await self._has_agreed(blind, account):
                self._coming.no_more(caller.account, chat, expected)  # it was told of already, or is none
            await expected
            return answer
        except Problem as problem:
            self._coming.no_more(caller.account, chat, expected)
            if problem.code not in _REFUSED:
                await self._database.transact(lambda c: group_nodes.over(c, blind, account))
            if problem.code is Code.NOT_FOUND and isinstance(params, commands.GroupAccept):
                # There is no such invitation any more; what tells of that may have been lost.
                return await self._gone(caller, chat, problem)
            raise

    async def _has_agreed(self, chat: bytes, account: bytes) -> bool:
        return await self._database.read(lambda c: group_nodes.has_agreed(c, chat, account))

    async def _gone(self, caller: Caller, chat: ChatId, problem: Problem) -> Any:
        publish = await self._leaving.leave(chat, caller.account, tell=False, invited=True)
        publish()
        raise problem

    async def _leave(
        self, hub: str, caller: Caller, params: commands.GroupLeave | commands.GroupDecline
    ) -> Any:
        """Leave at the hub, and here at once: from the answer on nothing is told to who has left.

        Whatever the hub says to it: nobody is kept in a group, by one that refuses this node neither.
        """
        invited, later = isinstance(params, commands.GroupDecline), False
        try:
            await self._ask(hub, caller, params)
        except Problem as problem:
            later = problem.code is not Code.NOT_FOUND
        chat = ChatId(params.chat)
        publish = await self._leaving.leave(chat, caller.account, tell=later, invited=invited)
        return Committed(commands.Done(), publish)

    async def _named_there(self, params: commands.GroupReaders) -> Reference:
        """What the hub finds the message by that is asked about."""
        position, blind = self._cursors.decode(params.upto), self._blinder.chat(ChatId(params.chat))

        def read(c: Connection) -> Reference | None:
            chat, row = self._opener.group(c, blind), events.event(c, blind, position)
            if chat is None or row is None:
                return None
            return self._references.of(chat, open_message(c, chat, row))

        try:
            named = await self._database.read(read)
        except Tampered:
            named = None
        if named is None:
            raise Problem(Code.NOT_FOUND)
        return named

    async def _ask(self, hub: str, caller: Caller, params: Params, message: Reference | None = None) -> Any:
        """The hub's answer; raises what it is refused with, and `node_unreachable`."""
        command = next(each for each in METHODS.values() if each.params is type(params))
        known = await self._directory.known(caller.account)
        if known is None:
            raise Problem(Code.NOT_FOUND)
        address = ids.public_address(known.username, caller.account, self._node)
        question = GroupCommand(
            Called(caller.account, address, known.display_name),
            command.method,
            msgspec.to_builtins(params),
            message,
        )
        answer = await self._peers.ask(hub, question, GroupAnswer)
        try:
            return msgspec.convert(answer.result, command.result, strict=True)
        except msgspec.ValidationError:
            raise Problem(Code.NODE_UNREACHABLE) from None
