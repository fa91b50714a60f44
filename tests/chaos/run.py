"""All of a run: three nodes, six people, two groups; the plan; and the look at what has become of it."""

from collections import Counter
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread

from tests.certificates import Authority
from tests.chaos.keys import key_faults
from tests.chaos.network import Network
from tests.chaos.people import Person
from tests.chaos.plan import Plan, new_plan
from tests.chaos.said import Said, View, faults, total
from tests.e2e.node_process import NodeProcess

PLACES = ("a.example", "b.example", "c.example")
PEOPLE = ("ada", "ben", "cat", "dan", "eve", "fay")
"""The first and the fourth are at the first node, and so on."""
PAUSE = 0.25
"""Seconds between two things that somebody does, on average."""
REQUEST_SECONDS = 5
"""What a node waits for another one that it cannot reach: links break for longer."""
SETTLING = 90.0
"""Seconds after which all is the same everywhere, at the most, and as many more as it went on: so long can
the pause be between two tries (docs/federation.md)."""
FEDERATION = f'request_seconds = {REQUEST_SECONDS}\nmode = "open"'


class World:
    """Everything there is."""

    def __init__(self, reactor: Any, seed: int) -> None:
        self._reactor = reactor
        authority = Authority()
        self.network = Network(PLACES)
        self.nodes = {
            name: NodeProcess(
                authority=authority, at=(name, self.network.places[name].address), federation=FEDERATION
            )
            for name in PLACES
        }
        for name, node in self.nodes.items():
            node.network = self.network.places[name].path
        self.people = [
            Person(reactor, login, self.nodes[PLACES[number % 3]].name, authority.pem, seed)
            for number, login in enumerate(PEOPLE)
        ]
        self.chats: dict[str, list[Person]] = {}
        self.groups: list[str] = []
        self.over = False

    async def begin(self) -> None:
        """All run, all have signed up, know each other, and are in both groups."""
        await gatherResults([deferToThread(node.start) for node in self.nodes.values()], consumeErrors=True)
        for person in self.people:
            await person.sign_up()
        for number, one in enumerate(self.people):
            for other in self.people[number + 1 :]:
                self.chats[await one.befriend(other)] = [one, other]
        for number, owner in enumerate(self.people[:2], 1):
            others = [person for person in self.people if person is not owner]
            self.groups.append(await owner.gather(f"Group {number}", others))
            self.chats[self.groups[-1]] = list(self.people)

    def live(self) -> "Deferred[list[None]]":
        """Everybody does things until `over`."""
        lives = [
            Deferred.fromCoroutine(
                person.live(
                    # Both groups twice, so that there is as much in them as in several chats of two.
                    [chat for chat, members in self.chats.items() if person in members] + self.groups,
                    lambda: not self.over,
                    PAUSE,
                )
            )
            for person in self.people
        ]
        return gatherResults(lives, consumeErrors=True)

    async def go_wrong(self, plan: Plan) -> None:
        """Do what the plan says. A node that takes long to start is killed later; links break on time."""
        began = self._reactor.seconds()

        def at(moment: float) -> "Deferred[None]":
            return deferLater(self._reactor, max(0.0, began + moment - self._reactor.seconds()))

        async def links() -> None:
            for moment in plan.moments():
                await at(moment)
                self.network.cut(plan.cut_at(moment))

        async def life(name: str) -> None:
            for kill in plan.kills:
                if kill.node == name:
                    await at(kill.begins)
                    self.nodes[name].kill()
                    await at(kill.ends)
                    await deferToThread(self.nodes[name].start)
                    self.retry()

        happening = [links(), *map(life, self.nodes)]
        await gatherResults(map(Deferred.fromCoroutine, happening), consumeErrors=True)

    def retry(self) -> None:
        """Nobody waits for a back-off of the SDK's that is longer than the node was down."""
        for person in self.people:
            person.client.retry()

    def said(self) -> Said:
        return {
            (chat, person.login): sayings for person in self.people for chat, sayings in person.said.items()
        }

    async def views(self, chat: str) -> list[View]:
        logins = {person.account: person.login for person in self.people}
        return [await person.view(chat, logins) for person in self.chats[chat]]

    async def settle(self, most: float) -> float:
        """Wait until all see the same, and all that was said; after how many seconds."""
        began = self._reactor.seconds()
        while await self.faults():
            if self._reactor.seconds() - began > most:
                break
            await deferLater(self._reactor, 1.0)
        return float(self._reactor.seconds() - began)

    async def faults(self) -> list[str]:
        """What is wrong in any chat."""
        found: list[str] = []
        said = self.said()
        for chat in self.chats:
            found += faults(chat, await self.views(chat), said, chat in self.groups)
        return found + key_faults([(person.login, person.keys) for person in self.people])

    def close(self) -> None:
        try:
            for node in self.nodes.values():
                node.close()
        finally:
            self.network.close()


async def run(reactor: Any, seconds: float, seed: int) -> list[str]:
    """What went wrong that should not have."""
    plan = new_plan(seed, PLACES, seconds)
    print(f"chaos of {seconds:g} s, seed {seed}: {len(plan.cuts)} cuts, {len(plan.kills)} kills", flush=True)
    world = World(reactor, seed)
    try:
        await world.begin()
        lives = world.live()
        await world.go_wrong(plan)
        world.over = True
        world.network.cut(())
        most = min(seconds, 600) + SETTLING
        impatience = LoopingCall(world.retry)
        impatience.clock = reactor
        impatience.start(1)
        await lives.addTimeout(most, reactor)
        impatience.stop()
        after = await world.settle(most)
        found = await world.faults()
        problems = sum((person.problems for person in world.people), Counter[str]())
        changes = sum(len(person.keys.hashes) - 1 for person in world.people if person.keys.hashes)
        print(f"{total(world.said())} messages acknowledged, and {changes} changes of keys")
        print(f"settled after {after:.1f} s; {dict(problems)}")
        if found:
            print("\n".join(plan.lines()))
            for name, node in world.nodes.items():
                print(f"--- {name}\n{node.logged()[-4000:]}")
        return found
    finally:
        world.close()


async def main(reactor: Any, seconds: float, seed: int) -> None:
    """Ends the process with a failure where anything is wrong."""
    found = await run(reactor, seconds, seed)
    print("\n".join(found[:40]) or "every chat is the same everywhere", flush=True)
    if found:
        raise SystemExit(1)
