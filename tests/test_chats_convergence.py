"""Whatever happens to messages, and whenever devices are away, all end with what the node holds."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.changes_case import Group, text
from tests.world import Client, Refused, World

EMOJI = ("👍", "🎉", None)
OPERATIONS = ("send", "edit", "delete", "react", "pin", "unpin", "drop", "resume")


class Device:
    """A client that applies events by the rules of docs/messages.md, and knows nothing else."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.messages: dict[str, dict[str, Any]] = {}
        self.pinned: list[str] = []
        self.cursor = client.world.cursor
        self.away = False

    def take(self, chat: str) -> None:
        for event in self.client.take():
            params = event["params"]
            if event["method"] == "chat.message" and params["chat"] == chat:
                self.messages[params["id"]] = params
            elif event["method"] == "chat.changed" and params["message"]["chat"] == chat:
                self._changed(params)
            elif event["method"] == "chat.updated" and params["chat"]["chat"] == chat:
                self.pinned = params["chat"]["pinned"]
            self.cursor = params.get("cursor") or params.get("id") or self.cursor

    def _changed(self, params: dict[str, Any]) -> None:
        message = dict(params["message"])
        mine = self.messages.get(message["id"], {}).get("mine")
        reacted = params.get("reacted")
        if reacted is not None and reacted["account"] == self.client.account:
            mine = reacted["emoji"]
        message.pop("mine", None)
        if mine is not None and message.get("reactions"):
            message["mine"] = mine
        self.messages[message["id"]] = message


class ConvergenceTests(SynchronousTestCase):
    """Two accounts, three devices, in a direct chat and in a group."""

    def _play(self, steps: list[tuple[int, str, int, int]], grouped: bool) -> None:
        world = World()
        alice, bob = world.register("alice"), world.register("bob")
        chat: str = world.befriend(alice, bob)
        if grouped:
            chat = Group(world, alice, bob).id
        devices = [Device(client) for client in (alice, world.login("alice"), bob)]
        world.settle()
        sent: list[str] = [alice.write(chat, "first")["id"]]
        for device in devices:
            device.client.take()
            device.cursor = world.cursor
            page = device.client.call("chat.history", chat=chat)["messages"]
            device.messages = {message["id"]: message for message in page}
        for who, operation, which, how in steps:
            device = devices[who]
            if operation == "drop" and not device.away:
                device.take(chat)
                device.client.drop()
                device.away = True
            elif operation == "resume" and device.away:
                self._resume(device, chat)
            elif not device.away and operation not in ("drop", "resume"):
                self._do(device.client, chat, operation, sent, which, how)
                device.take(chat)
            world.clock.advance(1)
        for device in devices:
            if device.away:
                self._resume(device, chat)
        world.settle()
        for device in devices:
            device.take(chat)
            page = device.client.call("chat.history", chat=chat, limit=200)["messages"]
            ids = {message["id"] for message in page}
            # One's own messages are not told to the device that wrote them.
            held = {**{message["id"]: message for message in page}, **device.messages}
            self.assertEqual([held[message["id"]] for message in page], page)
            self.assertLessEqual(set(device.messages), ids)
            listed = device.client.call("chat.list")["chats"]
            self.assertEqual(next(each["pinned"] for each in listed if each["chat"] == chat), device.pinned)

    def _resume(self, device: Device, chat: str) -> None:
        device.client.resume(device.cursor)
        device.away = False
        device.take(chat)

    def _do(self, client: Client, chat: str, operation: str, sent: list[str], which: int, how: int) -> None:
        about = {"chat": chat, "message": sent[which % len(sent)]}
        calls: dict[str, Callable[[], Any]] = {
            "edit": lambda: client.call("message.edit", **about, body=text(f"edited {how}")),
            "delete": lambda: client.call("message.delete", **about),
            "react": lambda: client.call("message.react", **about, emoji=EMOJI[how % 3]),
            "pin": lambda: client.call("chat.pin", **about),
            "unpin": lambda: client.call("chat.unpin", **about),
        }
        try:
            if operation == "send":
                sent.append(client.write(chat, f"text {how}")["id"])
            else:
                calls[operation]()
        except Refused as refusal:
            self.assertIn(
                refusal.code, ("message_gone", "not_yours", "not_permitted", "edit_over", "too_many_pins")
            )

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(OPERATIONS), st.integers(0, 5), st.integers(0, 5)),
            max_size=40,
        ),
        st.booleans(),
    )
    def test_all_hold_the_same(self, steps: list[tuple[int, str, int, int]], grouped: bool) -> None:
        """By events alone, live and missed, each device holds what history says, reactions of its own too."""
        self._play(steps, grouped)
