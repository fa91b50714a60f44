"""Opening secure chats: as what their ids and the vault say that they are, whatever a node says now."""

from collections.abc import Awaitable

from twisted.internet.defer import DeferredLock

from safeum_home.client.errors import ClientError, local
from safeum_home.client.secure.vault_content import Content
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.state.group_ids import is_kind
from safeum_home.client.state.state import State
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import NotAsKept, SecureWarning
from safeum_home.client.unlocked.home import Home
from safeum_home.client.unlocked.rekeying import Rekeying
from safeum_home.errors import Code
from safeum_home.protocol.group_types import GroupMember


class Opening(Rekeying, Home):
    """A part of `SecureChats`."""

    _state: State
    _opening: DeferredLock
    _entering: set[str]
    _shown: dict[str, NotAsKept]
    """As what else the node shows chats, where that was told."""

    async def _open_all(self) -> None:
        for view in self._state.chats:
            if view.chat in self._vault.chats or (view.group is not None and view.group.secure):
                await self._open(view.chat)

    def enter(self, chat: str) -> Awaitable[Conversation]:
        """Open a secure chat that this account is in; the same one as before where it is open.

        Raises `ClientError`: `wrong_state` for what is none, by its id and by the vault.
        """
        return self.awaitable(self._enter(chat))

    async def _enter(self, chat: str) -> Conversation:
        if chat in self.chats:
            return self.chats[chat]
        await self._vault.known()
        view, memory = self._state.chat(chat), self._vault.memory(chat)
        is_secure = view is not None and _is_secure(view)
        if memory is None and not is_secure:
            raise local(Code.WRONG_STATE, "this is not known as a secure chat")
        peer = None if memory is None else memory.peer
        if is_secure and view is not None and view.group is not None and view.group.pair:
            peer = await self._peer_of(chat, peer)
        return await self._opened(chat, peer)

    async def _peer_of(self, chat: str, kept: str | None) -> str:
        """The other one of a pair: whom the vault has `kept`, or else who the node says it is."""
        listed = (await self.client.members(chat)).members
        others = [each.account for each in listed if each.account != self.own.account]
        if strange := [each for each in others if kept not in (None, each)]:
            self._show(chat, NotAsKept("partner", strange[0]))
        peer = kept or next(iter(others), None)
        if peer is None:
            raise local(Code.WRONG_STATE, "nobody is known to be the other one of this pair")
        return peer

    async def _opened(self, chat: str, peer: str | None) -> Conversation:
        """One after another, so that whoever asks for one gets it when it is there."""
        await self._opening.acquire()
        try:
            await self._vault.known()
            self._check_open()
            if chat not in self.chats:
                conversation = self.chats[chat] = Conversation(self, chat, peer)
                memory = self._vault.memory(chat)
                for kept in (self.left.pop(chat, None), memory):
                    if kept is not None:
                        conversation.restore(kept)
                conversation.know(self.line.line)
                self.sealed([chat])
                self._look_at(chat)
                try:
                    await conversation.load()
                except BaseException:
                    self._drop(chat)
                    self._check_open()
                    raise
                self._check_open()
                if memory is None:
                    self.changed()
            return self.chats[chat]
        finally:
            self._opening.release()

    async def _open(self, chat: str) -> None:
        if chat in self._entering:
            return
        self._entering.add(chat)
        try:
            await self._enter(chat)
        except ClientError:
            return  # it is opened with the next thing that comes
        finally:
            self._entering.discard(chat)

    def _drop(self, chat: str) -> None:
        conversation = self.chats.pop(chat, None)
        if conversation is not None:
            self.left[chat] = self.memory_of(conversation)
            conversation.close()

    def restore(self, content: Content) -> None:
        """What another program has kept: it knows the same pairs."""
        super().restore(content)
        for chat, conversation in self.chats.items():
            kept = content.chats[chat].peer if chat in content.chats else None
            if kept not in (None, conversation.peer):
                self._show(chat, NotAsKept("partner", kept))

    # --- what the node shows

    def _look_at(self, chat: str) -> None:
        """Whether the node shows a chat that is open as what it is."""
        conversation, view = self.chats.get(chat), self._state.held(chat)
        if conversation is None or view is None:
            return
        group, is_pair = view.group, conversation.peer is not None
        if group is not None and group.secure and group.pair != is_pair:
            self._show(chat, NotAsKept("group" if is_pair else "pair"))
        elif not _is_secure(view):
            self._show(chat, NotAsKept("plain"))

    def _look_at_member(self, chat: str, member: GroupMember) -> None:
        """Nobody but the two can be in a pair."""
        if self.chats[chat].peer not in (None, member.account) and member.account != self.own.account:
            self._show(chat, NotAsKept("partner", member.account))

    def _show(self, chat: str, shown: NotAsKept) -> None:
        if self._shown.get(chat) != shown:
            self._shown[chat] = shown
            self.tell(SecureWarning(chat, shown))


def _is_secure(view: ChatView) -> bool:
    """Whether a chat is what the node says, and that is a secure one: its id says so, too."""
    group = view.group
    return view.kind == "group" and group is not None and group.secure and is_kind(view.chat, group)
