"""The Twisted client's way to find contacts by their numbers."""

from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from safeum_home.client.abilities.contact_finder import ContactFinder
from safeum_home.client.errors import local
from safeum_home.client.methods.group import GroupMethods
from safeum_home.client.state.search import Searching
from safeum_home.client.state.state import State
from safeum_home.errors import Code
from safeum_home.protocol import commands as c


class Finding(GroupMethods, Searching):
    """A client that finds people, and support. What it has looked up it keeps as long as it lives."""

    _clock: IReactorTime
    opened: c.Opened | None
    state: State
    _finder: ContactFinder | None = None

    @property
    def support_chat(self) -> str | None:
        """The chat in which this account writes to its operator; None before the login."""
        return self.state.voice.support_chat

    @property
    def notes(self) -> str | None:
        """The chat with oneself, where one's devices leave each other notes; None before the login."""
        return self.state.voice.notes

    def find_contacts(self, numbers: Iterable[str]) -> "Deferred[dict[str, c.ContactFound]]":
        """Which of these numbers (`+` and digits, E.164) can be found on the node, as which account.

        The node learns how many are looked up and when, and not which: docs/contact-sync.md. What was
        evaluated is kept in memory. Raises as `contact_finder.ContactFinder.find` does.
        """
        if self.opened is None:
            raise local(Code.NOT_AUTHENTICATED)
        if self._finder is None:
            self._finder = ContactFinder()
        finding = self._finder.find(self._ask, self._wait, self.opened.account, numbers)
        return Deferred.fromCoroutine(finding)

    def _wait(self, seconds: float) -> "Deferred[None]":
        return deferLater(self._clock, seconds)
