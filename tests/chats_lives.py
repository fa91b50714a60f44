"""Random lives of people with several devices each: what they write, and do to what was written.

Rules draw numbers, which choose among what there is.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from safeum_home.client.methods.message import FOR_EVER
from safeum_home.client.state.chat_view import ChatView
from safeum_home.protocol.message_types import Draft
from safeum_home.protocol.types import Message
from tests.chats_names import EDITED, copy_key
from tests.chats_net import Device
from tests.chats_play import Play
from tests.chats_rooms import Key

NAMES = ["ada", "bob", "cyd", "dan"]
ANY = st.integers(0, 11)
BACK = st.integers(0, 3)
OTHER = st.integers(1, len(NAMES) - 1)


class Lives(RuleBasedStateMachine):
    """Four people and their devices."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(NAMES)
        self.words = 0
        self.copied: set[str] = set()
        """What the model calls copies that were asked for: there is one of each."""

    # --- choosing

    def _device(self, number: int) -> Device:
        return self.play.devices[number % len(self.play.devices)]

    def _other(self, device: Device, number: int) -> str:
        """Somebody else, who may have closed the account."""
        return NAMES[(NAMES.index(device.owner) + number) % len(NAMES)]

    def _word(self) -> str:
        self.words += 1
        return f"word {self.words}"

    def _view(self, device: Device, number: int) -> ChatView | None:
        """One of the chats that a device shows, but that with the node."""
        views = [view for view in device.state.chats if view.kind != "system"]
        return views[number % len(views)] if views else None

    def _room(self, device: Device, number: int) -> Key | None:
        view = self._view(device, number)
        return None if view is None else self.play.names.key_of(device.owner, view.chat)

    def _message(self, device: Device, chat: int, back: int) -> tuple[ChatView, Message] | None:
        """One of the newest messages that a device shows; mostly its own, and seldom of the node."""
        views = [view for view in device.state.chats if chat == 11 or view.kind != "system"]
        views = [view for view in views if view.messages]
        if not views:
            return None
        view = views[chat % len(views)]
        mine = [message for message in view.messages if message.sender == device.state.account]
        messages = mine if mine and back % 2 else view.messages
        message = messages[max(0, len(messages) - 1 - back)]
        if self.play.names.key_of_message(device, message).startswith("notice "):
            return None  # there may be two that say the same
        return view, message

    # --- writing

    def _write(self, device: Device, key: Key) -> None:
        text, chat, client = self._word(), self.play.names.chat_id(key), device.client
        self.play.give(
            device,
            lambda: client.send(chat, text),
            lambda: self.play.truth.write(device.owner, key, text),
            again=True,
        )

    @rule(who=ANY, to=OTHER)
    def write(self, who: int, to: int) -> None:
        device = self._device(who)
        self._write(device, self.play.truth.room(device.owner, self._other(device, to)))

    @rule(who=ANY, to=OTHER, count=st.integers(2, 5))
    def write_some(self, who: int, to: int, count: int) -> None:
        for _ in range(count):
            self.write(who, to)

    @rule(who=ANY)
    def note(self, who: int) -> None:
        device = self._device(who)
        self._write(device, self.play.truth.room(device.owner))

    @rule(who=ANY, chat=ANY, back=BACK, mention=st.integers(0, 2))
    def answer(self, who: int, chat: int, back: int, mention: int) -> None:
        """Answer a message, and perhaps mention people, who may be strangers to the chat."""
        device = self._device(who)
        if (found := self._message(device, chat, back)) is not None:
            self._answer(device, *found, mention)

    def _answer(self, device: Device, view: ChatView, message: Message, mention: int) -> None:
        client, text, names, truth = device.client, self._word(), self.play.names, self.play.truth
        key, which = names.key_of(device.owner, view.chat), names.key_of_message(device, message)
        people = truth.rooms[key].people if key in truth.rooms and mention < 2 else tuple(NAMES)
        mentioned = people[:mention]
        accounts = [names.accounts[one] for one in mentioned]
        self.play.give(
            device,
            lambda: client.send(view.chat, text, reply_to=message.id, mentions=accounts),
            lambda: truth.write(device.owner, key, text, which, mentioned),
            again=True,
        )

    @rule(who=ANY, chat=ANY, back=BACK, to=ANY)
    def forward(self, who: int, chat: int, back: int, to: int) -> None:
        device = self._device(who)
        found, key = self._message(device, chat, back), self._room(device, to)
        if found is None or key is None:
            return
        (view, message), client, names = found, device.client, self.play.names
        source, which = names.key_of(device.owner, view.chat), names.key_of_message(device, message)
        original = which.removeprefix("copy of ").partition(" in ")[0]
        called, chat_id = copy_key(original, key), names.chat_id(key)
        if called in self.copied:
            return
        self.copied.add(called)
        self.play.give(
            device,
            lambda: client.forward(chat_id, view.chat, message.id),
            lambda: self.play.truth.forward(device.owner, key, source, which, called),
            again=True,
        )

    # --- what was written

    @rule(who=ANY, chat=ANY, back=BACK)
    def read(self, who: int, chat: int, back: int) -> None:
        """One of the newest messages that the device shows was the last that was read."""
        device = self._device(who)
        if (found := self._message(device, chat, back)) is not None:
            self.play.read(device, *found)

    def _do(self, who: int, chat: int, back: int, what: str, *said: str | None) -> None:
        """Have a device do something to a message that it shows; `said` is for node and model alike."""
        device = self._device(who)
        if (found := self._message(device, chat, back)) is None:
            return
        (view, message), play, client = found, self.play, device.client
        key = play.names.key_of(device.owner, view.chat)
        which = play.names.key_of_message(device, message)
        shown = tuple(which + EDITED + str(text) for text in said) if what == "edit" else said
        play.give(
            device,
            lambda: getattr(client, what)(view.chat, message.id, *shown),
            lambda: getattr(play.truth, what)(device.owner, key, which, *shown),
            again=True,
        )

    @rule(who=ANY, chat=ANY, back=BACK)
    def edit(self, who: int, chat: int, back: int) -> None:
        self._do(who, chat, back, "edit", self._word())

    @rule(who=ANY, chat=ANY, back=BACK)
    def delete(self, who: int, chat: int, back: int) -> None:
        self._do(who, chat, back, "delete")

    @rule(
        who=ANY,
        chat=ANY,
        back=BACK,
        emoji=st.sampled_from(["\N{BLACK HEART SUIT}\ufe0f", "\U0001f44d", None]),
    )
    def react(self, who: int, chat: int, back: int, emoji: str | None) -> None:
        self._do(who, chat, back, "react", emoji)

    @rule(who=ANY, chat=ANY, back=BACK, pin=st.booleans())
    def pin(self, who: int, chat: int, back: int, pin: bool) -> None:
        self._do(who, chat, back, "pin" if pin else "unpin")

    # --- what is set for a chat

    @rule(who=ANY, chat=ANY)
    def begin_to_write(self, who: int, chat: int) -> None:
        text = self._word()
        self._set(who, chat, lambda person, key: self.play.truth.draft(person, key, text), draft=Draft(text))

    @rule(who=ANY, chat=ANY, muted=st.booleans())
    def mute(self, who: int, chat: int, muted: bool) -> None:
        until = FOR_EVER if muted else None
        self._set(who, chat, lambda person, key: self.play.truth.mute(person, key, muted), muted_until=until)

    @rule(who=ANY, chat=ANY, archived=st.booleans())
    def archive(self, who: int, chat: int, archived: bool) -> None:
        self._set(
            who, chat, lambda person, key: self.play.truth.archive(person, key, archived), archived=archived
        )

    def _set(self, who: int, chat: int, means: Callable[[str, Key], str | None], **what: Any) -> None:
        device = self._device(who)
        if (view := self._view(device, chat)) is not None:
            key, client = self.play.names.key_of(device.owner, view.chat), device.client
            self.play.give(
                device,
                lambda: client.set_chat(view.chat, **what),
                lambda: means(device.owner, key),
                again=True,
            )

    @rule(who=ANY, chat=ANY, limit=st.integers(1, 4))
    def look_back(self, who: int, chat: int, limit: int) -> None:
        device = self._device(who)
        views = device.state.chats
        if views and device.live:
            self.play.load_page(device, views[chat % len(views)], limit)
