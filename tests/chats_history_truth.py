"""Chats without history in the model: what is erased for all, and what lives until it is delivered.

When exactly a message is dropped is the node's affair. The model knows what has to live still, since a device
that is away waits for it, and what may not: for that which is in between it asks `alive`.
"""

from collections.abc import Callable

from tests.chats_groups_truth import FORBIDDEN, Group, GroupsTruth
from tests.chats_messages_truth import GONE, NOT_KEPT, STRANGERS, UNKNOWN
from tests.chats_rooms import NODE, Key, Room, Said


class HistoryTruth(GroupsTruth):
    """The model with chats whose history is disabled."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.away: Callable[[Room], set[str]] = lambda room: set()
        """The devices of a room's members that are not told anything now, without the one that writes."""
        self.writing: Callable[[], set[str]] = set
        """The device that writes, where it is not told anything now."""
        self.kept: Callable[[Said], bool] = lambda said: True
        """Whether the node has a message that may be there still, or not any more."""
        self.recognised: Callable[[Said], bool] = lambda said: True
        """Whether the node knows of a message that it has no more that it was there."""

    def _say(self, room: Room, key: str, sender: str) -> Said:
        said = super()._say(room, key, sender)
        if not room.history:
            said.fleeting = True
            said.waits = self.away(room)
        return said

    def alive(self, said: Said) -> bool:
        """Whether a message that was not erased is there."""
        return not said.fleeting or bool(said.waits) or (not said.over and self.kept(said))

    def _find(self, person: str, key: Key, which: str) -> Said | None:
        said = super()._find(person, key, which)
        return said if said is not None and self.alive(said) else None

    def _own(self, person: str, key: Key, which: str) -> Said | None:
        said = super()._own(person, key, which)
        return said if said is not None and self.alive(said) else None

    def _missing(self, person: str, key: Key, which: str) -> str:
        dropped = super()._find(person, key, which)
        return NOT_KEPT if dropped is not None and self.recognised(dropped) else GONE

    def forward(self, person: str, key: Key, source: Key, which: str, called: str) -> str | None:
        """As before; the device that has a message copied does not know what it holds, and gets it, too."""
        again = self._was_said(person, key, called)
        refused = super().forward(person, key, source, which, called)
        if refused is None and not again and (copy := self.rooms[key].said[-1]).fleeting:
            copy.waits |= self.writing()
        return refused

    def mark(self, person: str, key: Key, upto: str) -> str | None:
        """As before; a message that is gone is recognised for a while alone."""
        room = self.rooms.get(key)
        if room is not None and (place := room.find(upto)) >= room.erased:
            said = room.said[place]
            if not self.alive(said) and not self.recognised(said):
                return UNKNOWN
        return super().mark(person, key, upto)

    def edit(self, person: str, key: Key, which: str, text: str) -> str | None:
        return self._altered(key, which, super().edit(person, key, which, text))

    def delete(self, person: str, key: Key, which: str) -> str | None:
        return self._altered(key, which, super().delete(person, key, which))

    def _altered(self, key: Key, which: str, refused: str | None) -> str | None:
        """Whoever is away gets what a message has become before that goes."""
        room = self.rooms.get(key)
        if refused is None and room is not None:
            said = room.said[room.find(which)]
            if said.waits:
                said.waits |= self.away(room)
        return refused

    def draft(self, person: str, key: Key, text: str) -> str | None:
        """As before, but none where no messages are kept."""
        room = self.rooms.get(key)
        if room is not None and not room.history and text and self._is_in(person, key):
            return "draft_not_kept"
        return super().draft(person, key, text)

    def set_history(self, person: str, key: Key, enabled: bool) -> str | None:
        """Disable the history of a chat, which erases it for all, or have messages kept again."""
        room = self.rooms.get(key)
        if room is None or not self._is_in(person, key):
            return UNKNOWN
        if room.history is enabled:
            return None
        if isinstance(room, Group) and room.roles[person] != "owner":
            return FORBIDDEN
        # Either may erase what both have written, but says nothing with it to whom he may not write.
        welcome = self._may_write(person, room)
        if enabled and not welcome:
            return STRANGERS
        room.history = enabled
        if enabled:
            room.kept = len(room.said)
        else:
            self._erase(room)
        if welcome:
            self._say(room, self._history_notice(person, enabled), NODE)
        return None

    def _history_notice(self, person: str, enabled: bool) -> str:
        return f"notice {'history_on' if enabled else 'history_off'} None {person} None"

    def _erase(self, room: Room) -> None:
        room.erased = len(room.said)
        room.loose = True
        room.pinned.clear()
        room.read.clear()
        room.drafts.clear()
        for said in room.said:
            said.over = True
            said.waits.clear()

    def arrived(self, device: str) -> None:
        """A device has got all that there is: nothing waits for it."""
        for room in self.rooms.values():
            for said in room.said:
                said.waits.discard(device)

    def only(self, devices: dict[str, str]) -> None:
        """These devices are there, with whose they are: for others, and whoever has left, nothing waits."""
        for room in self.rooms.values():
            for said in room.said:
                said.waits &= {device for device, owner in devices.items() if owner in room.people}

    def drop_all(self) -> None:
        """A week has passed."""
        for room in self.rooms.values():
            for said in room.said:
                said.old = True
                if said.fleeting:
                    said.over = True
                    said.waits.clear()
