"""What a device shows, held against the model."""

from collections import Counter
from functools import partial

from safeum_home.client.state.chat_view import ChatView
from safeum_home.protocol.types import ContactState
from tests.chats_groups_truth import Group
from tests.chats_history_check import check_loose, fewest_unread
from tests.chats_history_truth import HistoryTruth
from tests.chats_names import Names
from tests.chats_net import Device
from tests.chats_rooms import Room


class Check:
    """Compares; raises AssertionError."""

    def __init__(self, truth: HistoryTruth, names: Names) -> None:
        self._truth = truth
        self._names = names

    def shown(self, device: Device) -> None:
        """What a device shows is what is true."""
        self._contacts(device)
        person, state, truth = device.owner, device.state, self._truth
        invited = {self._names.chat_id(key) for key in truth.invitations(person)}
        assert set(state.groups.invitations) == invited, f"invitations of {person}"
        keys = {self._names.chat_id(truth.key_of(room)): room for room in truth.rooms_of(person)}
        views = {view.chat for view in state.chats}
        assert views == set(keys), f"chats of {person}: {views}, {keys}"
        placed = [chat for chat in keys if not keys[chat].loose]  # others have their place by what is gone
        assert [view.chat for view in state.chats if view.chat in placed] == placed, f"chats of {person}"
        for view in state.chats:
            self._room(device, view, keys[view.chat])

    def _contacts(self, device: Device) -> None:
        person, truth = device.owner, self._truth
        shown = {self._names.name_of(one): contact for one, contact in device.state.contacts.items()}
        states = {name: contact.state for name, contact in shown.items()}
        expected = {
            name: one for name, one in truth.people[person].contacts.items() if one is not ContactState.NONE
        }
        assert states == expected, f"contacts of {person}: {states} for {expected}"
        for name, contact in shown.items():
            called = truth.people[name].shown if contact.state is ContactState.ACCEPTED else ""
            assert contact.display_name == called, f"{person} sees {contact.display_name!r} for {called!r}"
            assert contact.chat == self._names.chat_id(truth.room(person, name))

    def _room(self, device: Device, view: ChatView, room: Room) -> None:
        about = f"{device.owner} on {device.id} in {room.kind} {room.people}"
        assert (view.history, view.erased is not None) == (room.history, room.loose), about
        self._messages(device, view, room, about)
        assert [self._names.keys[each] for each in view.pinned] == room.pinned, (about, view.pinned, room)
        self._settings(device.owner, view, room, about)
        self._unread(device, view, room, about)
        self._markers(device.owner, view, room, about)
        if isinstance(room, Group):
            group = view.group
            assert group is not None and group.name == room.called and group.earlier == room.earlier, about
            assert group.members == len(room.people), f"{about}: {group.members} members"
            assert view.role == room.roles[device.owner], f"{about}: {view.role}"

    def _messages(self, device: Device, view: ChatView, room: Room, about: str) -> None:
        held, person = self._names.shown(device, view), device.owner
        if room.loose:
            check_loose(device, view, room, held)
            return
        true = [said.shown_to(person) for said in room.seen(person)[-len(held) :]]
        assert held == true, f"{about}: {held} for {true}"
        if view.loaded:
            assert view.more or len(held) == len(room.seen(person)), about

    def _settings(self, person: str, view: ChatView, room: Room, about: str) -> None:
        draft = "" if view.settings.draft is None else view.settings.draft.text
        assert draft == room.drafts.get(person, ""), f"{about}: draft {draft}"
        assert (view.settings.muted_until is not None) == room.muted.get(person, False), about
        if not room.loose:  # else the last one may be gone
            assert view.archived(0) == room.shown_archived(person), f"{about}: {view.settings}, {room}"

    def _unread(self, device: Device, view: ChatView, room: Room, about: str) -> None:
        held = {self._names.key_of_message(device, message) for message in view.messages if room.loose}
        least, most = fewest_unread(device, room, held), room.unread(device.owner, device.missed)
        # Who writes has read what was before; a device that loads when what he wrote is gone cannot know.
        # How many follow a message that is not held cannot be counted before it is loaded.
        counted = view.read is None or view.place(view.read) >= 0
        assert least <= view.unread, f"{about}: {view.unread} unread for {least} at least"
        assert view.unread <= most or not counted, f"{about}: {view.unread} unread for {most}"

    def _markers(self, person: str, view: ChatView, room: Room, about: str) -> None:
        """Up to where was read; in a group the others' markers are not told, and joining moves one's own."""
        start = room.start[person] if isinstance(room, Group) else 0
        self._marker(view.read, room, room.read.get(person, 0), start, about)
        if (other := room.other(person)) is not None:
            self._marker(view.peer_read, room, room.read.get(other, 0), 0, f"{about}, the other")
            delivered = self._names.keys.get(view.peer_delivered or "", "")
            gone = not delivered.startswith("notice ") and -1 < room.find(delivered) < room.erased
            assert not gone, f"{about}: {delivered} was delivered, and was erased"

    def _marker(self, marker: str | None, room: Room, read: int, start: int, about: str) -> None:
        key = None if marker is None else self._names.keys.get(marker)
        upto = 0 if key is None or key.startswith("notice ") else room.find(key) + 1
        assert upto == read or (not upto and read <= start), f"{about}: read up to {upto} ({key}) for {read}"

    # --- when all has settled, and everybody is there

    def delivered(self, device: Device) -> None:
        """Everybody holds everything."""
        person, truth = device.owner, self._truth
        for view in device.state.chats:
            room = truth.rooms.get(truth.room(person, self._names.name_of(view.peer)))
            if view.kind != "direct" or room is None or room.loose:
                continue
            theirs = [said for said in room.said if said.sender == person]
            if theirs and len(view.messages) == len(room.said):
                place = view.place(view.peer_delivered)
                assert place >= room.find(theirs[-1].key), (
                    f"{person}: delivered up to {place} in {room}, {view}"
                )

    def rosters(self, device: Device) -> None:
        """Whoever asks is told who is in a group, and who has read what was written last."""
        for room in self._truth.groups_of(device.owner):
            key = self._truth.key_of(room)
            chat, client = self._names.chat_id(key), device.client
            listed = device.ask(partial(client.members, chat)).needed()
            found = Counter((self._names.name_of(one.account), one.role, one.state) for one in listed.members)
            assert found == self._truth.roster(key), f"{found} for {self._truth.roster(key)}"
            written = [said for said in room.seen(device.owner) if not said.of_node and not said.fleeting]
            if written and (last := self._names.id_of(written[-1].key)) is not None:
                answer = device.ask(partial(client.readers, chat, last)).needed()
                readers = set(map(self._names.name_of, answer.readers))
                expected = self._truth.readers(key, written[-1].key)
                assert readers == expected, f"{readers} have read {written[-1]} for {expected}"
