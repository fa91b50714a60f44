"""Calls as they are: four people behind cables of their own, two nodes that federate, and a relay.

`python -m tests.e2e.calls`, in namespaces of its own (`tests.chaos.network.alone`), prints what was found as
JSON. ada, ben and dan are at the first node, cay is at the second.
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from tests.certificates import Authority
from tests.chaos.network import Network
from tests.e2e.caller import CallerProcess
from tests.e2e.confers import conference
from tests.e2e.node_process import BIN, NodeProcess
from tests.e2e.relay import RelayProcess
from tests.e2e.sniffer import Sniffer, loudest

NODE, OTHER, RELAY = "node.example", "other.example", "relay.example"
VOICES = {"ada": 440.0, "ben": 880.0, "cay": 660.0, "dan": 550.0}
HIDES = "dan"
"""Lets nobody learn its address."""
PLACES = (NODE, OTHER, RELAY, *(f"{login}.example" for login in VOICES))
TURN = """
[turn]
urls = ["turn:{address}:3478?transport=udp"]
listen = ["{address}"]
allow = ["10.199.0.0/24"]
"""


Found = dict[str, Any]


class World:
    """Everything there is."""

    def __init__(self, stack: ExitStack) -> None:
        authority = Authority()
        self.network = Network(PLACES)
        stack.callback(self.network.close)
        relay = self.network.places[RELAY]
        self.nodes = {}
        for name in (NODE, OTHER):
            place = self.network.places[name]
            more = TURN.format(address=relay.address)
            node = NodeProcess(
                authority=authority, at=(name, place.address), federation='mode = "open"', more=more
            )
            node.network = place.path
            stack.callback(node.close)
            self.nodes[name] = node
        with ThreadPoolExecutor() as pool:
            list(pool.map(NodeProcess.start, self.nodes.values()))
        config = self.nodes[NODE].folder / "node.toml"
        command: list[str | Path] = [*relay.inside, BIN / "safeum-home", "turn", "--config", config]
        self.relay = RelayProcess(command, self.nodes[NODE].folder / "relay")
        stack.callback(self.relay.stop)
        self.people = {
            login: CallerProcess(
                self.network.places[f"{login}.example"].inside,
                login,
                self.nodes[OTHER if login == "cay" else NODE].name,
                self.nodes[NODE].folder / "ca.pem",
                hertz,
            )
            for login, hertz in VOICES.items()
        }
        for person in self.people.values():
            stack.callback(person.close)
        self.relay.started()

    def address(self, login: str) -> str:
        return self.network.places[f"{login}.example"].address

    def meet(self) -> None:
        """All sign up; ada knows the others."""
        for person in self.people.values():
            person.begin("sign_up", person.login, person.login == HIDES)
        for person in self.people.values():
            person.account = person.done()
        ada = self.people["ada"]
        for login in ("ben", "cay", HIDES):
            other = self.people[login]
            node = self.nodes[OTHER if login == "cay" else NODE]
            ada.do("ask", other.account, f"{login}@{node.name}")
            other.do("accept", ada.account)

    @contextmanager
    def apart(self, one: str, other: str) -> Iterator[None]:
        """Nothing goes from one to the other meanwhile, or back."""
        for here, there in ((one, other), (other, one)):
            self.network.places[f"{here}.example"].hear_nothing_of([self.address(there)])
        yield
        for here in (one, other):
            self.network.places[f"{here}.example"].hear_nothing_of([])

    def talk(self, one: str, other: str) -> dict[str, Any]:
        """The first calls, the second answers, until both hear each other."""
        caller, callee = self.people[one], self.people[other]
        caller.do("call", callee.account)
        answered = callee.do("answer")
        active = self.both("active", one, other)
        first = self.hear(one, other)
        return {
            "states": [each[0] for each in active],
            "words": [each[1] for each in active],
            "seconds until heard": round(max(first) - answered, 3),
        }

    def both(self, do: str, one: str, other: str, *what: object) -> list[Any]:
        people = self.people[one], self.people[other]
        for person in people:
            person.begin(do, *what)
        return [person.done() for person in people]

    def hear(self, one: str, other: str) -> list[float]:
        """Until each hears the tone of the other, from now on."""
        people = self.people[one], self.people[other]
        for person, heard in zip(people, reversed(people), strict=True):
            person.begin("hears", heard.hertz)
        return [person.done() for person in people]

    def hang_up(self, one: str, other: str) -> list[str]:
        """The first does; why it is over for both."""
        self.people[one].do("hang_up")
        return self.both("ended", one, other)

    def broken(self, one: str, other: str) -> dict[str, Any]:
        """Their way breaks; then they hear each other through the relay, until the first hangs up."""
        self.both("watch", one, other)
        with self.apart(one, other):
            began = monotonic()
            self.both("broken", one, other)
            self.both("active", one, other)
            self.hear(one, other)
            return {
                "seconds until it went on": round(monotonic() - began, 3),
                "relayed": self.sniffed(one, other),
                "ended": self.hang_up(one, other),
            }

    def sniffed(self, one: str, other: str) -> dict[str, Any]:
        """What somebody gets who has the cable of the first, while both hear each other."""
        with Sniffer(f"to-{one[0]}") as sniffer:
            self.hear(one, other)
        names = {place.address: name for name, place in self.network.places.items()}
        payloads = sniffer.payloads()
        heard = [loudest(each, VOICES[who]) for each in payloads.values() for who in (one, other)]
        return {
            "ways": sorted({" ".join(sorted((names[a], names[b]))) for a, b in sniffer.ways()}),
            "packets": sorted(len(each) for each in payloads.values()),
            "heard": max(heard, default=1.0),
        }


def direct(world: World, found: Found) -> None:
    """A call from device to device, which breaks, and goes on through the relay."""
    found |= world.talk("ada", "ben")
    found["direct"] = world.sniffed("ada", "ben")
    found |= world.broken("ada", "ben")


def relayed(world: World, found: Found) -> None:
    """One that nothing but the relay can carry, from the beginning."""
    with world.apart("ben", "ada"):
        found |= world.talk("ben", "ada")
        found["relayed"] = world.sniffed("ben", "ada")
        found["ended"] = world.hang_up("ada", "ben")


def across(world: World, found: Found) -> None:
    """The same between people of two nodes, of which one has a relay."""
    found |= world.talk("ada", "cay")
    found["direct"] = world.sniffed("cay", "ada")
    found |= world.broken("cay", "ada")


def hidden(world: World, found: Found) -> None:
    """With somebody who lets nobody learn its address: all that it sends goes to the relay."""
    relay = world.network.places[RELAY].address
    with Sniffer(f"to-{HIDES[0]}") as sniffer:
        found |= world.talk("ada", HIDES)
    ends = {end for each in sniffer.datagrams for end in (each.source, each.target)}
    found["spoke with"] = sorted(ends - {world.address(HIDES)}) == [relay]
    found["ended"] = world.hang_up("ada", HIDES)


def killed(world: World, found: Found) -> None:
    """The node is killed meanwhile: nobody who speaks notices; the log is as if nothing had been."""
    began = monotonic()
    found |= world.talk("ada", "ben")
    before = monotonic()
    world.nodes[NODE].kill()
    world.both("offline", "ada", "ben")
    world.hear("ada", "ben")
    found["heard while it was dead"] = not world.nodes[NODE].running
    world.nodes[NODE].start()
    world.both("online", "ada", "ben")
    world.hear("ada", "ben")
    least = monotonic() - before
    found["ended"] = world.hang_up("ada", "ben")
    found["most"] = int(monotonic() - began) + 1
    found["log"] = world.both("log", "ada", "ben", int(least))


SCENARIOS = (direct, relayed, across, hidden, conference, killed)


def main(*names: str) -> None:
    """All of it, or some. What fails ends it: who takes part may still wait for something."""
    found: Found = {}
    with ExitStack() as stack:
        began = monotonic()
        world = World(stack)
        world.meet()
        found["seconds until it began"] = round(monotonic() - began, 3)
        for scenario in SCENARIOS:
            if names and scenario.__name__ not in names:
                continue
            began = monotonic()
            one: Found = {}
            found[scenario.__name__] = one
            try:
                scenario(world, one)
            except AssertionError as error:
                one["failed"] = str(error)
                break
            finally:
                one["seconds"] = round(monotonic() - began, 3)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
