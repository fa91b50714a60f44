"""What a device shows of a chat whose history was disabled at some time, held against the model."""

from sqlalchemy import select

from safeum_home.client.chat_view import ChatView
from safeum_home.storage.schema import events
from tests.chats_net import Device
from tests.chats_rooms import MOST_UNREAD, Room, Said, Shown
from tests.world import World


def fleeting_row(world: World, message: str) -> bool:
    """Whether the node has a message."""
    position = world.vault.cursors.decode(message)
    query = select(events.c.position).where(events.c.position == position)
    return world.database.now(lambda c: c.execute(query).first()) is not None


def check_loose(device: Device, view: ChatView, room: Room, held: list[Shown]) -> None:
    """Nothing of what was erased, all that it was told since it loaded, and all that is kept behind that.

    What was dropped before it loaded may be missing.
    """
    person = device.owner
    about = f"{person} on {device.id} in {room.kind} {room.people} without history"
    seen = room.seen(person)
    places = {said.key: place for place, said in enumerate(seen)}
    strict = [shown for shown in held if shown.sender != person]
    assert strict == sorted(strict, key=lambda shown: places.get(shown.key, -1)), (
        f"{about}: {held} for {seen}"
    )
    # One's own that was dropped before its sender had the answer stands where that came: no event moves it.
    held = sorted(held, key=lambda shown: places.get(shown.key, -1))
    place = 0
    left_out: list[Said] = []
    for shown in held:
        while place < len(seen) and seen[place].key != shown.key:
            left_out.append(seen[place])
            place += 1
        assert place < len(seen), f"{about}: {shown} is not to be seen; {held} for {seen}"
        said = seen[place]
        assert said.over or shown == said.shown_to(person), f"{about}: {shown} for {said}"
        if shown is held[0]:
            left_out = [one for one in left_out if _was_told(one, device, room)]
        place += 1
    left_out += seen[place:] if held else [one for one in seen if _was_told(one, device, room)]
    complete = view.loaded and not view.more
    for said in left_out:
        needed = not said.fleeting or _was_told(said, device, room) or (complete and said.waits)
        assert not needed or (said.over and said.fleeting), f"{about}: {said} is missing in {held}"
    if complete:
        kept = [said.key for said in seen if not said.fleeting]
        assert [shown.key for shown in held if shown.key in kept] == kept, f"{about}: {held} for {kept}"


def may_be_empty(device: Device, room: Room) -> bool:
    """Whether a device may show nothing of a chat: a client lists those that hold a message."""
    return room.loose and not any(
        not said.over and (not said.fleeting or _was_told(said, device, room))
        for said in room.seen(device.owner)
    )


def fewest_unread(device: Device, room: Room) -> int:
    """How many unread messages a device shows at least: what was dropped before it loaded is not counted."""
    news = room.news(device.owner)
    sure = [one for one in news if not one.fleeting or one.waits or _was_told(one, device, room)]
    return min(MOST_UNREAD, len(sure))


def _was_told(said: Said, device: Device, room: Room) -> bool:
    """Whether it was written since the device loaded, and since its owner has come."""
    return said.order > max(device.began, room.joined.get(device.owner, 0))
