"""A chat as a client holds it, in the order of the node: clocks may go back, that order does not."""

from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import UNSET, UnsetType, structs

from safeum_home.protocol.events import ChatChanged
from safeum_home.protocol.message_types import ChatSettings
from safeum_home.protocol.news import is_news, is_own
from safeum_home.protocol.types import ChatInfo, ChatSummary, GroupInfo, GroupRole, Message

UNKNOWN = "unknown"
"""The kind of a chat that something has come of before its summary: nothing is written there until it has."""
CHANGES_KEPT = 512
"""Changes of messages that are remembered of a chat: a page of history may be from before them."""
MAX_UNREAD = 100
KEPT = 2000
"""Messages that are held of a chat; older ones can be loaded again."""


class _Changed(NamedTuple):
    """A message as it was told last; `mine` is one's own reaction, UNSET where that was not told."""

    message: Message
    mine: str | UnsetType | None


@dataclass(slots=True)
class ChatView:
    """A chat. `messages` are the newest, oldest first, without gaps; `more`: there are older ones."""

    chat: str
    kind: str
    peer: str
    address: str
    display_name: str = ""
    messages: list[Message] = field(default_factory=list)
    more: bool = True
    loaded: bool = False
    """Whether history was asked for, so that `messages` is more than a preview."""
    unread: int = 0
    read: str | None = None
    peer_delivered: str | None = None
    peer_read: str | None = None
    typing: set[str] = field(default_factory=set)
    history: bool = True
    erased: str | None = None
    pending: tuple[str, ...] = ()
    """Other nodes that have not confirmed yet that they have erased it as well."""
    pinned: tuple[str, ...] = ()
    group: GroupInfo | None = None
    role: GroupRole | None = None
    settings: ChatSettings = field(default_factory=ChatSettings)
    waiting: dict[str, Message] = field(default_factory=dict)
    """What this account has written and waits for the group's node, by the ids that it has meanwhile."""
    informed: bool = False
    """Whether the node has said what the chat is; else it is known by what has happened in it."""
    _changes: dict[str, _Changed] = field(default_factory=dict)

    def muted(self, now: float) -> bool:
        """Whether no notice is to be given of what comes in, at a time in milliseconds since 1970."""
        until = self.settings.muted_until
        return until is not None and now < until

    def archived(self, now: float) -> bool:
        """Whether it is shown as archived: a new message brings it back, unless it is muted."""
        archived = self.settings.archived
        if archived is None:
            return False
        return self.last is None or self.last.id == archived or self.muted(now)

    def change(self, event: ChatChanged, account: str) -> None:
        """A message has become something else, whether it is held or not; `account` is one's own."""
        message = event.message
        before = self._changes.pop(message.id, None)
        mine = UNSET if before is None else before.mine
        if event.reacted is not None and event.reacted.account == account:
            mine = event.reacted.emoji
        self._changes[message.id] = _Changed(message, mine)
        if len(self._changes) > CHANGES_KEPT:
            del self._changes[next(iter(self._changes))]
        place = self.place(message.id)
        if place >= 0:
            self.messages[place] = self._now(self.messages[place])

    def _now(self, held: Message) -> Message:
        """A message as it is now, as far as that was told."""
        changed = self._changes.get(held.id)
        if changed is None:
            return held
        mine = held.mine if changed.mine is UNSET else changed.mine
        return structs.replace(changed.message, mine=mine if changed.message.reactions else None)

    def wait(self, post: str, message: Message) -> None:
        """A message of this account waits for the group's node, unless it has come."""
        if not any(each.origin == post for each in self.messages):
            self.waiting[post] = message

    def update(self, info: ChatInfo | ChatSummary, place: str | None = None) -> bool:
        """What the chat is now; True where its past was erased, and nothing is left of it here.

        `place` is that of the event that tells so: it is the chat's `erased` where that says so of itself.
        Of a chat that is new here all that came before any other event was written behind that.
        """
        if not self.informed and place != info.erased:
            self.erased = info.erased
        wiped = info.erased != self.erased
        if wiped:
            self.messages.clear()
            self.waiting.clear()
            self.more = self.loaded = False
            self.unread, self.read, self.peer_delivered, self.peer_read = 0, None, None, None
            self.typing.clear()
            self._changes.clear()
            # The node has dropped it as well, and says so next.
            self.settings = structs.replace(self.settings, draft=None)
        self.kind = info.kind
        if isinstance(info, ChatSummary):
            self.role = info.role
        self.history, self.erased, self.informed = info.history, info.erased, True
        self.pinned, self.group, self.pending = info.pinned, info.group, info.pending
        if info.group is not None:
            self.display_name = info.group.name
        return wiped

    def introduce(self, summary: ChatSummary) -> None:
        """The node has said which chat this is; what was told of it meanwhile stays."""
        self.peer, self.address = summary.peer or "", summary.address
        self.display_name = summary.display_name
        self.unread, self.read = summary.unread, summary.read
        self.peer_delivered, self.peer_read = summary.peer_delivered, summary.peer_read
        self.erased = summary.erased
        self.update(summary)
        self.settings = summary.settings or self.settings
        if summary.last is not None and not self.messages:
            self.messages.append(summary.last)

    @property
    def of_node(self) -> bool:
        """Whether the other side is the node: its alerts, its operator's staff, its voicemail."""
        return self.kind in ("system", "support", "voicemail")

    @property
    def secure(self) -> bool:
        """Whether it takes nothing but what is sealed for its members."""
        return self.group is not None and self.group.secure

    @property
    def pair(self) -> bool:
        """Whether it is a secure chat of two."""
        return self.group is not None and self.group.pair

    @property
    def listed(self) -> bool:
        """Whether it is among the chats: it has begun, or is a group, though nothing of it may be left."""
        return bool(self.messages) or self.kind == "group" or self.erased is not None

    @property
    def last(self) -> Message | None:
        return self.messages[-1] if self.messages else None

    def place(self, message: str | None) -> int:
        """The index of a message; -1 for none, or one older than what is held."""
        if message is not None:
            for index in range(len(self.messages) - 1, -1, -1):
                if self.messages[index].id == message:
                    return index
        return -1

    def has_news_behind(self, read: str | None, account: str) -> bool:
        """Whether somebody else wrote behind the message `read`, as far as is held."""
        for message in reversed(self.messages):
            if message.id == read:
                return False
            if is_news(message, account):
                return True
        return False

    def news(self, account: str, place: int) -> int:
        """How many messages from an index on are news to `account`, behind the last one of its own."""
        count = 0
        for message in reversed(self.messages[place:]):
            if is_own(message, account):
                break
            count += is_news(message, account)
        return count

    def marked(self, account: str, upto: str) -> None:
        """`account` has read up to a message; what was read stays read."""
        place = self.place(upto)
        if place < self.place(self.read):
            return
        self.read = upto
        if place >= 0:
            self.unread = min(self.news(account, place + 1), MAX_UNREAD)

    def add(self, message: Message) -> bool:
        """A message has come: it is the newest one; False if it is there already."""
        if message.origin is not None:
            self.waiting.pop(message.origin, None)
        if self.place(message.id) >= 0:
            return False
        self.messages.append(message)
        self._bound()
        return True

    def again(self, message: Message) -> None:
        """A message that is here has come again, this time in its order: all before it are here by now."""
        place = self.place(message.id)
        if place >= 0:
            self.messages.append(self.messages.pop(place))

    def put_before(self, own: str, following: str | None) -> bool:
        """A message that has come last stands before another one, where that is here; whether it is."""
        target, place = self.place(following), self.place(own)
        if not 0 <= target < place:
            return False
        self.messages.insert(target, self.messages.pop(place))
        return True

    def join(self, page: list[Message], more: bool) -> None:
        """A page of history, oldest first: what of it is not held is older than all that is.

        What is held and not in the page, since it is older, or gone from the node, stands where it stood.
        """
        for message in page:
            self.waiting.pop(message.origin or "", None)
        paged = {message.id for message in page}
        only_held: dict[str | None, list[Message]] = {None: []}
        """By the message of the page that they stand behind."""
        last = None
        for message in self.messages:
            if message.id in paged:
                last, only_held[message.id] = message.id, []
            else:
                only_held[last].append(message)
        meet = next((index for index, message in enumerate(page) if message.id in only_held), len(page))
        self.messages = [self._now(message) for message in page[:meet]] + only_held[None]
        for message in page[meet:]:
            self.messages += [self._now(message), *only_held.get(message.id, [])]
        self.more, self.loaded = more, True
        self._bound()

    def _bound(self) -> None:
        if len(self.messages) > KEPT:
            del self.messages[:-KEPT]
            self.more = True


def view_of(summary: ChatSummary) -> ChatView:
    """What the node's list of chats says of one."""
    view = ChatView(
        summary.chat,
        summary.kind,
        summary.peer or "",
        summary.address,
        summary.display_name,
        unread=summary.unread,
        read=summary.read,
        peer_delivered=summary.peer_delivered,
        peer_read=summary.peer_read,
        erased=summary.erased,
    )
    view.update(summary)
    view.settings = summary.settings or view.settings
    if summary.last is not None:
        view.messages.append(summary.last)
    return view
