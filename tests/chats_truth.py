"""What is true of some people and how they stand with each other, in the simplest words: without a node.

A command returns the code that it is refused with, or None.
"""

from safeum_home.protocol.types import ContactState
from tests.chats_rooms import Key, Person, Room

NONE, REQUESTED, INCOMING = ContactState.NONE, ContactState.REQUESTED, ContactState.INCOMING
ACCEPTED, REMOVED, BLOCKED = ContactState.ACCEPTED, ContactState.REMOVED, ContactState.BLOCKED
CLOSED = ContactState.CLOSED
WRONG = "wrong_contact_state"


class Truth:
    """All people, and all chats by kind and people."""

    def __init__(self, names: list[str]) -> None:
        self.people = {name: Person(name) for name in names}
        self.rooms: dict[Key, Room] = {}
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

    def key_of(self, room: Room) -> Key:
        return next(key for key, one in self.rooms.items() if one is room)

    def room(self, *people: str) -> Key:
        """The key of the chat of two people, or of one with himself."""
        who = tuple(sorted(set(people)))
        return ("direct" if len(who) == 2 else "self", *who)

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
