"""Comparing emoji at a desk: who asks for it, what both should see, and what has come of it."""

from typing import TYPE_CHECKING

from safeum_home.client.sas import Words
from safeum_home.client.unlocked.events import CompareChanged
from safeum_home.client.words.text import safe

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

ASKED = "{name} wants to compare emoji with you, to know that nobody is in between: /verify {login} emoji"
SHOWN = (
    "Compare with {name}, face to face or by voice, and not in writing:\n{signs}\nin numbers: {numbers}\n"
    "/verify {login} same, where {name} has exactly these; else /verify {login} different"
)
SAME = "{name} is verified: you both see the same. It stays so until a security key changes."
DIFFERENT = (
    "{name} is not verified: one of you has said that these are not the same. Somebody may be in between:"
    " say nothing here that others must not read, and meet, or call each other."
)
OVER = (
    "The comparison with {name} was given up. Nothing is verified by it; /verify {login} emoji begins anew."
)


LINE = 4
"""Emoji in a line."""


class ComparingDesk:
    """`where` has the chat of each comparison that goes on, by account."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self.where: dict[str, str] = {}
        self.asked: set[str] = set()
        """Those who wait for an answer."""
        self.shown: set[str] = set()
        """Those with whom there is something to be compared."""
        self.numbers: dict[str, str] = {}
        """Safety numbers as they were shown last."""

    def begun(self, account: str, chat: str) -> None:
        """This person has asked for it."""
        self.where[account] = chat

    def forget(self) -> None:
        self.where.clear()
        self.asked.clear()
        self.shown.clear()
        self.numbers.clear()

    def changed(self, event: CompareChanged) -> None:
        """Tell what there is to do."""
        account = event.account
        if event.same is not None:
            self._over(event)
        elif event.words is not None:
            self.shown.add(account)
            self.asked.discard(account)
            self._tell(event, SHOWN, event.words)
        else:
            self.where[account] = event.chat
            self.asked.add(account)
            self._tell(event, ASKED)

    def _over(self, event: CompareChanged) -> None:
        account = event.account
        shown = account in self.shown
        self.where.pop(account, None)
        self.asked.discard(account)
        self.shown.discard(account)
        if event.same:
            self._tell(event, SAME)
        elif shown:
            self._desk.secure.alarms.sound(event.chat, self._words(account, DIFFERENT))
        else:
            self._tell(event, OVER)

    def _tell(self, event: CompareChanged, text: str, words: Words | None = None) -> None:
        said = self._words(event.account, text, words)
        self._desk.bell()
        self._desk.tell(said, "verify", event.chat)
        if event.chat != self._desk.current:
            self._desk.banner = said.partition("\n")[0]

    def _words(self, account: str, text: str, words: Words | None = None) -> str:
        names = self._desk.names
        shown = [] if words is None else [f"{safe(each.symbol)} {each.name}" for each in words.emoji]
        signs = "\n".join("  ".join(each) for each in (shown[:LINE], shown[LINE:]))
        numbers = "" if words is None else " ".join(words.numbers)
        login = self._desk.secure.login(account)
        return text.format(name=names.name(account), login=login, signs=signs, numbers=numbers)
