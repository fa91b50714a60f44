"""Devices that come and go at random end with exactly what the database holds, each event once, in order."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.viewers import DATABASE_STEPS, ConvergenceCase, Viewer, database_step, finish
from tests.world import Client, World


class Watcher(Viewer):
    """A device that keeps its messages, and what it was told last of each receipt, contact and profile."""

    def __init__(self, test: SynchronousTestCase, world: World, username: str) -> None:
        super().__init__(test, world, username)
        self.messages: list[str] = []
        self.state: dict[str, Any] = {}

    def told(self, method: str, params: dict[str, Any], cursor: str) -> None:
        if method == "chat.message":
            self.messages.append(cursor)
        else:
            about = params.get("account") or params["contact"]["account"]
            # How far one's own devices hold a chat is told to nobody who is connected: it changes nothing.
            hidden = ("cursor", "delivered") if about == self.account else ("cursor",)
            told = {key: value for key, value in params.items() if key not in hidden}
            self.state[" ".join((method, about, params.get("chat", "")))] = told
            contact = self.state.get(f"contact.changed {about} ", {}).get("contact")
            if method == "profile.changed" and contact is not None:
                contact["display_name"] = params["profile"]["display_name"]


VIEWER = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 1)),
    st.tuples(st.just("send"), st.integers(0, 1)),
    st.tuples(st.sampled_from(["profile", "block", "befriend"]), st.integers(0, 1)),
    st.tuples(st.just("arrive"), VIEWER, st.integers(1, 6)),
    st.tuples(st.sampled_from(["cut", "back", "slow", "fast", "acknowledge"]), VIEWER),
    st.tuples(st.sampled_from(DATABASE_STEPS)),
)


class Play:
    """One run: two people who write to each other, and three devices of theirs that only watch."""

    def __init__(self, test: SynchronousTestCase) -> None:
        self.world = world = World(outbound_frames=8)
        self.people = [world.register("alice"), world.register("bob")]
        self.chat = world.befriend(*self.people)
        self.viewers = [Watcher(test, world, name) for name in ("alice", "bob", "bob")]
        for viewer in self.viewers:
            # One viewer's sign-in is an alert to the others.
            viewer.arrive(100)
            viewer.messages.clear()
        self.start = world.cursor
        for viewer in self.viewers:
            viewer.cursor = self.start
        self.sent = 0
        world.database.hold = True

    def step(self, step: Any) -> None:
        name = step[0]
        match name:
            case "send":
                client = self.people[step[1]]
                self.sent += 1
                client.ask("chat.send", **client.message(self.chat, str(self.sent)))
            case "profile":
                self.people[step[1]].ask("profile.set", profile={"display_name": f"name {self.sent}"})
            case "block":
                self.people[step[1]].ask("contact.block", account=self.people[1 - step[1]].account)
            case "befriend":
                for person, other in (self.people, self.people[::-1]):
                    person.ask("contact.unblock", account=other.account)
                    person.ask("contact.request", account=other.account, address=other.address)
            case _ if name in DATABASE_STEPS:
                database_step(self.world, name)
            case _:
                self.viewers[step[1]].step(name, *step[2:])


class ConvergenceTests(ConvergenceCase):
    @settings(max_examples=100)
    @given(st.lists(STEPS, max_size=80))
    def test_devices_converge(self, steps: list[Any]) -> None:
        """Commits are late or fail, reads are late, readers are slow, connections break: all the same."""
        play = Play(self)
        for step in steps:
            play.step(step)
        finish(play.world, play.viewers)
        for viewer in play.viewers:
            self.assertEqual(viewer.messages, self.stored(play, viewer), viewer.account)
            fresh = Watcher(self, play.world, "alice" if viewer is play.viewers[0] else "bob")
            fresh.cursor = play.start
            fresh.back()
            fresh.arrive(1000)
            again = [upto for upto in fresh.messages if upto in set(viewer.messages)]
            self.assertEqual(again, viewer.messages)
            self.compare(viewer.state, fresh.state)
        self.assertEqual(play.world.late, [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def stored(self, play: Play, viewer: Watcher) -> list[str]:
        """The messages of the chat behind the start, from the database."""
        person = Client(play.world)
        person.token = next(one for one in play.people if one.account == viewer.account).token
        person.resume()
        found: list[dict[str, Any]] = []
        before, more = None, True
        while more:
            page = person.call("chat.history", chat=play.chat, limit=200, before=before)
            found, more = page["messages"] + found, page["more"]
            before = found[0]["id"] if found else None
        return [message["id"] for message in found]

    def compare(self, seen: dict[str, Any], fresh: dict[str, Any]) -> None:
        """What a device was told last is what a device that asks now is told."""
        for name, params in seen.items():
            if name.startswith("profile.changed") and name not in fresh:
                continue  # it is not shown any more: they are no contacts
            self.assertEqual(fresh[name], params)
