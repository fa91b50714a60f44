"""The SDK on a node that puts it to sleep: whatever happens meanwhile, in the end it shows what there is."""

import contextlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import ClientError
from safeum_home.client.events import Link, LinkChanged
from safeum_home.gateway.idling import Idling
from safeum_home.gateway.timers import Timeouts
from safeum_home.protocol.types import Message, Text
from tests.sdk_world import SdkDevice
from tests.world import Refused, World

IDLE = 3.0
MSG = b'{"wake":"msg","pad":"0"}'


class Play:
    """Alice, who writes, Bob's telephone, which nobody uses for most of the time, and his tablet, which
    nothing could wake: it is always there."""

    def __init__(self) -> None:
        self.world = World(idle_seconds=IDLE, history_switches_per_account_burst=1000)
        self.world.services.wakeable = lambda account, device: succeed(device == self.telephone)
        self.idling = Idling(self.world.services, Timeouts(self.world.clock))
        self.idling.start()
        self.alice = SdkDevice(self.world).register("alice")
        self.bob = SdkDevice(self.world).register("bob")
        self.chat = self.alice.befriend(self.bob)
        self.tablet = SdkDevice(self.world).login("bob")
        assert self.bob.client.opened is not None
        self.telephone = self.bob.client.opened.device
        self.history = True
        self.heard: list[str] = []
        self.links: list[Link] = []
        self.bob.client.listen(self._hear)
        self.sent: list[str] = []

    def _hear(self, event: Any) -> None:
        if isinstance(event, Message):
            self.heard.append(event.id)
        elif isinstance(event, LinkChanged):
            self.links.append(event.link)

    def wait(self, seconds: float) -> None:
        self.world.clock.pump([0.25] * int(seconds / 0.25))

    def writes(self, text: str) -> None:
        with contextlib.suppress(ClientError):
            self.sent.append(self.alice.do(self.alice.client.send(self.chat, text)).id)

    def switches(self) -> None:
        """The history is switched off: what was written is erased, and what is written is not kept. Or on."""
        self.history = self.alice.do(self.alice.client.set_history(self.chat, not self.history)).history

    def step(self, name: str, number: int) -> None:
        with contextlib.suppress(ClientError, Refused):  # what cannot be done is not done
            self._step(name, number)

    def _step(self, name: str, number: int) -> None:
        alice, bob = self.alice, self.bob
        last = self.sent[-1] if self.sent else ""
        match name:
            case "write":
                self.writes(f"text {number}")
            case "edit":
                alice.do(alice.client.edit(self.chat, last, f"edited {number}"))
            case "delete":
                alice.do(alice.client.delete(self.chat, last))
            case "idle":
                self.wait(2 * IDLE)
            case "sleep":
                bob.client.sleep()
            case "push":
                bob.client.on_push(MSG)
            case "answer":
                bob.client.send(self.chat, f"answer {number}")
            case "switch":
                self.switches()
            case "gone":
                bob.drop()
            case "back":
                bob.back()
            case _:
                self.world.clock.advance(0.05)

    def end(self) -> None:
        """Everything has arrived."""
        self.bob.away = False
        self.bob.client.retry()
        self.wait(2)
        self.bob.client.wake()
        self.wait(1)

    def close(self) -> None:
        self.idling.stop()
        for device in (self.alice, self.bob, self.tablet):
            device.client.close()

    def on(self, device: SdkDevice) -> list[tuple[str, str]]:
        """What a device shows."""
        view = device.client.state.chat(self.chat)
        assert view is not None
        return shown(view.messages)

    def kept(self) -> list[tuple[str, str]]:
        """What the node has."""
        return shown(self.bob.do(self.bob.client.history(self.chat, limit=100)).messages)


def shown(messages: Iterable[Message]) -> list[tuple[str, str]]:
    """What people have written: which message, and what it says now."""
    return [(each.id, each.body.text) for each in messages if isinstance(each.body, Text)]


class AsleepTests(SynchronousTestCase):
    steps = st.sampled_from(
        ["write", "edit", "delete", "idle", "sleep", "push", "answer", "gone", "back", "wait", "switch"]
    )

    @settings(max_examples=25)
    @given(st.lists(steps, max_size=12))
    def test_in_the_end(self, steps: list[str]) -> None:
        """It shows what is there, as a device does that never slept; was told of each message once, and has
        written each once."""
        play = Play()
        try:
            for number, step in enumerate(steps):
                play.step(step, number)
            play.end()
            there, page = play.on(play.bob), play.kept()
            self.assertEqual(there, play.on(play.tablet), f"{steps}")
            # What was written while nothing was kept is on the screens alone.
            kept = there if "switch" not in steps else [each for each in there if each in page]
            self.assertEqual(kept, page, f"{steps}")
            for told in (play.heard, [text for _, text in there]):
                self.assertEqual([one for one, count in Counter(told).items() if count > 1], [])
        finally:
            play.close()

    def test_written_while_nothing_is_kept(self) -> None:
        """It was asleep when its person wrote, and the history was put off before it was back: the node keeps
        nothing of that, and the screens show it, as with any message of such a chat."""
        play = Play()
        self.addCleanup(play.close)
        for step in ("sleep", "answer", "switch"):
            play.step(step, 0)
        play.end()
        self.assertEqual(play.kept(), [])
        for device in (play.bob, play.tablet, play.alice):
            self.assertEqual([text for _, text in play.on(device)], ["answer 0"])

    def test_it_does_sleep(self) -> None:
        """In this play it is put to sleep, hears nothing, and comes for a push."""
        play = Play()
        self.addCleanup(play.close)
        play.wait(2 * IDLE)
        self.assertEqual(play.links, [Link.ASLEEP])
        play.writes("hi")
        play.wait(2 * IDLE)
        self.assertEqual((play.links, play.heard), ([Link.ASLEEP], []))
        play.step("push", 0)
        play.wait(1)
        self.assertEqual((play.links[1:], play.heard), ([Link.CONNECTING, Link.ONLINE], play.sent))
        play.wait(2 * IDLE)
        self.assertEqual(play.links[-1], Link.ASLEEP)
