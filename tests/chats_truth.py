"""What is true of some people and their chats, in the simplest words: a model without a node.

A command returns the code that it is refused with, or None.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from safeum_home.protocol.types import ContactState

NONE, REQUESTED, INCOMING = ContactState.NONE, ContactState.REQUESTED, ContactState.INCOMING
ACCEPTED, REMOVED, BLOCKED = ContactState.ACCEPTED, ContactState.REMOVED, ContactState.BLOCKED
CLOSED = ContactState.CLOSED
WRONG = "wrong_contact_state"
STRANGERS = "not_a_contact"
UNKNOWN = "not_found"
GONE = "message_gone"
FOREIGN = "not_yours"
NODE = "the node"
MOST_UNREAD, MOST_PINS = 100, 20


@dataclass
class Said:
    """A message. `key` is its first text, which no other has, or what it is an alert of."""

    key: str
    sender: str
    order: int
    text: str
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, str] = field(default_factory=dict)
    fleeting: bool = False
    """Whether it lives only until it is delivered."""
    waits: set[str] = field(default_factory=set)
    """Devices that have not got it: until then it lives."""
    old: bool = False
    """Whether it was written a week ago, and is not edited any more."""
    over: bool = False
    """Whether it is certainly gone."""

    def shown_to(self, person: str) -> "Shown":
        """What `person` sees of it."""
        if self.deleted:
            return Shown(self.key, self.sender, None, False, {}, None)
        counts = Counter(self.reactions.values())
        return Shown(self.key, self.sender, self.text, self.edited, dict(counts), self.reactions.get(person))


class Shown(NamedTuple):
    """A message as somebody sees it; of one that was deleted there is no text."""

    key: str
    sender: str
    text: str | None
    edited: bool
    reactions: dict[str, int]
    mine: str | None


@dataclass
class Room:
    """A chat. `read` says how many messages each has read, from the first on."""

    kind: str
    people: tuple[str, ...]
    said: list[Said] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    """How many messages, from the first on, somebody does not see."""
    pinned: list[str] = field(default_factory=list)
    drafts: dict[str, str] = field(default_factory=dict)
    muted: dict[str, bool] = field(default_factory=dict)
    history: bool = True
    erased: int = 0
    """How many messages, from the first on, were erased for all."""
    loose: bool = False
    """Whether its history was ever disabled."""
    joined: dict[str, int] = field(default_factory=dict)
    """When somebody came, in the order of messages."""

    def find(self, key: str) -> int:
        """The place of a message; -1 where there is none."""
        return next((place for place, said in enumerate(self.said) if said.key == key), -1)

    def unread(self, person: str) -> int:
        """What others wrote behind what was read, and behind what the person wrote last."""
        own = [place + 1 for place, said in enumerate(self.said) if said.sender == person]
        news = self.said[max([self.read.get(person, 0), *own]) :]
        return min(MOST_UNREAD, sum(not said.key.startswith("notice ") for said in news))

    def seen(self, person: str) -> list[Said]:
        """What somebody sees of it."""
        return self.said[max(self.erased, self.since.get(person, 0)) :]

    def other(self, person: str) -> str | None:
        """Who is at the other end of a direct chat."""
        if self.kind != "direct":
            return None
        return next(one for one in self.people if one != person)


@dataclass
class Person:
    """An account. `contacts` has what it sees of others; who is not there is NONE."""

    name: str
    shown: str = ""
    closed: bool = False
    contacts: dict[str, ContactState] = field(default_factory=dict)


class Truth:
    """All people, and all chats by kind and people."""

    def __init__(self, names: list[str]) -> None:
        self.people = {name: Person(name) for name in names}
        self.rooms: dict[tuple[str, ...], Room] = {}
        self.order = 0
        for name in names:
            self.rooms["system", name] = Room("system", (name,))

    # --- looking

    def state(self, owner: str, other: str) -> ContactState:
        """How `other` stands with `owner`, as the owner sees it."""
        return self.people[owner].contacts.get(other, NONE)

    def rooms_of(self, person: str) -> list[Room]:
        """Those that hold a message, the one that was written in last first."""
        rooms = [room for room in self.rooms.values() if person in room.people and room.said]
        return sorted(rooms, key=lambda room: -room.said[-1].order)

    def key_of(self, room: Room) -> tuple[str, ...]:
        return next(key for key, one in self.rooms.items() if one is room)

    def room(self, *people: str) -> tuple[str, ...]:
        """The key of the chat of two people, or of one with himself."""
        who = tuple(sorted(set(people)))
        return ("direct" if len(who) == 2 else "self", *who)

    # --- messages

    def alert(self, person: str, about: str) -> None:
        """The node tells an account of a login."""
        self._say(self.rooms["system", person], f"login {about}", NODE)

    def write(self, person: str, key: tuple[str, ...], text: str) -> str | None:
        """Write into the chat of `person` with another, or with himself; the second time nothing happens."""
        room = self.rooms.get(key)
        if room is not None and room.find(text) >= 0:
            return None
        if key[0] == "self":
            room = self.rooms.setdefault(key, Room("self", (person,)))
        elif room is None or self.state(room.other(person) or "", person) is not ACCEPTED:
            return STRANGERS
        self._say(room, text, person)
        return None

    def _say(self, room: Room, key: str, sender: str) -> None:
        self.order += 1
        room.said.append(Said(key, sender, self.order, key))

    def mark(self, person: str, key: tuple[str, ...], upto: str) -> str | None:
        """All up to a message was read."""
        room = self.rooms.get(key)
        if room is None or not self._is_in(person, key) or (place := room.find(upto)) < 0:
            return UNKNOWN
        room.read[person] = max(room.read.get(person, 0), place + 1)
        return None

    def _may_write(self, person: str, room: Room) -> bool:
        if room.kind == "direct":
            return self.state(room.other(person) or "", person) is ACCEPTED
        return room.kind == "self"

    def _may_pin(self, person: str, room: Room) -> str | None:
        return None if self._may_write(person, room) else STRANGERS

    def _moderates(self, person: str, room: Room) -> bool:
        """Whether somebody deletes what others wrote."""
        return False

    def _is_in(self, person: str, key: tuple[str, ...]) -> bool:
        return key in self.rooms

    def _find(self, key: tuple[str, ...], which: str) -> Said | None:
        """A message of a chat that is there."""
        place = self.rooms[key].find(which)
        return self.rooms[key].said[place] if place >= 0 else None

    def edit(self, person: str, key: tuple[str, ...], which: str, text: str) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        said = self._find(key, which)
        if said is None or said.deleted:
            return GONE
        if said.sender != person:
            return FOREIGN
        if not self._may_write(person, self.rooms[key]):
            return STRANGERS
        if said.old:
            return "edit_over"
        said.text, said.edited = text, said.edited or said.text != text
        return None

    def delete(self, person: str, key: tuple[str, ...], which: str) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        said = self._find(key, which)
        if said is None:
            return GONE
        moderated = said.sender != NODE and self._moderates(person, self.rooms[key])
        if not said.deleted and said.sender != person and not moderated:
            return FOREIGN
        said.deleted = True
        said.reactions.clear()
        pinned = self.rooms[key].pinned
        if which in pinned:
            pinned.remove(which)
        return None

    def react(self, person: str, key: tuple[str, ...], which: str, emoji: str | None) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        said = self._find(key, which)
        if said is None or said.deleted:
            return GONE
        if not self._may_write(person, self.rooms[key]):
            return STRANGERS
        if emoji is None:
            said.reactions.pop(person, None)
        else:
            said.reactions[person] = emoji
        return None

    def pin(self, person: str, key: tuple[str, ...], which: str) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        if (refused := self._may_pin(person, self.rooms[key])) is not None:
            return refused
        said, pinned = self._find(key, which), self.rooms[key].pinned
        if said is None or said.deleted:
            return GONE
        if which in pinned:
            return None
        if len(pinned) >= MOST_PINS:
            return "too_many_pins"
        pinned.append(which)
        return None

    def unpin(self, person: str, key: tuple[str, ...], which: str) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        if (refused := self._may_pin(person, self.rooms[key])) is not None:
            return refused
        if which in self.rooms[key].pinned:
            self.rooms[key].pinned.remove(which)
        return None

    def draft(self, person: str, key: tuple[str, ...], text: str) -> str | None:
        """What somebody is about to write in a chat, shown on all his devices."""
        if not self._is_in(person, key):
            return UNKNOWN
        self.rooms[key].drafts[person] = text
        return None

    def mute(self, person: str, key: tuple[str, ...], muted: bool) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        self.rooms[key].muted[person] = muted
        return None

    # --- people

    def rename(self, person: str, name: str) -> None:
        self.people[person].shown = name

    def _set(self, owner: str, other: str, state: ContactState) -> None:
        if not self.people[owner].closed:
            self.people[owner].contacts[other] = state

    def _part(self, person: str, other: str) -> None:
        after = {ACCEPTED: REMOVED, INCOMING: NONE}
        theirs = self.state(other, person)
        self._set(other, person, after.get(theirs, theirs))

    def _agree(self, person: str, other: str) -> None:
        self._set(person, other, ACCEPTED)
        if self.state(other, person) is REQUESTED:
            self._set(other, person, ACCEPTED)
            key = self.room(person, other)
            self.rooms.setdefault(key, Room("direct", key[1:]))

    def request(self, person: str, other: str) -> str | None:
        mine, theirs = self.state(person, other), self.state(other, person)
        if mine in (BLOCKED, CLOSED):
            return WRONG
        if mine is INCOMING or (mine in (NONE, REMOVED) and theirs is REQUESTED):
            self._agree(person, other)
        elif mine in (NONE, REMOVED):
            self._set(person, other, REQUESTED)
            if theirs in (NONE, REMOVED):
                self._set(other, person, INCOMING)
        return None

    def accept(self, person: str, other: str) -> str | None:
        mine = self.state(person, other)
        if mine is INCOMING:
            self._agree(person, other)
        return None if mine in (INCOMING, ACCEPTED) else WRONG

    def decline(self, person: str, other: str) -> str | None:
        if self.state(person, other) is not INCOMING:
            return WRONG
        self._set(person, other, NONE)
        return None

    def remove(self, person: str, other: str) -> str | None:
        mine = self.state(person, other)
        if mine in (NONE, BLOCKED):
            return WRONG
        if mine in (REQUESTED, ACCEPTED):
            self._part(person, other)
        self._set(person, other, NONE)
        return None

    def block(self, person: str, other: str) -> str | None:
        mine = self.state(person, other)
        if mine is CLOSED:
            return WRONG
        if mine in (REQUESTED, ACCEPTED):
            self._part(person, other)
        self._set(person, other, BLOCKED)
        return None

    def unblock(self, person: str, other: str) -> str | None:
        if self.state(person, other) is not BLOCKED:
            return WRONG
        self._set(person, other, NONE)
        return None

    def close(self, person: str) -> None:
        """The account is gone for ever, and every chat that it was in."""
        self.people[person].closed = True
        gone = [key for key in self.rooms if key[0] != "group" and person in key[1:]]
        for other in self.people:
            state = self.state(other, person)
            if state is not NONE and self.room(person, other) in gone:
                self._set(other, person, CLOSED)
            elif state is INCOMING:
                self._set(other, person, NONE)
        for key in gone:
            del self.rooms[key]
        self.people[person].contacts.clear()
