"""Messages in the model: written, answered, copied, changed, read; pins; and what is set for a chat.

A command is refused for the first reason that is in its way, in the order of the lines here.
"""

from tests.chats_rooms import NODE, Key, Room, Said
from tests.chats_truth import ACCEPTED, Truth

STRANGERS = "not_a_contact"
UNKNOWN = "not_found"
GONE = "message_gone"
NOT_KEPT = "message_not_kept"
FOREIGN = "not_yours"
MOST_PINS = 20


class MessagesTruth(Truth):
    """The model with messages."""

    def alert(self, person: str, about: str) -> None:
        """The node tells an account of a login."""
        self._say(self.rooms["system", person], f"login {about}", NODE)

    # --- who may

    def _is_in(self, person: str, key: Key) -> bool:
        return key in self.rooms

    def _may_write(self, person: str, room: Room) -> bool:
        if room.kind == "direct":
            return self.state(room.other(person) or "", person) is ACCEPTED
        return room.kind == "self"

    def _may_pin(self, person: str, room: Room) -> str | None:
        return None if self._may_write(person, room) else STRANGERS

    def _moderates(self, person: str, room: Room) -> bool:
        """Whether somebody deletes what others wrote."""
        return False

    def _find(self, person: str, key: Key, which: str) -> Said | None:
        """A message that somebody can see."""
        room = self.rooms[key]
        place = room.find(which)
        return room.said[place] if place >= room.first(person) else None

    def _own(self, person: str, key: Key, which: str) -> Said | None:
        """What somebody has written, be it that he does not see it any more since he came back to a group."""
        room = self.rooms[key]
        place = room.find(which)
        return room.said[place] if place >= room.erased and room.said[place].sender == person else None

    def _missing(self, person: str, key: Key, which: str) -> str:
        """What somebody is told of a message that `_find` does not find."""
        return GONE

    # --- writing

    def write(
        self, person: str, key: Key, text: str, answers: str | None = None, mentions: tuple[str, ...] = ()
    ) -> str | None:
        """Write into a chat; the second time nothing happens."""
        if self._was_said(person, key, text):
            return None
        if (room := self._room_for(person, key)) is None:
            return STRANGERS
        if not set(mentions) <= set(room.people):
            return "not_a_member"
        if answers is not None and self._find(person, key, answers) is None:
            answer = self._missing(person, key, answers)
            if answer == GONE:  # what was dropped is on the screens of those who answer it
                return answer
        said = self._say(room, text, person)
        said.answers, said.mentions = answers, mentions
        return None

    def forward(self, person: str, key: Key, source: Key, which: str, called: str) -> str | None:
        """Have a message of `source` copied into a chat, where it is `called` so."""
        if self._was_said(person, key, called):
            return None
        if (room := self._room_for(person, key)) is None:
            return STRANGERS
        if not self._is_in(person, source):
            return UNKNOWN
        if (original := self._find(person, source, which)) is None:
            return self._missing(person, source, which)
        if original.deleted or original.sender == NODE:
            return "not_forwardable"
        copy = self._say(room, called, person)
        copy.text, copy.author = original.text, original.author or original.sender
        # Nobody is named to people who may not know of that account.
        author = original.sender if original.author is None else (original.named and original.author)
        copy.named = author if author and (room.kind == "self" or author in room.people) else ""
        return None

    def _was_said(self, person: str, key: Key, text: str) -> bool:
        """Of what was erased only those in the chat are told that it was there."""
        if key not in self.rooms:
            return False
        room = self.rooms[key]
        return room.find(text) >= (0 if person in room.people else room.erased)

    def _room_for(self, person: str, key: Key) -> Room | None:
        """The chat, for one who may write into it; that with oneself is there when it is needed."""
        if key[0] == "self":
            return self.rooms.setdefault(key, Room("self", (person,)))
        room = self.rooms.get(key)
        return room if room is not None and self._may_write(person, room) else None

    def _say(self, room: Room, key: str, sender: str) -> Said:
        self.order += 1
        room.said.append(Said(key, sender, self.order, key))
        return room.said[-1]

    def mark(self, person: str, key: Key, upto: str) -> str | None:
        """All up to a message was read."""
        room = self.rooms.get(key)
        if room is None or not self._is_in(person, key) or (place := room.find(upto)) < room.erased:
            return UNKNOWN
        room.read[person] = max(room.read.get(person, 0), place + 1)
        return None

    # --- changing

    def edit(self, person: str, key: Key, which: str, text: str) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        said = self._find(person, key, which)
        if said is None:
            return self._missing(person, key, which)
        if said.deleted:
            return GONE
        if said.sender != person:
            return FOREIGN
        if not self._may_write(person, self.rooms[key]):
            return STRANGERS
        if said.author is not None:
            return "not_editable"
        if said.old:
            return "edit_over"
        said.text, said.edited = text, said.edited or said.text != text
        return None

    def delete(self, person: str, key: Key, which: str) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        said = self._find(person, key, which) or self._own(person, key, which)
        if said is None:
            return self._missing(person, key, which)
        moderated = said.sender != NODE and self._moderates(person, self.rooms[key])
        if not said.deleted and said.sender != person and not moderated:
            return FOREIGN
        said.deleted = True
        said.reactions.clear()
        self._unpin(key, which)
        return None

    def react(self, person: str, key: Key, which: str, emoji: str | None) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        said = self._find(person, key, which)
        if said is None:
            return self._missing(person, key, which)
        if said.deleted:
            return GONE
        if not self._may_write(person, self.rooms[key]):
            return STRANGERS
        if emoji is None:
            said.reactions.pop(person, None)
        else:
            said.reactions[person] = emoji
        return None

    # --- pins

    def pin(self, person: str, key: Key, which: str) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        if (refused := self._may_pin(person, self.rooms[key])) is not None:
            return refused
        said, pinned = self._find(person, key, which), self.rooms[key].pinned
        if said is None:
            return self._missing(person, key, which)
        if said.deleted:
            return GONE
        if which in pinned:
            return None
        if said.fleeting:
            return NOT_KEPT
        if len(pinned) >= MOST_PINS:
            return "too_many_pins"
        pinned.append(which)
        return None

    def unpin(self, person: str, key: Key, which: str) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        if (refused := self._may_pin(person, self.rooms[key])) is not None:
            return refused
        self._unpin(key, which)
        return None

    def _unpin(self, key: Key, which: str) -> None:
        pinned = self.rooms[key].pinned
        if which in pinned:
            pinned.remove(which)

    # --- what somebody sets for a chat, for all his devices

    def draft(self, person: str, key: Key, text: str) -> str | None:
        """What somebody is about to write."""
        if not self._is_in(person, key):
            return UNKNOWN
        self.rooms[key].drafts[person] = text
        return None

    def mute(self, person: str, key: Key, muted: bool) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        self.rooms[key].muted[person] = muted
        return None

    def archive(self, person: str, key: Key, archived: bool) -> str | None:
        if not self._is_in(person, key):
            return UNKNOWN
        room = self.rooms[key]
        room.archived.pop(person, None)
        if archived:
            room.archived[person] = room.said[-1].order
        return None
