"""What somebody who calls (`tests.e2e.caller`) does in conferences, as `tests.e2e.calls` wants it."""

from typing import Any

from safeum_home.client import aio
from safeum_home.client.calling.conference import Conference
from safeum_home.client.calling.link import LinkState
from safeum_home.protocol.types import ContactState
from tests.webrtc_case import until

PEOPLE = ("ada", "ben", "cay")


class Confers:
    """One method for each thing that can be done."""

    _client: aio.Client
    _ear: Any
    _conference: Conference

    async def gather(self, *accounts: str) -> str:
        """Make a group of contacts; its chat."""
        contacts = self._client.state.contacts
        await until(lambda: all(contacts[each].state is ContactState.ACCEPTED for each in accounts))
        made = await self._client.create_group("Walks", accounts)
        return str(made.chat.chat)

    async def come(self, chat: str) -> None:
        """Get into a group, once one is invited."""
        await self._client.invitations()
        await until(lambda: chat in self._client.state.groups.invitations)
        await self._client.accept_invitation(chat)

    async def confer(self, chat: str) -> None:
        self._conference = await self._client.conference(chat)

    async def meets(self, others: int) -> list[list[str]]:
        """Until one is connected with so many; with whom, and the words."""
        await until(lambda: self._connected() == others)
        peers = self._conference.peers
        return [[peer.account, str(peer.words)] for peer in peers if peer.state is LinkState.CONNECTED]

    def _connected(self) -> int:
        return sum(peer.state is LinkState.CONNECTED for peer in self._conference.peers)

    async def hears_all(self, *voices: float) -> None:
        """Until each of these tones is heard, from now on."""
        self._ear.last.clear()
        await until(lambda: all(self._ear.hears(hertz) for hertz in voices))

    async def leave(self) -> None:
        self._conference.leave()


def conference(world: Any, found: dict[str, Any]) -> None:
    """Three people of two nodes, two of whom are strangers: each hears both others; then one leaves."""
    people = [world.people[login] for login in PEOPLE]
    ada, ben, cay = people
    chat = ada.do("gather", ben.account, cay.account)
    for person in (ben, cay):
        person.do("come", chat)
    for person in people:
        person.do("confer", chat)
    met = _all(people, "meets", 2)
    found["words"] = sorted(_pairs(people, met))
    for person in people:
        person.begin("hears_all", *(other.hertz for other in people if other is not person))
    for person in people:
        person.done()
    ben.do("leave")
    found["left"] = [len(each) for each in _all([ada, cay], "meets", 1)]
    for person, other in ((ada, cay), (cay, ada)):
        person.do("hears_all", other.hertz)
    found["log"] = ben.do("log", 0) >= 0
    for person in (ada, cay):
        person.do("leave")


def _all(people: Any, do: str, *what: object) -> list[Any]:
    for person in people:
        person.begin(do, *what)
    return [person.done() for person in people]


def _pairs(people: Any, met: list[Any]) -> list[list[str]]:
    """Both of each pair, and the words that one of them sees."""
    return [
        [*sorted((person.account, account)), words]
        for person, each in zip(people, met, strict=True)
        for account, words in each
    ]
