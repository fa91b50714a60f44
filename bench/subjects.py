"""What the cases do with a target, the same for the relay and for the node."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Protocol, TypeVar

from bench import people
from bench.fan_out import Ear, FanOut, NodeFanOut, RelayFanOut
from bench.flows import Flow, NodeFlow, RelayFlow
from bench.framing import frame
from bench.loop import Loop
from bench.people import Person
from bench.relay import ROOM
from bench.targets import Target
from bench.wire import Line
from safeum_home.ids import ChatId

L = TypeVar("L", bound=Line)
WIDTH = 16
"""How many connections are set up at the same time."""


class Subject(Protocol):
    """A target, and who its clients are."""

    @property
    def target(self) -> Target: ...
    @property
    def settings(self) -> Mapping[str, object]:
        """What was set for the measurement only: printed with it."""

    async def flow(self, loop: Loop, pair: int) -> Flow:
        """Connect the two of a pair."""

    async def ear(self, loop: Loop, who: int) -> Ear:
        """Connect a recipient of what is written into the group."""

    async def fan_out(self, loop: Loop, ears: list[Ear]) -> FanOut:
        """Connect the sender, person 0, when all `ears` are there."""

    async def arrive(self, loop: Loop, who: int) -> Line:
        """Connect, up to where a client may begin to work."""

    async def log_in(self, loop: Loop, who: int) -> Line:
        """The same with a password, where the target knows passwords."""


@dataclass(frozen=True, slots=True)
class RelaySubject:
    """Clients of a relay are numbers."""

    target: Target
    settings: Mapping[str, object] = field(default_factory=dict)

    async def flow(self, loop: Loop, pair: int) -> Flow:
        return RelayFlow(*await self.pair(loop, pair))

    async def pair(self, loop: Loop, pair: int) -> tuple[Line, Line]:
        """Two connections, each of which gets what is sent on the other."""
        first, second = await self.arrive(loop, pair), await self.arrive(loop, pair)
        for line in first, second:
            line.send(frame(b"%d" % pair))
            await line.message()
        return first, second

    async def arrive(self, loop: Loop, who: int) -> Line:
        return await people.connected(loop, self.target)

    async def ear(self, loop: Loop, who: int) -> Ear:
        return await self._into_room(Ear(loop, self.target.port, self.target.tls))

    async def fan_out(self, loop: Loop, ears: list[Ear]) -> FanOut:
        return RelayFanOut(await self._into_room(Line(loop, self.target.port, self.target.tls)), ears)

    async def _into_room(self, line: L) -> L:
        await people.open_session(line)
        line.send(frame(ROOM))
        await line.message()
        return line

    log_in = arrive


@dataclass(slots=True)
class NodeSubject:
    """Clients of a node are people; person 2k and person 2k + 1 are a pair."""

    target: Target
    settings: Mapping[str, object]
    people: list[Person] = field(default_factory=list)
    chats: list[ChatId] = field(default_factory=list)
    group: ChatId | None = None

    def sign_up_people(self, count: int) -> None:
        """`count` accounts, without connections left open."""
        loop = Loop()

        async def one(number: int) -> None:
            person, line = await people.sign_up(loop, self.target, f"person{number}")
            self.people.append(person)
            await line.close()

        loop.run((one(number) for number in range(count)), WIDTH)
        loop.close()

    def befriend_first(self) -> None:
        """Person 0 becomes a contact of everybody else."""
        loop = Loop()

        async def all_of_them() -> None:
            first = await people.resume(loop, self.target, self.people[0])
            for other in self.people[1:]:
                line = await people.resume(loop, self.target, other)
                await people.befriend(self.people[0], first, other, line)
                await line.close()
            await first.close()

        loop.run([all_of_them()], 1, 600.0)
        loop.close()

    def reached(self) -> str:
        """The cursor of person 0 when it comes now."""
        loop, cursors = Loop(), list[str]()

        async def come() -> None:
            line = await people.connected(loop, self.target)
            opened = await people.call(line, "session.resume", {"token": self.people[0].token})
            cursors.append(opened["cursor"])
            await line.close()

        loop.run([come()], 1)
        loop.close()
        return cursors[0]

    def sign_up_pairs(self, count: int) -> None:
        """`count` pairs of contacts, without connections left open."""
        loop = Loop()

        async def one(number: int) -> None:
            first, first_line = await people.sign_up(loop, self.target, f"sender{number}")
            second, second_line = await people.sign_up(loop, self.target, f"recipient{number}")
            self.chats.append(await people.befriend(first, first_line, second, second_line))
            self.people += first, second
            await first_line.close()
            await second_line.close()

        loop.run((one(number) for number in range(count)), WIDTH)
        loop.close()

    async def flow(self, loop: Loop, pair: int) -> Flow:
        sender = await people.resume(loop, self.target, self.people[2 * pair])
        recipient = await people.resume(loop, self.target, self.people[2 * pair + 1])
        # A client id must be new to the device, also when the same two talk again.
        return NodeFlow(sender, recipient, self.chats[pair], token_hex(2))

    async def ear(self, loop: Loop, who: int) -> Ear:
        line = Ear(loop, self.target.port, self.target.tls)
        await people.show_token(line, self.people[who])
        return line

    async def fan_out(self, loop: Loop, ears: list[Ear]) -> FanOut:
        assert self.group is not None
        return NodeFanOut(await self.arrive(loop, 0), ears, self.group, token_hex(2))

    async def arrive(self, loop: Loop, who: int) -> Line:
        return await people.resume(loop, self.target, self.people[who])

    async def log_in(self, loop: Loop, who: int) -> Line:
        return await people.log_in(loop, self.target, self.people[who])
