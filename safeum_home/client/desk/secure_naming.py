"""Saying what secure chats have to say of people by their names: also where nobody here knows those yet.

Members vouch for somebody before the node says who that is.
"""

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from safeum_home.client.desk.group_names import learn, stranger
from safeum_home.client.desk.notices import Notice
from safeum_home.client.events import Link
from safeum_home.client.unlocked.events import SecureWarning
from safeum_home.client.words.secure_words import Said, Wording
from safeum_home.spawn import spawn

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

MOST = 50


class Naming:
    """`warned` says it; `heard` is for whatever may tell who somebody is."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._nameless: deque[tuple[Notice, SecureWarning]] = deque(maxlen=MOST)
        """What was said of an account by its id."""

    def warned(self, event: SecureWarning) -> None:
        """Ask who that is, where it is nobody who is known here, and say it then."""
        said, strangers = self._worded(event)
        if said is not None and strangers and self._desk.link.link is Link.ONLINE:
            spawn(self._introduced(event, strangers), "asking who they are")
        elif said is not None:
            self._say(event, said)

    def heard(self, chat: str) -> None:
        """Something has come in a chat."""
        for each in [each for each in self._nameless if each[1].chat == chat]:
            spawn(self._named(*each), "asking who they are")

    async def _introduced(self, event: SecureWarning, strangers: list[str]) -> None:
        await self._learn(event.chat, strangers)
        said, strangers = self._worded(event)
        if said is not None and (notice := self._say(event, said)) is not None and strangers:
            self._nameless.append((notice, event))

    async def _named(self, notice: Notice, event: SecureWarning) -> None:
        await self._learn(event.chat, self._worded(event)[1])
        said, strangers = self._worded(event)
        if (notice, event) not in self._nameless or (strangers and notice in self._desk.notices):
            return
        self._nameless.remove((notice, event))
        if said is not None and notice in self._desk.notices:
            self._desk.notices[self._desk.notices.index(notice)] = replace(notice, text=said.text)
            self._desk.refresh()

    async def _learn(self, chat: str, strangers: list[str]) -> None:
        view = self._desk.state.held(chat)
        if view is not None:
            await learn(self._desk, view, also=strangers)

    def _worded(self, event: SecureWarning) -> tuple[Said | None, list[str]]:
        """What is to be said, and who in it is known by an id alone."""
        desk, named = self._desk, set[str]()

        def name(account: str) -> str:
            named.add(account)
            return desk.names.name(account)

        said = Wording(name, desk.secure.login, desk.state.account).of(event.about)
        return said, [account for account in named if stranger(desk, event.chat, account)]

    def _say(self, event: SecureWarning, said: Said) -> Notice | None:
        """The notice that it is, if it is one and was not said yet."""
        desk = self._desk
        if said.alarm:
            desk.secure.alarms.sound(event.chat, said.text)
            return None
        if any((each.chat, each.text) == (event.chat, said.text) for each in desk.notices):
            return None
        desk.tell(said.text, "verify", event.chat)
        return desk.notices[-1]
