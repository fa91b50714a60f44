"""Random lives of several people on several devices each, held against a model: see `chats_play`."""

import os
from collections.abc import Awaitable, Callable
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.chat_view import ChatView
from safeum_home.client.message_methods import FOR_EVER
from safeum_home.client.session import Client
from safeum_home.protocol.message_types import Draft
from safeum_home.protocol.types import Message
from tests.chats_groups_truth import RANKS
from tests.chats_net import Device
from tests.chats_play import EDITED, Key, Play

NAMES = ["ada", "bob", "cyd", "dan"]
EXAMPLES, STEPS = 80, 60
PHASES = [Phase.generate] if os.environ.get("MODEL_QUICK") else list(Phase)
"""Without shrinking, what fails is said at once, and in full length."""
LEAST = 2000
MOST_GROUPS = 3
WAYS = ["request", "accept", "decline", "remove", "block", "unblock"]

ANY = st.integers(0, 11)
BACK = st.integers(0, 3)
OTHER = st.integers(1, len(NAMES) - 1)


class _Lives(RuleBasedStateMachine):
    """Four people and their devices. Rules draw numbers, which choose among what there is."""

    taken = 0

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(NAMES)
        self.words = 0
        self.weeks = 0

    @initialize(apart=st.sets(st.integers(0, 5), max_size=3), group=st.booleans(), second=st.booleans())
    def meet_all(self, apart: set[int], group: bool, second: bool) -> None:
        """Most know each other, are in a group, and have two devices: without that little would happen."""
        for number, (one, other) in enumerate(combinations(range(len(NAMES)), 2)):
            if number not in apart:
                self.befriend(one, other - one)
        if group:
            self.create(0, earlier=False, invite=set(range(1, len(NAMES))))
            for number in range(1, len(NAMES)):
                self.join(number, 0, accept=True)
        for number in range(len(NAMES)) if second else ():
            self.login(number)

    # --- choosing

    def _device(self, number: int) -> Device:
        return self.play.devices[number % len(self.play.devices)]

    def _other(self, device: Device, number: int) -> str:
        """Somebody else, who may have closed the account."""
        return NAMES[(NAMES.index(device.owner) + number) % len(NAMES)]

    def _word(self) -> str:
        self.words += 1
        return f"word {self.words}"

    # --- messages

    def _write(self, device: Device, key: Key) -> None:
        text, chat, client = self._word(), self.play.chat_id(key), device.client
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

    @rule(who=ANY, chat=ANY, back=BACK)
    def read(self, who: int, chat: int, back: int) -> None:
        """One of the newest messages that the device shows was the last that was read."""
        device = self._device(who)
        if (found := self._message(device, chat, back)) is not None:
            self.play.read(device, *found)

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
        if self.play.key_of_message(message).startswith("notice "):
            return None  # there may be two that say the same
        return view, message

    def _do(self, who: int, chat: int, back: int, what: str, *said: str | None) -> None:
        """Have a device do something to a message that it shows; `said` is for node and model alike."""
        device = self._device(who)
        if (found := self._message(device, chat, back)) is None:
            return
        view, message = found
        play, client = self.play, device.client
        key, which = play.key_of(device, view), play.key_of_message(message)
        if what in ("pin", "unpin") and not play.truth.rooms[key].history:
            return  # what becomes of a pin when its message goes is not said
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

    @rule(who=ANY, chat=ANY, muted=st.one_of(st.none(), st.booleans()))
    def settle_chat(self, who: int, chat: int, muted: bool | None) -> None:
        """Mute a chat, or not; or begin to write something in it."""
        device = self._device(who)
        if (found := self._message(device, chat, 0)) is None:
            return
        view, client, truth = found[0], device.client, self.play.truth
        key, text = self.play.key_of(device, view), self._word()
        if muted is None:
            self.play.give(
                device,
                lambda: client.set_chat(view.chat, draft=Draft(text)),
                lambda: truth.draft(device.owner, key, text),
                again=True,
            )
        else:
            until = FOR_EVER if muted else None
            self.play.give(
                device,
                lambda: client.set_chat(view.chat, muted_until=until),
                lambda: truth.mute(device.owner, key, muted),
                again=True,
            )

    @rule(who=ANY, chat=ANY, limit=st.integers(1, 4))
    def look_back(self, who: int, chat: int, limit: int) -> None:
        device = self._device(who)
        views = device.state.chats
        if views and device.live:
            self.play.load_page(device, views[chat % len(views)], limit)

    # --- people

    @rule(who=ANY, to=OTHER)
    def befriend(self, who: int, to: int) -> None:
        """Both want it: the most usual way."""
        device = self._device(who)
        self._meet("request", device, self._other(device, to))
        theirs = [one for one in self.play.devices if one.owner == self._other(device, to)]
        if theirs:
            self._meet("accept", theirs[0], device.owner)

    @rule(who=ANY, to=OTHER, what=st.sampled_from(WAYS))
    def meet(self, who: int, to: int, what: str) -> None:
        device = self._device(who)
        self._meet(what, device, self._other(device, to))

    def _meet(self, what: str, device: Device, other: str) -> None:
        if not device.connected:
            return
        client, account = device.client, self.play.accounts[other]
        arguments = (account, f"{other}@home.example") if what == "request" else (account,)
        self.play.give(
            device,
            lambda: getattr(client, what)(*arguments),
            lambda: getattr(self.play.truth, what)(device.owner, other),
        )

    @rule(who=ANY)
    def rename(self, who: int) -> None:
        device, name = self._device(who), self._word()
        client = device.client
        self.play.give(
            device,
            lambda: client.set_profile(name),
            lambda: self.play.truth.rename(device.owner, name),
            again=True,
        )

    @precondition(lambda self: not any(person.closed for person in self.play.truth.people.values()))
    @rule(who=ANY, sure=st.integers(0, 3))
    def close(self, who: int, sure: int) -> None:
        owner = self._device(who).owner
        # In which order groups are left is the node's affair.
        if sure == 3 and len(self.play.truth.groups_of(owner)) < 2:
            self.play.close(owner)

    # --- groups

    def _group(self, number: int) -> Key | None:
        """A group, which may be gone."""
        names = list(self.play.groups)
        return ("group", names[number % len(names)]) if names else None

    def _in_group(
        self, who: int, group: int, does: Callable[[Client, str], Awaitable[object]], means: str, *about: Any
    ) -> None:
        """Have a device do something in a group; to the model it is `means`."""
        device, key = self._device(who), self._group(group)
        if key is not None and device.connected:
            chat, play, client = self.play.chat_id(key), self.play, device.client
            play.give(
                device,
                lambda: does(client, chat),
                lambda: getattr(play.truth, means)(device.owner, key, *about),
            )

    @rule(who=ANY, earlier=st.booleans(), invite=st.sets(OTHER))
    def create(self, who: int, earlier: bool, invite: set[int]) -> None:
        device = self._device(who)
        if device.live and len(self.play.groups) < MOST_GROUPS:
            invited = [self._other(device, one) for one in sorted(invite)]
            self.play.create(device, self._word(), earlier, invited)
            for other in invited:
                mine = [number for number, one in enumerate(self.play.devices) if one.owner == other]
                if mine and self.words % 3:
                    self.join(mine[0], len(self.play.groups) - 1, accept=True)

    @rule(who=ANY, group=ANY, to=OTHER)
    def invite(self, who: int, group: int, to: int) -> None:
        other = self._other(self._device(who), to)
        account = self.play.accounts[other]
        self._in_group(
            who, group, lambda client, chat: client.invite_to_group(chat, [account]), "invite", other
        )

    @rule(who=ANY, group=ANY, accept=st.booleans())
    def join(self, who: int, group: int, accept: bool) -> None:
        if accept:
            self._in_group(who, group, lambda client, chat: client.accept_invitation(chat), "join")
        else:
            self._in_group(who, group, lambda client, chat: client.decline_invitation(chat), "refuse")

    @rule(who=ANY, group=ANY)
    def leave(self, who: int, group: int) -> None:
        self._in_group(who, group, lambda client, chat: client.leave_group(chat), "leave")

    @rule(who=ANY, group=ANY, to=OTHER)
    def expel(self, who: int, group: int, to: int) -> None:
        other = self._other(self._device(who), to)
        account = self.play.accounts[other]
        self._in_group(
            who, group, lambda client, chat: client.remove_from_group(chat, account), "expel", other
        )

    @rule(who=ANY, group=ANY, to=OTHER, role=st.sampled_from(RANKS))
    def promote(self, who: int, group: int, to: int, role: Any) -> None:
        other = self._other(self._device(who), to)
        account = self.play.accounts[other]
        self._in_group(
            who, group, lambda client, chat: client.set_role(chat, account, role), "promote", other, role
        )

    @rule(who=ANY, group=ANY, earlier=st.one_of(st.none(), st.booleans()))
    def describe(self, who: int, group: int, earlier: bool | None) -> None:
        name = self._word()
        if earlier is None:
            self._in_group(who, group, lambda client, chat: client.set_group(chat, name), "call", name)
        else:
            self._in_group(
                who,
                group,
                lambda client, chat: client.set_group(chat, earlier=earlier),
                "show_earlier",
                earlier,
            )

    @rule(who=ANY, group=ANY, count=st.integers(1, 4))
    def write_in_group(self, who: int, group: int, count: int) -> None:
        if (key := self._group(group)) is not None:
            for _ in range(count):
                self._write(self._device(who), key)

    # --- chats without history

    def _room(self, device: Device, number: int) -> Key | None:
        views = [view for view in device.state.chats if view.kind != "system"]
        return self.play.key_of(device, views[number % len(views)]) if views else None

    @rule(who=ANY, chat=ANY, enabled=st.sampled_from([False, False, True]))
    def switch(self, who: int, chat: int, enabled: bool) -> None:
        """Disable the history of a chat, or have messages kept again."""
        device = self._device(who)
        if (key := self._room(device, chat)) is None or not device.connected:
            return
        named, client = self.play.chat_id(key), device.client
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

    @rule(who=ANY)
    def back(self, who: int) -> None:
        self.play.bring_back(self._device(who))

    @rule(who=ANY, frames=st.integers(0, 4))
    def slow(self, who: int, frames: int) -> None:
        """What the device is told is under way from now on; some of it arrives."""
        device = self._device(who)
        if device.connected and device.link is not None:
            device.link.slow = True
            device.link.deliver(frames)
            self.play.net.run()

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

    # --- what holds

    @invariant()
    def shown(self) -> None:
        """Whoever was told everything shows what is true."""
        _Lives.taken += 1
        self.play.look_at_waiting()
        for device in self.play.devices:
            if device.live:
                self.play.check(device)

    def teardown(self) -> None:
        self.play.finish()


class ModelTests(SynchronousTestCase):
    def test_devices_converge(self) -> None:
        """Whatever they do, and whatever becomes of connections and node, all show what is true.

        The same lives each time, unless `MODEL_SEED` is set, to a number (`make model` sets it);
        `MODEL_EXAMPLES` is then how many of them.
        """
        chosen = os.environ.get("MODEL_SEED")
        how = settings(
            max_examples=EXAMPLES if chosen is None else int(os.environ.get("MODEL_EXAMPLES", "1000")),
            stateful_step_count=STEPS,
            derandomize=chosen is None,
            database=None,
            print_blob=True,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )
        lives: type[RuleBasedStateMachine] = _Lives
        if chosen is not None:
            lives = seed(int(chosen))(lives)
            print(f"\n    MODEL_SEED={chosen}", end=" ")
        _Lives.taken = 0
        run_state_machine_as_test(lives, settings=how)
        print(f"\n    {_Lives.taken} steps", end=" ")
        self.assertGreaterEqual(_Lives.taken, LEAST)
        self.assertEqual(self.flushLoggedErrors(), [])
