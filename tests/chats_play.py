"""What people do on their devices, given to a node and to the model alike; and the two compared."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from safeum_home.client.chat_view import ChatView
from safeum_home.client.errors import Disconnected, RemoteProblem, TimedOut
from safeum_home.ids import AccountId, direct_chat_id, system_account
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import ContactState, Message, Notice, Text
from tests.chats_groups_truth import Group, notice
from tests.chats_history_check import check_loose, fleeting_row, may_be_empty
from tests.chats_history_truth import HistoryTruth
from tests.chats_net import Asked, Device, Net
from tests.chats_truth import NODE, Room, Said, Shown
from tests.world import NODE as NODE_NAME
from tests.world import PASSWORD

EDITED = " / "
"""Stands between what a message said at first and what it says now."""
PIN = "284716"
MOST_DEVICES = 3

Key = tuple[str, ...]
Apply = Callable[[], str | None]


@dataclass
class Order:
    """A command that was given and not answered yet, and what it does to the model.

    `again`: the client gives it again on the next connection.
    """

    asked: Asked
    apply: Apply
    again: bool
    expected: str | None = None


class Play:
    """A node with people, their devices, and what is true of them."""

    def __init__(self, names: list[str]) -> None:
        self.net = Net()
        self.truth = HistoryTruth(names)
        self.truth.away, self.truth.kept = self._away, self.kept
        self._writing: Device | None = None
        self.accounts: dict[str, AccountId] = {}
        self.devices: list[Device] = []
        self.orders: dict[Device, list[Order]] = {}
        self.groups: dict[str, str] = {}
        """The ids of groups, by what the model calls them."""
        self.keys: dict[str, str] = {}
        """What the model calls messages, by their ids."""
        for name in names:
            self._enter(name, new=True)

    # --- devices

    def _enter(self, name: str, *, new: bool) -> Device:
        device = Device(self.net, name)
        device.connecting = lambda: self._replay(device)
        self.devices.append(device)
        self.orders[device] = []
        device.enter(new=new)
        assert device.client.opened is not None
        self.accounts[name] = AccountId(device.client.opened.account)
        self.truth.alert(name, device.id)
        device.began = self.truth.order
        self.net.run()
        return device

    def load(self, device: Device) -> None:
        """The device loads all anew: of chats without history, what is there still."""
        device.load()
        device.began = self.truth.order

    def _away(self, room: Room) -> set[str]:
        devices = [device for device in self.devices if device is not self._writing and not device.live]
        return {device.id for device in devices if device.owner in room.people}

    def _applied(self, device: Device, apply: Apply) -> str | None:
        self._writing = device
        try:
            return apply()
        finally:
            self._writing = None

    def kept(self, said: Said) -> bool:
        """Whether the node has the message."""
        found = next((one for one, key in self.keys.items() if key == said.key), None)
        return found is None or fleeting_row(self.net.world, found)

    def look_at_waiting(self) -> None:
        """What a device waits for is there, and what is over is not."""
        self.truth.only({device.id: device.owner for device in self.devices})
        for device in self.devices:
            if device.live:
                self.truth.arrived(device.id)
        for room in self.truth.rooms.values():
            for said in room.said[room.erased :] if room.loose else ():
                if said.fleeting and said.key in self._words:
                    there = fleeting_row(self.net.world, self._words[said.key])
                    assert there or not said.waits, f"{said} was dropped too early"
                    assert not there or not said.over, f"{said} is still there"

    @property
    def _words(self) -> dict[str, str]:
        return {key: one for one, key in self.keys.items() if not key.startswith("notice ")}

    def let_all_go(self) -> None:
        """Where all members' devices are there, nothing waits a minute later, and nothing can be read."""
        for device in self.devices:
            if device.connected:
                self.bring_back(device)
        self.net.settle(15)
        for device in self.devices:
            self._settle_orders(device)
        if any(self.orders.values()):
            return  # a minute is longer than a client waits for an answer
        self.net.settle(75)
        self.look_at_waiting()
        gone = {device.owner for device in self.devices if not device.live}
        for room in self.truth.rooms.values():
            if not gone & set(room.people):
                for said in room.said:
                    said.over = said.over or said.fleeting
        self.look_at_waiting()

    def week(self) -> None:
        """The node is away for a week, and all that waited is gone then."""
        for device in self.devices:
            self._settle_orders(device)
        if any(self.orders.values()):
            return
        self.net.restart(7 * 86400 + 3600)
        self.truth.drop_all()
        for device in self.devices:
            if not device.away:
                self.bring_back(device)
        self.net.settle(1)

    def login(self, name: str) -> None:
        """A fresh device; of too many the oldest is logged out."""
        mine = [device for device in self.devices if device.owner == name]
        self._enter(name, new=False)
        if len(mine) >= MOST_DEVICES:
            self.end(mine[0])

    def end(self, device: Device) -> None:
        """Log out; nothing of the device is left."""
        self.bring_back(device)
        device.ask(device.client.logout)
        self.net.settle()
        self.devices.remove(device)
        del self.orders[device]

    def cut(self, device: Device, *, away: bool) -> None:
        device.cut(away=away)

    def bring_back(self, device: Device) -> None:
        """The device is connected, and what it was told arrives."""
        if device.connected:
            assert device.link is not None
            device.link.slow = False
            self.net.run()
        else:
            device.back()
        self._settle_orders(device)

    def _replay(self, device: Device) -> None:
        """What is given again reaches the node as soon as the client is back."""
        for order in self.orders[device]:
            if order.again and not order.asked.done:
                order.expected = self._applied(device, order.apply)

    def give(
        self, device: Device, told: Callable[[], Awaitable[object]], apply: Apply, *, again: bool = False
    ) -> None:
        """Have the device give a command, which does `apply` to the model when it reaches the node."""
        expected = self._applied(device, apply) if device.connected else None
        self.orders[device].append(Order(device.ask(told), apply, again, expected))
        self._settle_orders(device)

    def _settle_orders(self, device: Device) -> None:
        """Those that were answered were answered as the model says."""
        for order in [order for order in self.orders[device] if order.asked.done]:
            self.orders[device].remove(order)
            error = order.asked.error
            if isinstance(error, Disconnected):
                assert not order.again, error
            elif isinstance(error, TimedOut):
                pass  # it was done if it reached the node, and is not given again
            elif isinstance(error, RemoteProblem):
                assert error.code == order.expected, (error, order.expected)
            else:
                assert error is None, error
                assert order.expected is None, f"{order.expected} was expected"

    def read(self, device: Device, view: ChatView, message: Message) -> None:
        """Everything up to a message was read on a device."""
        key, upto, client = self.key_of(device, view), self.key_of_message(message), device.client
        self.give(
            device,
            lambda: client.read(view.chat, message.id),
            lambda: self.truth.mark(device.owner, key, upto),
            again=True,
        )

    def create(self, device: Device, called: str, earlier: bool, invite: list[str]) -> None:
        """Make a group on a device that hears of it at once: its id is needed."""
        name, client = f"group {len(self.groups)}", device.client
        accounts = [self.accounts[one] for one in invite]
        made = device.ask(lambda: client.create_group(called, accounts, earlier=earlier)).needed()
        self.groups[name] = made.chat.chat
        self.truth.create(device.owner, name, called, earlier, invite)

    # --- the node

    def restart(self) -> None:
        """The node is killed and started again; those who have a network come back."""
        self.net.restart()
        for device in self.devices:
            if not device.away:
                self.bring_back(device)

    def dies_committing(self, device: Device, key: Key, text: str, *, committed: bool) -> None:
        """The node is killed before it has told what it committed, or before it has committed it."""
        if not device.connected:
            return
        database = self.net.world.database
        database.hold = True
        chat, client = self.chat_id(key), device.client
        asked = device.ask(lambda: client.send(chat, text))
        order = Order(asked, lambda: self.truth.write(device.owner, key, text), again=True)
        self.orders[device].append(order)
        if committed:
            database.commit()
        if committed or asked.done:  # what is refused is refused without the disk
            order.expected = self._applied(device, order.apply)
        self.restart()

    def close(self, name: str) -> None:
        """Somebody closes his account for ever, with a PIN."""
        [device, *others] = [device for device in self.devices if device.owner == name]
        self.bring_back(device)
        client = device.client
        device.ask(lambda: client.set_pin(PASSWORD, PIN)).needed()
        closing = device.ask(lambda: client.close_account(PIN))
        self.net.settle(25)
        assert closing.done and not isinstance(closing.error, RemoteProblem), closing.error
        self.truth.close(name)
        for one in (device, *others):
            self.devices.remove(one)
            del self.orders[one]
            one.cut(away=True)

    # --- what is shown

    def chat_id(self, key: Key) -> str:
        kind, *people = key
        if kind == "group":
            return self.groups[people[0]]
        if kind == "system":
            return str(direct_chat_id(self.accounts[people[0]], system_account(NODE_NAME)))
        return str(direct_chat_id(self.accounts[people[0]], self.accounts[people[-1]]))

    def key_of(self, device: Device, view: ChatView) -> Key:
        """The model's name of a chat that a device shows."""
        if view.kind == "system":
            return "system", device.owner
        if view.kind == "group":
            return "group", next(name for name, chat in self.groups.items() if chat == view.chat)
        return next(
            key
            for other in self.accounts
            if self.chat_id(key := self.truth.room(device.owner, other)) == view.chat
        )

    def name_of(self, account: str) -> str:
        return next((name for name, one in self.accounts.items() if one == account), NODE)

    def key_of_message(self, message: Message) -> str:
        """What the model calls a message: what it said at first. Of a stub that is known from before."""
        if message.id not in self.keys:
            self.keys[message.id] = self._first_key(message.body)
        return self.keys[message.id]

    def _first_key(self, body: object) -> str:
        if isinstance(body, Text):
            return body.text.partition(EDITED)[0]
        if isinstance(body, Notice):
            who, by = (None if one is None else self.name_of(one) for one in (body.who, body.by))
            return notice(body.action, who, by, body.text)
        return f"login {getattr(body, 'device', '')}"

    def _shown(self, message: Message) -> Shown:
        body, key = message.body, self.key_of_message(message)
        text = body.text if isinstance(body, Text) else None if isinstance(body, Deleted) else key
        reactions = {each.emoji: each.count for each in message.reactions}
        sender, edited = self.name_of(message.sender), message.edited is not None
        return Shown(key, sender, text, edited, reactions, message.mine)

    def check(self, device: Device) -> None:
        """What a device shows is what is true."""
        person, state, truth = device.owner, device.state, self.truth
        shown = {self.name_of(one): contact for one, contact in state.contacts.items()}
        states = {name: contact.state for name, contact in shown.items()}
        expected = {
            name: one for name, one in truth.people[person].contacts.items() if one is not ContactState.NONE
        }
        assert states == expected, f"contacts of {person}: {states} for {expected}"
        for name, contact in shown.items():
            called = truth.people[name].shown if contact.state is ContactState.ACCEPTED else ""
            assert contact.display_name == called, f"{person} sees {contact.display_name!r} for {called!r}"
            assert contact.chat == self.chat_id(truth.room(person, name))
        invited = {self.chat_id(key) for key in truth.invitations(person)}
        assert set(state.groups.invitations) == invited, f"invitations of {person}"
        rooms = truth.rooms_of(person)
        keys = {self.chat_id(truth.key_of(room)): room for room in rooms}
        views = {view.chat for view in state.chats}
        missing = [self.chat_id(truth.key_of(room)) for room in rooms if may_be_empty(device, room)]
        assert views <= set(keys) and set(keys) - views <= set(missing), f"chats of {person}: {views}, {keys}"
        placed = [chat for chat in keys if not keys[chat].loose]  # others have their place by what is gone
        assert [view.chat for view in state.chats if view.chat in placed] == placed, f"chats of {person}"
        for view in state.chats:
            self._check_room(device, view, keys[view.chat])

    def _check_room(self, device: Device, view: ChatView, room: Room) -> None:
        person = device.owner
        about = f"{person} in {room.kind} {room.people}"
        held = [self._shown(message) for message in view.messages]
        assert (view.history, view.erased is not None) == (room.history, room.loose), about
        draft, muted = view.settings.draft, view.settings.muted_until is not None
        assert ("" if draft is None else draft.text) == room.drafts.get(person, ""), about
        assert muted == room.muted.get(person, False), about
        if room.loose:
            check_loose(device, view, room, held, self.truth.order)
            return
        true = [said.shown_to(person) for said in room.seen(person)[-len(held) :]]
        assert held == true, f"{about}: {held} for {true}"
        assert [self.keys[each] for each in view.pinned] == room.pinned, (about, view.pinned, room)
        if view.loaded:
            assert view.more or len(held) == len(room.seen(person)), about
        unread, news = view.unread, room.unread(person)
        # How many follow a message that is not held cannot be counted before it is loaded.
        counted = view.read is None or view.place(view.read) >= 0
        assert unread == news or (unread > news and not counted), f"{about}: {unread} unread for {news}"
        if isinstance(room, Group):
            group = view.group
            assert group is not None and group.name == room.called and group.earlier == room.earlier, about
            assert group.members == len(room.people), f"{about}: {group.members} members"
            assert view.role == room.roles[person], f"{about}: {view.role} for {room.roles[person]}"
            return  # how far one has read is told to one's own devices alone, and begins with the joining
        self._check_marker(view, room, view.read, room.read.get(person, 0), about)
        if (other := room.other(person)) is not None:
            self._check_marker(view, room, view.peer_read, room.read.get(other, 0), f"{about}, the other")

    def _check_marker(self, view: ChatView, room: Room, marker: str | None, read: int, about: str) -> None:
        place = view.place(marker)
        if marker is None or place >= 0:
            upto = 0 if marker is None else len(room.said) - len(view.messages) + place + 1
            assert upto == read, f"{about}: read up to {upto} for {read}"
        else:
            assert read <= len(room.said) - len(view.messages), f"{about}: read {read}"

    def check_delivered(self, device: Device) -> None:
        """When all has settled, and everybody is there: everybody holds everything."""
        person = device.owner
        for view in device.state.chats:
            room = self.truth.rooms.get(self.truth.room(person, self.name_of(view.peer)))
            if view.kind != "direct" or room is None or room.loose:
                continue
            theirs = [said for said in room.said if said.sender == person]
            if theirs and len(view.messages) == len(room.said):
                place = view.place(view.peer_delivered)
                assert place >= room.find(theirs[-1].key), (
                    f"{person}: delivered up to {place} in {room}, {view}"
                )

    def check_rosters(self, device: Device) -> None:
        """Whoever asks for the members of a group is told who is in it."""
        for room in self.truth.groups_of(device.owner):
            key = self.truth.key_of(room)
            listed = device.ask(partial(device.client.members, self.chat_id(key))).needed()
            found = Counter((self.name_of(one.account), one.role, one.state) for one in listed.members)
            assert found == self.truth.roster(key), f"{found} for {self.truth.roster(key)}"

    def load_all(self, device: Device) -> None:
        """Load all of all chats."""
        for view in device.state.chats:
            while self.load_page(device, view, 200):
                pass
            assert not view.more

    def load_page(self, device: Device, view: ChatView, limit: int) -> bool:
        """The page before what is held, as who looks at a chat has it; whether there are more."""
        before = view.messages[0].id if view.loaded and view.messages else None
        client = device.client
        page = device.ask(lambda: client.history(view.chat, before, limit)).needed()
        device.state.page(view.chat, page.messages, page.more)
        return bool(page.more)

    def finish(self) -> None:
        """Everybody comes back, and sees what is true; so does who looks for the first time."""
        for device in self.devices:
            self.bring_back(device)
        self.net.settle(25)  # whoever has switched a history off is answered after a turn of the keyring
        for device in self.devices:
            assert device.live, "it did not come back"
            self._settle_orders(device)
            assert self.orders[device] == [], "a command was never answered"
            self.check(device)
        for name in [name for name, person in self.truth.people.items() if not person.closed]:
            self.login(name)
        self.net.settle(1)
        for device in self.devices:
            self.check(device)
            self.load_all(device)
            self.check(device)
            self.check_rosters(device)
        self.net.settle(75)
        world = self.net.world
        assert world.database.count("spool") == 0, "something waits, though everybody has everything"
        for device in self.devices:
            self.check_delivered(device)
            ended = device.client.close()
            assert ended.called
        assert self.net.world.late == []
