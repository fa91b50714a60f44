"""What people do on their devices, given to a node and to the model alike; and the two compared."""

from collections.abc import Awaitable, Callable
from typing import Any

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.state.chat_view import ChatView
from safeum_home.ids import AccountId
from safeum_home.protocol.types import Message
from tests.chats_history_check import fleeting_row
from tests.chats_net import Device
from tests.chats_orders import Order, Orders
from tests.chats_rooms import Key
from tests.world import PASSWORD

PIN = "284716"
MOST_DEVICES = 3


class Play(Orders):
    """A node with people, their devices, and what is true of them."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.links: list[tuple[str, Key, int]] = []
        """All links of groups that there were ever, of which group, and their numbers there."""
        for name in names:
            self._enter(name, new=True)

    # --- devices

    def _enter(self, name: str, *, new: bool) -> Device:
        device = Device(self.net, name)
        device.connecting = lambda: self.replay(device)
        self.devices.append(device)
        self.orders[device] = []
        device.enter(new=new)
        assert device.client.opened is not None
        self.names.accounts[name] = AccountId(device.client.opened.account)
        self.truth.alert(name, device.id)
        self.loaded(device)
        self.net.run()
        return device

    def load(self, device: Device) -> None:
        """The device loads all anew: of chats without history, what is there still."""
        device.load()
        self.loaded(device)

    def look_at_waiting(self) -> None:
        """What a device waits for is there, and what is over is not."""
        self.truth.only({device.id: device.owner for device in self.devices})
        for device in self.devices:
            if device.live:
                self.truth.arrived(device.id)
        for room in self.truth.rooms.values():
            for said in room.said[room.erased :] if room.loose else ():
                if said.fleeting and (named := self.names.id_of(said.key)) is not None:
                    there = fleeting_row(self.net.world, named)
                    assert there or not said.waits, f"{said} was dropped too early"
                    assert not there or not said.over, f"{said} is still there"

    def let_all_go(self) -> None:
        """Where all members' devices are there, nothing waits a minute later, and nothing can be read."""
        for device in self.devices:
            if device.connected:
                self.bring_back(device)
        self.net.settle(15)
        for device in self.devices:
            self.settle_orders(device)
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
            self.settle_orders(device)
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
        self.settle_orders(device)

    def slow(self, device: Device, frames: int) -> None:
        """What the device is told is under way from now on; so many frames of it arrive.

        For a message of which nothing more is under way it does not wait any more.
        """
        assert device.link is not None
        device.link.slow = True
        arrived = device.link.named(frames)
        device.link.deliver(frames)
        arrived -= device.link.named()
        self.net.run()
        for view in device.state.chats:
            room = self.truth.rooms.get(self.names.key_of(device.owner, view.chat))
            for message in [message for message in view.messages if message.id in arrived]:
                key = self.names.key_of_message(device, message)
                if room is not None and not key.startswith("notice "):  # there may be two that say the same
                    room.said[room.find(key)].waits.discard(device.id)

    def read(self, device: Device, view: ChatView, message: Message) -> None:
        """Everything up to a message was read on a device."""
        client, upto = device.client, self.names.key_of_message(device, message)
        key = self.names.key_of(device.owner, view.chat)
        self.give(
            device,
            lambda: client.read(view.chat, message.id),
            lambda: self.truth.mark(device.owner, key, upto),
            again=True,
        )

    # --- what has an answer that is needed: given on devices that hear of it at once

    def create(self, device: Device, called: str, earlier: bool, invite: list[str]) -> None:
        """Make a group."""
        name, client = f"group {len(self.names.groups)}", device.client
        accounts = [self.names.accounts[one] for one in invite]
        made = device.ask(lambda: client.create_group(called, accounts, earlier=earlier)).needed()
        self.names.groups[name] = made.chat.chat
        self.truth.create(device.owner, name, called, earlier, invite)

    def make_link(self, device: Device, key: Key) -> None:
        """Make a link into a group, in place of the one before."""
        client, chat = device.client, self.names.chat_id(key)
        answer = self._answer(device, lambda: client.reset_group_link(chat))
        expected = self.truth.make_link(device.owner, key)
        if isinstance(answer, str):
            assert answer == expected, (answer, expected)
            return
        assert expected is None, f"{expected} was expected"
        room = self.truth.group(key)
        assert room is not None
        self.links.append((answer.link, key, room.link))

    def _answer(self, device: Device, told: Callable[[], Awaitable[Any]]) -> Any:
        """An answer, or the code that a command is refused with."""
        asked = device.ask(told)
        return asked.error.code if isinstance(asked.error, RemoteProblem) else asked.needed()

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
        chat, client = self.names.chat_id(key), device.client
        asked = device.ask(lambda: client.send(chat, text))
        order = Order(asked, lambda: self.truth.write(device.owner, key, text), again=True)
        self.orders[device].append(order)
        if committed:
            database.commit()
        if committed or asked.done:  # what is refused is refused without the disk
            order.expected = self.applied(device, order.apply)
        self.restart()

    def close(self, name: str) -> None:
        """Somebody closes his account for ever, with a PIN."""
        [device, *others] = [device for device in self.devices if device.owner == name]
        self.bring_back(device)
        client = device.client
        device.ask(lambda: client.set_pin(PASSWORD, PIN)).needed()
        closing = device.ask(lambda: client.close_account(PIN))
        # Who comes back before it is answered finds it closed.
        assert not self.net.has_account(self.names.accounts[name])
        self.truth.close(name)
        self.net.settle(25)
        assert closing.done and not isinstance(closing.error, RemoteProblem), closing.error
        for one in (device, *others):
            self.devices.remove(one)
            del self.orders[one]
            one.cut(away=True)

    # --- what is shown

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
        self.look_at_waiting()
        for device in self.devices:
            assert device.live, "it did not come back"
            self.settle_orders(device)
            assert self.orders[device] == [], "a command was never answered"
            self.check.shown(device)
        for name in [name for name, person in self.truth.people.items() if not person.closed]:
            self.login(name)
        self.net.settle(1)
        for device in self.devices:
            self.check.shown(device)
            self.load_all(device)
            self.check.shown(device)
            self.check.rosters(device)
        self.net.settle(75)
        world = self.net.world
        assert world.database.count("spool") == 0, "something waits, though everybody has everything"
        for device in self.devices:
            self.check.delivered(device)
            ended = device.client.close()
            assert ended.called
        assert self.net.world.late == []
