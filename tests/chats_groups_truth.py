"""Groups in the model: who is in them, as what, and since when."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.chats_messages_truth import STRANGERS, UNKNOWN, MessagesTruth
from tests.chats_rooms import NODE, Key, Room
from tests.chats_truth import ACCEPTED

WRONG_MEMBER = "wrong_member_state"
FORBIDDEN = "not_permitted"
RANKS = ("member", "admin", "owner")


@dataclass
class Group(Room):
    """`people` are its members, those of the longest standing first; `since`: from where on each sees it."""

    name: str = ""
    called: str = ""
    earlier: bool = False
    roles: dict[str, str] = field(default_factory=dict)
    invited: dict[str, str] = field(default_factory=dict)
    """Who is invited, and by whom."""
    removed: set[str] = field(default_factory=set)
    """Who was removed, and comes back by an invitation alone."""
    start: dict[str, int] = field(default_factory=dict)
    """How many messages there were when somebody had come: so far it is read by itself."""
    link: int = 0
    """The number of the link by which anybody may join; 0 where there is none."""
    links: int = 0
    """How many there were ever."""


class GroupsTruth(MessagesTruth):
    """The model with groups, which go by names of its own."""

    def group(self, key: Key) -> Group | None:
        room = self.rooms.get(key)
        return room if isinstance(room, Group) else None

    def groups_of(self, person: str) -> list[Group]:
        return [room for room in self.rooms.values() if isinstance(room, Group) and person in room.people]

    def invitations(self, person: str) -> set[Key]:
        """The groups that somebody is invited into."""
        rooms = self.rooms.items()
        return {key for key, room in rooms if isinstance(room, Group) and person in room.invited}

    # --- rights

    def _rank(self, room: Group, person: str) -> int:
        return RANKS.index(room.roles[person])

    def _may_write(self, person: str, room: Room) -> bool:
        return person in room.people if isinstance(room, Group) else super()._may_write(person, room)

    def _may_pin(self, person: str, room: Room) -> str | None:
        if isinstance(room, Group):
            return None if self._rank(room, person) else FORBIDDEN
        return super()._may_pin(person, room)

    def _moderates(self, person: str, room: Room) -> bool:
        return isinstance(room, Group) and self._rank(room, person) > 0

    def _is_in(self, person: str, key: Key) -> bool:
        return key in self.rooms and person in self.rooms[key].people

    # --- coming and going

    def _notice(self, room: Group, *words: str | None) -> None:
        self._say(room, notice(*words), NODE)

    def _join(self, room: Group, person: str, by: str | None) -> None:
        created = not room.people
        room.invited.pop(person, None)
        room.people = (*room.people, person)
        room.roles[person] = "owner" if created else "member"
        room.removed.discard(person)
        # What was not kept, and is waited for by others, is not for newcomers.
        room.since[person] = room.kept if created or (room.earlier and room.history) else len(room.said)
        room.joined[person] = self.order
        if created:
            self._notice(room, "created", None, person)
        else:
            self._notice(room, "joined", person, by)
        room.read[person] = room.start[person] = len(room.said)

    def create(self, person: str, name: str, called: str, earlier: bool, invite: list[str]) -> None:
        room = Group("group", (), name=name, called=called, earlier=earlier)
        self.rooms["group", name] = room
        self._join(room, person, None)
        for other in invite:
            if self.state(other, person) is ACCEPTED:
                room.invited[other] = person

    def _inside(self, person: str, key: Key) -> Group | None:
        """A group, for one of its members."""
        room = self.group(key)
        return room if room is not None and person in room.people else None

    def invite(self, person: str, key: Key, other: str) -> str | None:
        if (room := self._inside(person, key)) is None:
            return UNKNOWN
        if not self._rank(room, person):
            return FORBIDDEN
        if other in room.people:
            return WRONG_MEMBER
        if other in room.invited:
            return None
        if self.state(other, person) is not ACCEPTED or self.people[other].closed:
            return STRANGERS
        room.invited[other] = person
        room.removed.discard(other)
        return None

    def join(self, person: str, key: Key) -> str | None:
        """Accept an invitation."""
        room = self.group(key)
        if room is not None and person in room.people:
            return None
        if room is None or person not in room.invited:
            return UNKNOWN
        self._join(room, person, room.invited[person])
        return None

    def refuse(self, person: str, key: Key) -> str | None:
        """Decline an invitation."""
        room = self.group(key)
        if room is None or person not in room.invited:
            return UNKNOWN
        del room.invited[person]
        return None

    def _drop(self, room: Group, person: str) -> None:
        room.people = tuple(one for one in room.people if one != person)
        told: list[dict[str, Any]] = [room.roles, room.since, room.read, room.start, room.joined]
        for about in (*told, room.drafts, room.muted, room.archived):
            about.pop(person, None)

    def leave(self, person: str, key: Key) -> str | None:
        if (room := self._inside(person, key)) is None:
            return UNKNOWN
        owned = room.roles[person] == "owner"
        self._drop(room, person)
        if not room.people:
            del self.rooms[key]
            return None
        self._notice(room, "left", person)
        if owned:
            heir = min(room.people, key=lambda one: -self._rank(room, one))
            room.roles[heir] = "owner"
            self._notice(room, "owner", heir)
        return None

    def expel(self, person: str, key: Key, other: str) -> str | None:
        """Remove a member, or take an invitation back."""
        if (room := self._inside(person, key)) is None:
            return UNKNOWN
        if other not in room.people and other not in room.invited:
            return WRONG_MEMBER
        mine = self._rank(room, person)
        if not mine or (other in room.people and mine <= self._rank(room, other)):
            return FORBIDDEN
        room.removed.add(other)
        if other in room.invited:
            del room.invited[other]
        else:
            self._drop(room, other)
            self._notice(room, "removed", other, person)
        return None

    def promote(self, person: str, key: Key, other: str, role: str) -> str | None:
        """Give a member another role."""
        if (room := self._inside(person, key)) is None:
            return UNKNOWN
        if other not in room.people:
            return WRONG_MEMBER
        if room.roles[other] == role:
            return None
        if room.roles[person] != "owner":
            return FORBIDDEN
        room.roles[other] = role
        if role == "owner":
            room.roles[person] = "admin"
        self._notice(room, role, other, person)
        return None

    def call(self, person: str, key: Key, name: str) -> str | None:
        """Give a group another name."""
        if (room := self._inside(person, key)) is None:
            return UNKNOWN
        if not self._rank(room, person):
            return FORBIDDEN
        room.called = name
        self._notice(room, "named", None, person, name)
        return None

    def show_earlier(self, person: str, key: Key, earlier: bool) -> str | None:
        if (room := self._inside(person, key)) is None:
            return UNKNOWN
        if room.roles[person] != "owner":
            return FORBIDDEN
        if room.earlier != earlier:
            room.earlier = earlier
            self._notice(room, "earlier" if earlier else "not_earlier", None, person)
        return None

    # --- links

    def make_link(self, person: str, key: Key) -> str | None:
        """Make a link, or another one, which is the only one then."""
        if (room := self._inside(person, key)) is None:
            return UNKNOWN
        if not self._rank(room, person):
            return FORBIDDEN
        room.links += 1
        room.link = room.links
        return None

    def drop_link(self, person: str, key: Key) -> str | None:
        if (room := self._inside(person, key)) is None:
            return UNKNOWN
        if not self._rank(room, person):
            return FORBIDDEN
        room.link = 0
        return None

    def join_by_link(self, person: str, key: Key, number: int) -> str | None:
        """Join by the link of that number."""
        room = self.group(key)
        if room is None or room.link != number:
            return UNKNOWN
        if person in room.people:
            return None
        if person in room.removed:
            return FORBIDDEN
        self._join(room, person, room.invited.get(person))
        return None

    # --- the end, and what is told

    def close(self, person: str) -> None:
        super().close(person)
        for key in [key for key in self.rooms if key[0] == "group"]:
            room = self.group(key)
            if room is not None:
                room.invited.pop(person, None)
                self.leave(person, key)

    def readers(self, key: Key, which: str) -> set[str]:
        """Who was there when a message was written, and has read it."""
        room = self.rooms[key]
        assert isinstance(room, Group)
        place = room.find(which)
        return {one for one in room.people if room.start[one] <= place < room.read.get(one, 0)}

    def roster(self, key: Key) -> Counter[tuple[str, str, str]]:
        """Who is in a group or invited into it: name, role and state."""
        room = self.group(key)
        assert room is not None
        return Counter(
            [
                *[(one, room.roles[one], "member") for one in room.people],
                *[(one, "member", "invited") for one in room.invited],
            ]
        )


def notice(*words: str | None) -> str:
    """What the model calls a message of the node about a group: action, who, by whom, text."""
    return " ".join(["notice", *[str(word) for word in (*words, *[None] * (4 - len(words)))]])
