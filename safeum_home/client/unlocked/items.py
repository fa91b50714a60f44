"""What was said in a secure chat, as it is shown: in memory, the newest of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from safeum_home.client.secure.events import Received, Refusal
from safeum_home.client.secure.payloads import Deletion, Edit, File, Payload, Reaction, Text, Unknown
from safeum_home.protocol.signing import encode_octets

FORMER_KEYS = "former_keys"
"""The kind of what stands for messages that were sealed for keys that this account had before.

Those have no `hash`: whoever says something of this kind has it shown with one.
"""
KEPT = 2000
"""Of each chat; older ones can be loaded again."""


class Fate(StrEnum):
    """How far something has come."""

    WAITING = "waiting"
    """In memory alone: keys of somebody are missing (`waits_for`), or this account is not vouched for yet."""
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    """The node does not take it, for what is in `refused`; say it anew."""
    RECEIVED = "received"


@dataclass(eq=False, slots=True)
class Item:
    """One message. `hash` names it, base64url, once it is sealed; `id` is what the node calls it."""

    sender: str
    at: int
    payload: Text | File | Unknown
    fate: Fate = Fate.RECEIVED
    hash: str | None = None
    id: str | None = None
    reference: str = ""
    waits_for: tuple[str, ...] = ()
    refused: str = ""
    """The code of why it is not taken: of the node, or a `Reason`."""
    late: bool = False
    """It was missing: others have come before it."""
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, str] = field(default_factory=dict)
    """Of accounts."""
    latest: dict[tuple[str, bytes], int] = field(default_factory=dict)
    """Of edits, and of reactions, in streams: the number of the last one."""

    @property
    def text(self) -> str:
        """What there is to read of it."""
        payload = self.payload
        if self.deleted:
            return ""
        return payload.caption if isinstance(payload, File) else payload.text


Place = tuple[bytes, int]
NOWHERE: Place = b"", 0
"""Of what this program changes just now."""
Changed = tuple[str, Edit | Reaction | Deletion, Place]
"""By whom, and where it stands."""


class Look(NamedTuple):
    """What a change of an account can make another one."""

    payload: Text | File | Unknown
    edited: bool
    deleted: bool
    emoji: str | None

    @classmethod
    def at(cls, item: Item, account: str) -> "Look":
        return cls(item.payload, item.edited, item.deleted, item.reactions.get(account))


class Trace(NamedTuple):
    """An item that somebody has changed, as it was before and behind that."""

    item: Item
    account: str
    before: Look
    after: Look

    def undo(self) -> None:
        """As it was, where nothing else has changed it since."""
        item, now = self.item, Look.at(self.item, self.account)
        if now.payload is self.after.payload is not self.before.payload:
            item.payload, item.edited, item.deleted, _ = self.before
        elif now.emoji == self.after.emoji != self.before.emoji:
            item.reactions.pop(self.account, None)
            if self.before.emoji is not None:
                item.reactions[self.account] = self.before.emoji


class Items:
    """Those of a chat, the oldest first."""

    def __init__(self) -> None:
        self.all: list[Item] = []
        self._hashes: dict[str, Item] = {}
        self._changes: list[Changed] = []
        """Of the past, of messages that have not been loaded: the newest last."""

    def by_hash(self, hash: str) -> Item | None:
        """Also by one that it had before it was sealed anew."""
        return self._hashes.get(hash)

    def name(self, hash: str) -> str:
        """What is to be said of the message with this hash: the one that it has now."""
        item = self._hashes.get(hash)
        return hash if item is None or item.hash is None else item.hash

    def by_reference(self, reference: str) -> Item | None:
        found = (item for item in reversed(self.all) if item.reference == reference)
        return next(found, None)

    def by_id(self, id: str) -> Item | None:
        found = (item for item in reversed(self.all) if item.id == id)
        return next(found, None)

    def wipe(self) -> None:
        """The past of the chat is gone: what was in it, and not what is still to be said."""
        self.all = [item for item in self.all if item.fate in (Fate.WAITING, Fate.SENDING)]
        left = set(self.all)
        self._hashes = {hash: item for hash, item in self._hashes.items() if item in left}
        self._changes.clear()

    def add(self, item: Item) -> None:
        """Something new."""
        self.all.append(item)
        gone = set(self.all[:-KEPT])
        if gone:
            self._hashes = {hash: each for hash, each in self._hashes.items() if each not in gone}
        del self.all[:-KEPT]

    def sealed(self, item: Item, hash: str) -> None:
        """It has its name now."""
        item.hash = hash
        self._hashes[hash] = item

    def page(self, received: Iterable[Received | Item]) -> list[Item]:
        """A page of the past, the oldest first: what is not there already stands before all that is."""
        older, changes = list[Item](), list[Changed]()
        known = {item.id for item in self.all}
        for each in received:
            if isinstance(each, Item):
                if each.id not in known:
                    older.append(each)
            elif isinstance(each.payload, Edit | Reaction | Deletion):
                changes.append((each.sender, each.payload, (each.stream, each.number)))
            elif (item := item_of(each)) is not None and item.hash not in self._hashes:
                self.sealed(item, item.hash or "")
                older.append(item)
        self.all[:0] = older
        waiting, self._changes = [*changes, *self._changes], []
        for sender, change, place in waiting:
            self.change(sender, change, place)
        return older

    def change(self, sender: str, change: Edit | Reaction | Deletion, place: Place = NOWHERE) -> list[Item]:
        """What somebody changes; of what is not loaded it is kept for when it is.

        `place` is its stream, and its number there: what stands before another one in its stream changes
        nothing any more, in whichever order they come.
        """
        named = change.messages if isinstance(change, Deletion) else (change.message,)
        found = [item for item in map(self.by_hash, named) if item is not None]
        if len(found) < len(named):
            self._changes = [*self._changes, (sender, change, place)][-KEPT:]
        return [item for item in found if _is_latest(item, change, place) and _apply(item, sender, change)]

    def show(self, account: str, change: Edit | Reaction | Deletion) -> list[Trace]:
        """What this program, of `account`, is about to change for all: so that it can be taken back."""
        named = change.messages if isinstance(change, Deletion) else (change.message,)
        before = [(item, Look.at(item, account)) for item in map(self.by_hash, named) if item is not None]
        self.change(account, change)
        return [Trace(item, account, look, Look.at(item, account)) for item, look in before]

    def undo(self, change: Payload, traces: Iterable[Trace]) -> None:
        """It was not taken, or is to be shown anew."""
        self._changes = [each for each in self._changes if each[1] is not change]
        for trace in traces:
            trace.undo()


def unread(refusal: Refusal, at: int) -> Item:
    """What is for keys that this account had before: nobody can read it with those of now."""
    return Item(refusal.sender, at, Unknown(FORMER_KEYS), id=refusal.id)


def _is_latest(item: Item, change: Edit | Reaction | Deletion, place: Place) -> bool:
    stream, number = place
    kind = type(change).__name__, stream
    if number < item.latest.get(kind, 0):
        return False
    if number:
        item.latest[kind] = number
    return True


def _apply(item: Item, sender: str, change: Edit | Reaction | Deletion) -> bool:
    if isinstance(change, Reaction):
        if change.emoji is None:
            return item.reactions.pop(sender, None) is not None
        item.reactions[sender] = change.emoji
        return True
    if sender != item.sender:
        return False
    if isinstance(change, Deletion):
        # Also where it is deleted already: by more than one, it is so though one of them is undone.
        before, item.deleted, item.payload = item.deleted, True, Unknown("deleted")
        return not before
    if item.deleted or not isinstance(item.payload, Text):
        return False
    item.payload, item.edited = Text(change.text, change.mentions, item.payload.reply), True
    return True


def item_of(received: Received) -> Item | None:
    """Of what is shown as a message; None of all else."""
    payload = received.payload
    if not isinstance(payload, Text | File | Unknown):
        return None
    hash = encode_octets(received.hash)
    return Item(received.sender, received.at, payload, hash=hash, id=received.id, late=received.late)
