"""A secure chat as it is shown: what was said in place of what is sealed, as far as it is open here."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from msgspec import structs

from safeum_home.client.desk.notices import Outgoing
from safeum_home.client.secure import payloads
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.items import FORMER_KEYS, Fate, Item, Items
from safeum_home.client.words.file_text import file_text
from safeum_home.errors import Code
from safeum_home.protocol import message_types
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Body, Message, Notice, Secure, Text

NOT_TAKEN = "Your node has not taken it."
FILE_GONE = "Your node has thrown its file away, as it waited for more than a day: send it anew."
LATE = "(came late)"
UNTIL_IN = "Waits until somebody in this chat vouches for you."


def opened(view: ChatView, conversation: Conversation | None, account: str) -> ChatView:
    """The chat with what can be read in it. What nobody reads, or nobody has sealed, is not of it.

    Without a `conversation` it is locked, and what was said stands there sealed.
    """
    if conversation is None:
        shown = {message.id: _locked(message) for message in (*view.messages, *view.waiting.values())}
    else:
        reader = _Reader(view, conversation, account)
        shown = {message.id: reader.read(message) for message in view.messages}
        shown |= {post: reader.read(message, post) for post, message in view.waiting.items()}
    messages = [now for message in view.messages if (now := shown[message.id]) is not None]
    waiting = {post: now for post in view.waiting if (now := shown.get(post)) is not None}
    return replace(view, messages=messages, waiting=waiting)


def _locked(message: Message) -> Message | None:
    body = message.body
    if isinstance(body, Secure):
        return None if body.quiet else message
    return message if isinstance(body, Notice | Deleted) else None


class _Reader:
    """Messages of a chat, each with what was said in it."""

    def __init__(self, view: ChatView, conversation: Conversation, account: str) -> None:
        self._items = conversation.items
        self._account = account
        self._said = {item.id: item for item in conversation.items.all if item.id is not None}
        # What stands before the oldest message that the conversation has looked at was not tried yet.
        first = view.place(conversation.oldest) if conversation.more else -1
        self._untried = {message.id for message in view.messages[: max(0, first)]}

    def read(self, message: Message, post: str | None = None) -> Message | None:
        if not isinstance(message.body, Secure) or message.id in self._untried:
            return _locked(message)
        item = self._said.get(post or message.id)
        if item is None and message.origin is not None and message.sender == self._account:
            item = self._said.get(message.origin)  # it has waited for the group's node
        if item is None or item.sender != message.sender:
            return None
        return message_of(item, message, self._items, self._account)


def message_of(item: Item, message: Message, items: Items, account: str) -> Message:
    """What was said in an envelope as a message like any other one; `account` is one's own."""
    payload = item.payload
    reply = None if isinstance(payload, payloads.Unknown) else payload.reply
    answered = None if reply is None else items.by_hash(reply.hash)
    counts: dict[str, int] = {}
    for emoji in item.reactions.values():
        counts[emoji] = counts.get(emoji, 0) + 1
    return structs.replace(
        message,
        at=item.at,
        body=_body(item),
        # What was not loaded has no id that could be believed: its hash is none of a message.
        reply_to=None if reply is None else reply.hash if answered is None else answered.id,
        mentions=payload.mentions if isinstance(payload, payloads.Text) else (),
        edited=item.at if item.edited else None,
        reactions=tuple(message_types.Reaction(emoji, count) for emoji, count in counts.items()),
        mine=item.reactions.get(account),
    )


def _body(item: Item) -> Body:
    payload = item.payload
    if item.deleted:
        return Deleted(item.sender, item.at)
    if isinstance(payload, payloads.Text):
        return Text(f"{payload.text} {LATE}" if item.late else payload.text)
    if isinstance(payload, payloads.Unknown) and payload.kind == FORMER_KEYS and item.hash is None:
        return message_types.Unknown({"kind": "sealed for a former security key"})
    if isinstance(payload, payloads.Unknown):
        # Its sender has chosen what it is called: that is not to look like what this program says.
        return message_types.Unknown({"kind": f"not known here: {payload.kind}", "text": payload.text})
    duration = None if payload.voice is None else payload.voice.duration
    return File(payload.file, payload.name, payload.size, payload.type, payload.caption, duration=duration)


def _error(item: Item) -> str:
    """Why something is not said."""
    gone = isinstance(item.payload, payloads.File) and item.refused == Code.NOT_FOUND.code
    return FILE_GONE if gone else NOT_TAKEN


class Unsent:
    """What was said in one chat, and has no place in it yet: each thing as one and the same `Outgoing`."""

    def __init__(self, chat: str, named: Callable[[Iterable[str]], str], last: Callable[[str], str | None]):
        self._chat = chat
        self._named = named
        self._last = last
        self._known: dict[Item, Outgoing] = {}

    def of(self, conversation: Conversation, account: str) -> list[Outgoing]:
        """In the order in which it was said; `account` is one's own."""
        before, self._known = self._known, {}
        for item in conversation.items.all:
            if item.sender == account and item.fate is not Fate.RECEIVED and item.id is None:
                self._known[item] = self._outgoing(before.get(item), item)
        for item, outgoing in before.items():
            outgoing.sent = item.id
        return list(self._known.values())

    def item(self, outgoing: Outgoing) -> Item | None:
        return next((item for item, each in self._known.items() if each is outgoing), None)

    def refused(self) -> list[Item]:
        return [item for item in self._known if item.fate is Fate.REFUSED]

    def _outgoing(self, known: Outgoing | None, item: Item) -> Outgoing:
        body = _body(item)
        text = file_text(body) if isinstance(body, File) else item.text
        outgoing = known or Outgoing(self._chat, item.reference, text, item.at)
        if item.fate is Fate.REFUSED:
            if not outgoing.error:
                outgoing.error, outgoing.after = _error(item), self._last(self._chat)
            outgoing.sealing = ""
        elif item.fate is Fate.WAITING:
            outgoing.sealing = _waits(self._named(item.waits_for)) if item.waits_for else UNTIL_IN
        else:
            outgoing.sealing = ""
        return outgoing


def _waits(names: str) -> str:
    return f"Waits, on this computer alone, for the keys of {names}: /members says more. /drop forgets it."
