"""Random lives: chats without history, devices, connections that are slow or break, and a node that dies."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from safeum_home.protocol.types import Text
from tests.chats_lives import ANY, BACK, NAMES, OTHER
from tests.chats_lives_social import SocialLives


class RoughLives(SocialLives):
    """Lives in which what was written goes, and in which machines fail."""

    def __init__(self) -> None:
        super().__init__()
        self.weeks = 0

    # --- chats without history

    @rule(who=ANY, chat=ANY, enabled=st.sampled_from([False, False, True]))
    def switch(self, who: int, chat: int, enabled: bool) -> None:
        """Disable the history of a chat, or have messages kept again."""
        device = self._device(who)
        if (key := self._room(device, chat)) is None or not device.connected:
            return
        named, client = self.play.names.chat_id(key), device.client
        self.play.give(
            device,
            lambda: client.set_history(named, enabled),
            lambda: self.play.truth.set_history(device.owner, key, enabled),
        )

    @rule(who=ANY, away=ANY, chat=ANY, count=st.integers(1, 3), then=st.integers(0, 3))
    def pass_by(self, who: int, away: int, chat: int, count: int, then: int) -> None:
        """Something is written, and perhaps the history disabled, while a device is away or slow."""
        device, missing = self._device(who), self._device(away)
        if then % 2:
            self.play.cut(missing, away=True)
        else:
            self.slow(away, 0)
        if (key := self._room(device, chat)) is not None:
            for _ in range(count):
                self._write(device, key)
            if then > 1:
                self.switch(who, chat, enabled=False)
                self._write(device, key)
        self.play.net.settle()

    @rule(who=ANY, chat=ANY, on=ANY)
    def switch_twice(self, who: int, chat: int, on: int) -> None:
        """A chat is erased again while the keyring rests: its rows are still there, and nobody sees them."""
        device = self._device(who)
        if (key := self._room(device, chat)) is None:
            return
        self.switch(who, chat, enabled=False)
        self.switch(who, chat, enabled=True)
        for writer in map(self._device, (who, on)):
            if key in self.play.truth.rooms and writer.owner in self.play.truth.rooms[key].people:
                self._write(writer, key)
        late, view = self._device(on), self._device(on).state.chat(self.play.names.chat_id(key))
        self.slow(on, 0)
        self.switch(who, chat, enabled=False)
        self.load(who)
        if view is not None and view.last is not None and isinstance(view.last.body, Text):
            self._answer(late, view, view.last, 0)  # it does not know yet
        self.play.bring_back(late)
        self.load(on)

    @rule(who=ANY, chat=ANY)
    def copy_unseen(self, who: int, chat: int) -> None:
        """Who has a message copied into a chat without history is away before it hears what that holds."""
        for each in list(self.play.devices):
            self.play.bring_back(each)
        device = self._device(who)
        if (key := self._room(device, chat)) is None:
            return
        self.switch(who, chat, enabled=False)
        self._write(device, key)
        self.slow(who, 0)
        self.forward(who, 0, 0, 0)  # the chat that was written in last is the first
        self.play.cut(device, away=True)
        self.play.net.settle(1)
        self.play.bring_back(device)

    @rule()
    def let_all_go(self) -> None:
        self.play.let_all_go()

    @precondition(lambda self: not self.weeks)
    @rule(sure=st.booleans())
    def week(self, sure: bool) -> None:
        if sure:
            self.weeks += 1
            self.play.week()

    # --- devices and the network

    @rule(who=ANY)
    def login(self, who: int) -> None:
        self.play.login(self._device(who).owner)

    @rule(who=ANY, away=st.booleans())
    def cut(self, who: int, away: bool) -> None:
        self.play.cut(self._device(who), away=away)

    @rule(who=ANY, by=ANY, chat=ANY, back=BACK, what=st.sampled_from(["edit", "pin", "pinned", "describe"]))
    def miss(self, who: int, by: int, chat: int, back: int, what: str) -> None:
        """Something is done while a device is away, which then comes back."""
        away = self._device(who)
        self.play.cut(away, away=True)
        if what == "edit":
            self.edit(by, chat, back)
        elif what == "describe":
            self.describe(by, chat, None)
        else:
            self.pin(by, chat, back, pin=True)
            if what == "pinned":
                self.delete(by, chat, back)
        self.play.bring_back(away)

    @rule(who=ANY, group=ANY, removed=st.booleans(), link=st.booleans(), back=st.booleans())
    def come_again(self, who: int, group: int, removed: bool, link: bool, back: bool) -> None:
        """Somebody leaves a group, or is removed, and is a member again, while one of the devices is away."""
        missing, key = self._device(who), self._group(group)
        if key is None or (room := self.play.truth.group(key)) is None or missing.owner not in room.people:
            return
        self.play.cut(missing, away=True)
        person, others = missing.owner, [one for one in NAMES if one != missing.owner]
        for number in self._connected(others) if link else ():
            self.make_link(number, group)
        if removed:
            for number in self._connected(others):
                self.expel(number, group, self._towards(number, person))
        else:
            for number in self._connected([person]):
                self.leave(number, group)
        for number in self._connected([person]) if link else ():
            self.follow_link(number, -1)
        for number in self._connected(others):
            self.write_in_group(number, group, 1)
            self.invite(number, group, self._towards(number, person))
        for number in self._connected([person]):
            self.join(number, group, accept=True)
        for number in self._connected(NAMES):
            self.write_in_group(number, group, 1)
        if back:
            self.play.bring_back(missing)

    @rule(who=ANY, chat=ANY, back=BACK, what=st.sampled_from(["react", "edit", "answer", "forward", "read"]))
    def unanswered(self, who: int, chat: int, back: int, what: str) -> None:
        """Something is done, and the answer is lost: it is asked for again, and is done once."""
        self.slow(who, 0)
        if what == "react":
            self.react(who, chat, back, "\U0001f44d")
        elif what == "answer":
            self.answer(who, chat, back, 0)
        elif what == "forward":
            self.forward(who, chat, back, chat)
        else:
            getattr(self, what)(who, chat, back)
        device = self._device(who)
        self.play.cut(device, away=True)
        if chat % 2:
            self.play.net.settle(1)
        self.play.bring_back(device)

    @rule(who=ANY)
    def back(self, who: int) -> None:
        self.play.bring_back(self._device(who))

    @rule(who=ANY, frames=st.integers(0, 4))
    def slow(self, who: int, frames: int) -> None:
        """What the device is told is under way from now on; some of it arrives."""
        device = self._device(who)
        if device.connected:
            self.play.slow(device, frames)

    @rule(who=ANY)
    def load(self, who: int) -> None:
        device = self._device(who)
        if device.live:
            self.play.load(device)

    @rule()
    def wait(self) -> None:
        self.play.net.settle()

    @rule()
    def restart(self) -> None:
        self.play.restart()

    @rule(who=ANY, to=OTHER, committed=st.booleans())
    def die(self, who: int, to: int, committed: bool) -> None:
        device = self._device(who)
        key = self.play.truth.room(device.owner, self._other(device, to))
        self.play.dies_committing(device, key, self._word(), committed=committed)
