"""Messages as typed methods: writing, answering, forwarding, changing them; pins; what is set for a chat."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from msgspec import UNSET, UnsetType

from safeum_home.client.methods.client_ids import new_client_id
from safeum_home.protocol import commands as c
from safeum_home.protocol.message_types import Draft, ForwardFrom
from safeum_home.protocol.types import Body, Message, Text

R = TypeVar("R", bound=c.Result)
FOR_EVER = 2**53 - 1
"""A time until which a chat can be muted."""


def sent_message(params: c.ChatSend, sent: c.Sent, account: str) -> Message | None:
    """The message that was sent; None for a copy, which comes from the node, or where it was erased since."""
    if params.body is None or sent.erased:
        return None
    return Message(
        sent.id,
        params.chat,
        account,
        sent.at,
        params.body,
        reply_to=params.reply_to,
        mentions=params.mentions,
    )


class MessageMethods(ABC):
    """Part of `methods.Methods`."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    @abstractmethod
    def _milliseconds(self) -> float:
        """The time, as the client's clock has it."""

    def _new_id(self, client_id: str | None) -> str:
        return client_id or new_client_id(self._milliseconds())

    def send(
        self,
        chat: str,
        text: str,
        client_id: str | None = None,
        *,
        reply_to: str | None = None,
        mentions: Sequence[str] = (),
    ) -> Awaitable[c.Sent]:
        """Write into a chat; done when it is on the node's disk, however many reconnects that takes.

        To try again after an error, pass the `client_id` of the first try: then nothing is doubled.
        `reply_to` is a message of the chat, `mentions` are accounts in it.
        """
        return self.send_body(chat, Text(text), client_id, reply_to=reply_to, mentions=mentions)

    def send_body(
        self,
        chat: str,
        body: Body,
        client_id: str | None = None,
        *,
        reply_to: str | None = None,
        mentions: Sequence[str] = (),
    ) -> Awaitable[c.Sent]:
        """The same with a body of another kind: `Unknown({"kind": ...})` for one of one's own making."""
        params = c.ChatSend(chat, self._new_id(client_id), body, reply_to, tuple(mentions))
        return self._ask(params, c.Sent)

    def forward(
        self, chat: str, source: str, message: str, client_id: str | None = None
    ) -> Awaitable[c.Sent]:
        """Have the node copy a message of the chat `source` into a chat."""
        params = c.ChatSend(chat, self._new_id(client_id), forward=ForwardFrom(source, message))
        return self._ask(params, c.Sent)

    def edit(
        self, chat: str, message: str, text: str, mentions: Sequence[str] | None = None
    ) -> Awaitable[c.Acted]:
        """Change the text of one's own message, or the caption of its file.

        A caption is taken away with `edit_body`: the body as it is, with an empty one.
        """
        return self.edit_body(chat, message, Text(text), mentions)

    def edit_body(
        self, chat: str, message: str, body: Body, mentions: Sequence[str] | None = None
    ) -> Awaitable[c.Acted]:
        """The same for a message of another kind."""
        params = c.MessageEdit(chat, message, body, None if mentions is None else tuple(mentions))
        return self._ask(params, c.Acted)

    def delete(self, chat: str, message: str) -> Awaitable[c.Acted]:
        """Delete a message for all; a stub stays."""
        return self._ask(c.MessageDelete(chat, message), c.Acted)

    def react(self, chat: str, message: str, emoji: str | None) -> Awaitable[c.Acted]:
        """React with one emoji, in place of an earlier one; None takes it back."""
        return self._ask(c.MessageReact(chat, message, emoji), c.Acted)

    def reactions(
        self, chat: str, message: str, after: str | None = None, limit: int = 50
    ) -> Awaitable[c.ReactionList]:
        """A page of who has reacted."""
        return self._ask(c.MessageReactions(chat, message, after, limit), c.ReactionList)

    def pin(self, chat: str, message: str) -> Awaitable[c.Acted]:
        """Pin a message for all."""
        return self._ask(c.ChatPin(chat, message), c.Acted)

    def unpin(self, chat: str, message: str) -> Awaitable[c.Acted]:
        """Pin it no longer."""
        return self._ask(c.ChatUnpin(chat, message), c.Acted)

    def pinned(self, chat: str, after: str | None = None) -> Awaitable[c.PinnedList]:
        """A page of the messages that are pinned in a chat."""
        return self._ask(c.ListPinned(chat, after), c.PinnedList)

    def set_chat(
        self,
        chat: str,
        *,
        muted_until: int | UnsetType | None = UNSET,
        archived: bool | UnsetType = UNSET,
        pinned: bool | UnsetType = UNSET,
        draft: Draft | UnsetType | None = UNSET,
    ) -> Awaitable[c.SettingsKept]:
        """Set something for a chat, for all one's own devices; what is left out stays.

        `muted_until` is in milliseconds since 1970 (`FOR_EVER`), None is not muted.
        """
        return self._ask(c.ChatSettingsSet(chat, muted_until, archived, pinned, draft), c.SettingsKept)
