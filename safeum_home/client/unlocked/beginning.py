"""Beginning secure chats, and who is in them: what a node answers is looked at before anything is said."""

from collections.abc import Awaitable, Iterable

from safeum_home.client.errors import BadAnswer, ClientError
from safeum_home.client.state.group_ids import is_kind
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.directory import Directory, KeysUnavailable
from safeum_home.client.unlocked.opening import Opening
from safeum_home.protocol.group_types import SECURE_NAME


class Beginning(Opening):
    """A part of `SecureChats`."""

    _directory: Directory

    def start(self, accounts: Iterable[str], *, group: bool = False) -> Awaitable[Conversation]:
        """Begin a secure chat with contacts, who are invited into it.

        With one of them it is a chat of two, into which nobody else can be invited, unless it is to be a
        `group`: there what is said waits for keys that are not there yet. Raises `KeysUnavailable` of a
        group, and what the node refuses it with.
        """
        return self.awaitable(self._start(tuple(accounts), group))

    async def _start(self, accounts: tuple[str, ...], group: bool) -> Conversation:
        await self._ask(accounts, may_lack=len(accounts) == 1 and not group)
        if len(accounts) == 1 and not group:
            # Whoever is invited sees what was said before it was accepted: it is for nobody else.
            return await self._begun(accounts, accounts[0])
        conversation = await self._begun((), None)
        await self._invite(conversation, accounts)
        return conversation

    async def _begun(self, invited: tuple[str, ...], peer: str | None) -> Conversation:
        """A chat that is new, and what it is to be: the node says which one that is."""
        before = self._known()
        is_pair = peer is not None
        created = await self.client.create_group(
            SECURE_NAME, invited, earlier=is_pair, secure=True, pair=is_pair
        )
        info, group = created.chat, created.chat.group
        right = group is not None and group.secure and group.pair == is_pair and is_kind(info.chat, group)
        if not right or info.chat in before:
            raise BadAnswer("The node has not made the chat that was asked for.")
        self.line.told(info.chat)
        conversation = await self._opened(info.chat, peer)
        if conversation.peer != peer or (peer is None and conversation.members):
            self._drop(info.chat)
            raise BadAnswer("The node has others in the chat that was asked for.")
        return conversation

    def _known(self) -> frozenset[str]:
        return frozenset(
            (*self.chats, *self.left, *self._vault.chats, *(each.chat for each in self._state.chats))
        )

    async def _ask(self, accounts: tuple[str, ...], may_lack: bool = False) -> None:
        await self._vault.known()
        await self._directory.ask(accounts)
        lacking = tuple(account for account in accounts if self.people.get(account) is None)
        if lacking and not may_lack:
            raise KeysUnavailable(lacking)

    def invite(self, conversation: Conversation, accounts: Iterable[str]) -> Awaitable[tuple[str, ...]]:
        """Vouch for contacts and invite them; those whom the node has not invited. Raises as `start`."""
        return self.awaitable(self._invite(conversation, accounts))

    async def _invite(self, conversation: Conversation, accounts: Iterable[str]) -> tuple[str, ...]:
        named = tuple(accounts)
        await self._ask(named)
        await conversation.admit(named)
        try:
            answer = await self.client.invite_to_group(conversation.id, named)
        except ClientError:
            await conversation.dismiss(named)
            raise
        refused = tuple(each.account for each in answer.refused if each.account in named)
        if refused:
            await conversation.dismiss(refused)
        return refused

    def remove(self, conversation: Conversation, account: str) -> Awaitable[None]:
        """Seal nothing to a member of a group any more, and have the node remove it. Raises `ClientError`."""
        return self.awaitable(self._remove(conversation, account))

    async def _remove(self, conversation: Conversation, account: str) -> None:
        await conversation.dismiss([account])
        await self.client.remove_from_group(conversation.id, account)

    def leave(self, conversation: Conversation) -> Awaitable[None]:
        """Be in it no more. Raises `ClientError`."""
        return self.awaitable(self._leave(conversation))

    async def _leave(self, conversation: Conversation) -> None:
        if conversation.peer is None:
            await conversation.dismiss([self.own.account])
        await self.client.leave_group(conversation.id)
        self._drop(conversation.id)

    def accept(self, chat: str) -> Awaitable[Conversation]:
        """Join a secure chat that one is invited into. Raises `ClientError`."""
        return self.awaitable(self._accept(chat))

    async def _accept(self, chat: str) -> Conversation:
        invited = self._state.groups.invitations.get(chat)
        if invited is None:
            listed = (await self.client.invitations()).invitations
            invited = next((each for each in listed if each.chat == chat), None)
        await self.client.accept_invitation(chat)
        if invited is None:  # it was accepted before
            return await self._enter(chat)
        return await self._opened(chat, invited.by if invited.pair else None)
