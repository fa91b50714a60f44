"""What a device shows of a chat whose history was disabled at some time, held against the model."""

from collections.abc import Set

from sqlalchemy import select

from safeum_home.client.state.chat_view import ChatView
from safeum_home.storage import events as events_of
from safeum_home.storage.schema import events
from tests.chats_net import Device
from tests.chats_rooms import MOST_UNREAD, Room, Said, Shown
from tests.world import World


def fleeting_row(world: World, message: str) -> bool:
    """Whether the node has a message."""
    position = world.vault.cursors.decode(message)
    query = select(events.c.position).where(events.c.position == position)
    return world.database.now(lambda c: c.execute(query).first()) is not None


def is_recognised(world: World, message: str) -> bool:
    """Whether the node knows of a message that it has dropped."""
    position = world.vault.cursors.decode(message)
    return world.database.now(lambda c: events_of.is_gone(c, position))


def check_loose(device: Device, view: ChatView, room: Room, held: list[Shown]) -> None:
    """Nothing of what was erased, all that it was told since it loaded, and all that is kept behind that.

    What was dropped before it loaded may be missing.
    """
    person = device.owner
    about = f"{person} on {device.id} in {room.kind} {room.people} without history"
    seen = room.seen(person)
    places = _places(held, seen)
    assert -1 not in places, f"{about}: not in order, or not to be seen: {places} of {held} for {seen}"
    for place, shown in zip(places, held, strict=True):
        said = seen[place]
        assert said.over or shown == said.shown_to(person), f"{about}: {shown} for {said}"
    left_out = [(place, said) for place, said in enumerate(seen) if place not in places]
    first, complete = min(places, default=len(seen)), view.loaded and not view.more
    for place, said in left_out:
        told = _was_told(said, device, room)
        needed = told or (place > first and not said.fleeting) or (complete and said.waits)
        assert not needed or (said.over and said.fleeting), f"{about}: {said} is missing in {held}"
        assert said.fleeting or not complete, f"{about}: {said} is kept, and missing in {held}"


def _places(held: list[Shown], seen: list[Said]) -> list[int]:
    """Where messages stand in all of them; -1 for one that does not, or not behind those before it.

    Two notices may say the same: those that are held are the newest.
    """
    places: list[int] = []
    end = len(seen)
    for shown in reversed(held):
        found = [place for place, said in enumerate(seen) if said.key == shown.key]
        found = [place for place in found if place < end]
        end = found[-1] if found else 0
        places.insert(0, found[-1] if found else -1)
    return places


def fewest_unread(device: Device, room: Room, held: Set[str]) -> int:
    """How many unread messages a device shows at least, of which it holds those that the model calls `held`.

    What was dropped before it loaded is not counted, nor what it has missed for so long that it is over.
    """

    def is_sure(one: Said) -> bool:
        told = _was_told(one, device, room) and (one.key in held or not one.over)
        return not one.fleeting or bool(one.waits) or told

    return min(MOST_UNREAD, len(list(filter(is_sure, room.news(device.owner)))))


def _was_told(said: Said, device: Device, room: Room) -> bool:
    """Whether it was written since the device loaded, and since its owner has come."""
    return said.order > max(device.began, room.joined.get(device.owner, 0))
