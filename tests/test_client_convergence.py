"""A client that loads page by page, while much happens, shows in the end what one shows that loads then."""

import contextlib
from collections import deque
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.connection.connection import Listener
from safeum_home.client.connection.requests import Wire
from safeum_home.client.errors import Closing
from safeum_home.client.session import Client as SdkClient
from safeum_home.client.state import loading
from safeum_home.client.state.state import State
from safeum_home.protocol.types import ContactState
from tests.world import HOST, Client, Refused, World

FRIENDS = 5


class SlowWire:
    """A connection on which frames wait, in both directions, until they are let through."""

    def __init__(self, world: World, listener: Listener) -> None:
        self._connection = world.connect(HOST)
        self._listener = listener
        connection: Any = self._connection
        connection.write, connection.close = self._written, self._closed
        self.requests: deque[bytes] = deque()
        self.frames: deque[bytes] = deque()
        self.over = False

    def send(self, payload: bytes) -> None:
        self.requests.append(payload)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.lose()

    def up(self) -> None:
        """The node gets the next request."""
        if self.requests and not self.over:
            self._connection.receive(self.requests.popleft())

    def down(self) -> None:
        """The client gets the next frame."""
        if self.frames and not self.over:
            frame = self.frames.popleft()
            self._listener.received(frame[{126: 4, 127: 10}.get(frame[1], 2) :])

    def lose(self) -> None:
        """What is under way is lost."""
        if not self.over:
            self.over = True
            self._connection.lose()
            self._listener.closed(Closing(1006, "gone"))

    def _written(self, frame: bytes) -> None:
        self.frames.append(frame)

    def _closed(self, code: int, reason: str) -> None:
        self.lose()


class Sdk:
    """The SDK as a device of an account."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.wires: list[SlowWire] = []
        self.client = SdkClient(self._dial, world.clock, lambda: 0.0)
        self.client.resume(token)
        self.finish()
        assert self.client.opened is not None

    def _dial(self, listener: Listener) -> "Deferred[Wire]":
        self.wires.append(SlowWire(self.world, listener))
        return succeed(self.wires[-1])

    @property
    def wire(self) -> SlowWire:
        return self.wires[-1]

    @property
    def state(self) -> State:
        return self.client.state

    def finish(self) -> None:
        """Everything that is under way arrives, and what follows from it."""
        for _ in range(200):
            for _ in range(50):
                self.wire.up()
                self.wire.down()
            self.world.clock.advance(1.0)
            if not self.wire.requests and not self.wire.frames and self.state.filling is None:
                return
        raise AssertionError("it does not come to an end")


class Play:
    """Ada, who loads, her phone, and her friends, who do not wait for that."""

    def __init__(self, test: SynchronousTestCase) -> None:
        self.world = World()
        self.ada = self.world.register("ada")
        self.friends = [self.world.register(f"friend{number}") for number in range(FRIENDS)]
        self.chats = [self.world.befriend(friend, self.ada) for friend in self.friends]
        for friend, chat in zip(self.friends, self.chats, strict=True):
            friend.write(chat, "old")
        self.groups: list[str] = []
        self.makers: dict[str, Client] = {}
        self._make(self.friends[0], "of old")
        self.late = [self.world.register(f"late{number}") for number in range(2)]
        self.sdk = Sdk(self.world, self.world.login("ada").token)
        self.sdk.client.load()

    def step(self, name: str, who: int, what: int) -> None:
        friend, chat = self.friends[who % FRIENDS], self.chats[who % FRIENDS]
        with contextlib.suppress(Refused, LookupError):  # what cannot be done is not done
            self._act(name, friend, chat, who, what)

    def _act(self, name: str, friend: Client, chat: str, who: int, what: int) -> None:
        wire = self.sdk.wire
        match name:
            case "up":
                for _ in range(what + 1):
                    wire.up()
            case "down":
                for _ in range(what + 1):
                    wire.down()
            case "all":
                self.sdk.finish()
            case "time":
                self.world.clock.advance(0.1)
            case "lose":
                wire.lose()
            case "write":
                friend.write(chat, f"text {what}")
            case "answer":
                self.ada.write(chat, f"answer {what}")
            case "read":
                last = self.ada.call("chat.history", chat=chat, limit=1)["messages"][-1]
                self.ada.call("chat.read", chat=chat, upto=last["id"])
            case "edit" | "delete" | "react" | "pin" | "unpin":
                self._change(name, friend, chat, what)
            case "set":
                settings: dict[str, Any] = {"archived": what % 2 == 0, "draft": {"text": f"draft {what}"}}
                self.ada.call("chat.settings.set", chat=chat, **settings)
            case "name":
                friend.call("profile.set", profile={"display_name": f"Name {what}"})
            case "block":
                self.ada.call("contact.block" if what % 2 else "contact.unblock", account=friend.account)
            case "again":
                friend.call("contact.request", account=self.ada.account, address=self.ada.address)
                self.ada.call("contact.accept", account=friend.account)
            case "new":
                late = self.late[what % 2]
                late.call("contact.request", account=self.ada.account, address=self.ada.address)
                if what % 4 > 1:
                    self.ada.call("contact.accept", account=late.account)
            case "group":
                self._make(friend, f"{who}-{what}")
            case _:
                if self.groups:
                    self._in_group(name, friend, self.groups[what % len(self.groups)], what)

    def _make(self, friend: Client, name: str) -> None:
        """A group that Ada is in."""
        made = friend.call("group.create", client_id=name, name=f"Group {name}")["chat"]["chat"]
        if made not in self.groups:
            self.groups.append(made)
            self.makers[made] = friend
        friend.call("group.invite", chat=made, accounts=[self.ada.account])
        self.ada.call("group.accept", chat=made)

    def _change(self, name: str, friend: Client, chat: str, what: int) -> None:
        """What is there becomes something else: of a direct chat, or of a group."""
        if self.groups and what % 2:
            chat = self.groups[what % len(self.groups)]
        page = friend.call("chat.history", chat=chat, limit=2)["messages"]
        target = {"chat": chat, "message": page[what % len(page)]["id"]}
        if name == "edit":
            friend.call("message.edit", **target, body={"kind": "text", "text": f"edited {what}"})
        elif name == "react":
            by = self.ada if what % 3 else friend
            by.call("message.react", **target, emoji="\N{THUMBS UP SIGN}" if what % 4 else None)
        else:
            friend.call(
                {"delete": "message.delete", "pin": "chat.pin", "unpin": "chat.unpin"}[name], **target
            )

    def _in_group(self, name: str, friend: Client, group: str, what: int) -> None:
        match name:
            case "group write":
                friend.write(group, f"to all {what}")
            case "group answer":
                self.ada.write(group, f"of mine {what}")
            case "rename":
                friend.call("group.set", chat=group, name=f"Renamed {what}")
            case "leave":
                self.ada.call("group.leave", chat=group)
            case "remove":
                friend.call("group.remove", chat=group, account=self.ada.account)
            case "turn":
                if what & 1:
                    self.sdk.wire.lose()
                maker = self.makers[group]
                maker.call("group.remove", chat=group, account=self.ada.account)
                maker.write(group, f"without Ada {what}")
                maker.call("group.invite", chat=group, accounts=[self.ada.account])
                if what & 2:
                    self.ada.call("group.accept", chat=group)
            case "come back":
                friend.call("group.invite", chat=group, accounts=[self.ada.account])
                self.ada.call("group.accept", chat=group)


def shown(state: State) -> dict[str, Any]:
    """What a client shows, as far as a loading tells it."""
    accepted = {account for account, entry in state.contacts.items() if entry.state is ContactState.ACCEPTED}
    return {
        "chats": [
            (
                view.chat,
                view.kind,
                view.unread,
                view.read,
                view.last,
                view.pinned,
                view.settings,
                view.group,
                view.role,
                view.display_name if view.peer in accepted or view.group is not None else "",
                (view.peer_delivered, view.peer_read) if view.kind == "direct" else None,
            )
            for view in state.chats
        ],
        "contacts": dict(sorted(state.contacts.items())),
        "unread": state.unread,
    }


STEPS = (
    *("up", "down", "up", "down", "time", "lose", "write", "write", "answer", "read", "name", "block"),
    *("edit", "delete", "react", "react", "pin", "unpin", "set"),
    *("again", "new", "group", "group write", "group answer", "rename", "leave", "remove", "come back"),
    *("all", "turn", "turn"),
)
STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, FRIENDS - 1), st.integers(0, 7))


class ConvergenceTests(SynchronousTestCase):
    timeout: ClassVar[int] = 120

    @given(st.lists(STEP, max_size=40))
    @settings(max_examples=60, deadline=None)
    def test_it_comes_to_the_same(self, steps: list[tuple[str, int, int]]) -> None:
        """Whatever happened while it was loading, and however often the connection was lost."""
        self.patch(loading, "PAGE", 2)
        self.patch(loading, "FIRST", 2)
        play = Play(self)
        for step in steps:
            play.step(*step)
        play.world.settle(10)
        play.sdk.finish()
        play.world.settle(10)
        play.sdk.finish()
        fresh = Sdk(play.world, play.world.login("ada").token)
        fresh.client.load()
        fresh.finish()
        play.sdk.finish()
        play.world.settle(10)
        fresh.finish()
        play.sdk.finish()
        self.maxDiff = None
        self.assertEqual(shown(play.sdk.state), shown(fresh.state))
        for view in play.sdk.state.chats:
            kept = play.ada.call("chat.history", chat=view.chat, limit=200)["messages"]
            self.assertLessEqual({held.id for held in view.messages}, {one["id"] for one in kept})
