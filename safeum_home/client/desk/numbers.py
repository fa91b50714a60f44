"""Which message of the open chat a number means: counted from the end, as it was when the line was begun.

What comes in while somebody types moves no number, and neither does what is sent meanwhile.
"""

import re
from typing import TYPE_CHECKING

from safeum_home.client.desk.entries import entries
from safeum_home.client.desk.notices import Outgoing
from safeum_home.client.words.message_words import quoted
from safeum_home.client.words.text import safe
from safeum_home.protocol.types import Message, Notice

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

NUMBERED = (
    "reply",
    "edit",
    "delete",
    "react",
    "reactions",
    "readers",
    "pin-message",
    "unpin-message",
    "forward",
)
"""The commands whose argument begins with the number of a message."""
_COMMAND = re.compile(r"/([a-z][a-z-]*) +([0-9]{1,6})(?: |$)")


class Numbers:
    """The messages of the open chat by their numbers. `line` is told what stands in the line for typing."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._line = ""
        self._begun: list[str | Outgoing] | None = None

    def line(self, text: str) -> None:
        """This stands in the line now: its first character fixes the numbers."""
        self._line = text
        if not text:
            self._begun = None
        elif self._begun is None:
            self._fix()

    def opened(self) -> None:
        """Another chat was opened: what is typed already counts from what it shows now."""
        self._begun = None
        if self._line:
            self._fix()

    def _fix(self) -> None:
        view = self._desk.chat
        if view is not None and view.loaded:  # else what is to be seen has yet to come
            self._begun = self._counted()

    def _counted(self) -> list[str | Outgoing]:
        """All that is counted, the last one last: ids, and messages that the node does not have yet.

        What the node tells of a group cannot be edited, copied or answered: nobody means it by a number.
        """
        return [
            entry if isinstance(entry, Outgoing) else entry.id
            for entry in entries(self._desk)
            if isinstance(entry, Outgoing)
            or (isinstance(entry, Message) and not isinstance(entry.body, Notice))
        ]

    def of(self, number: int) -> Message | Outgoing | None:
        """The message that is meant; None where there is none, or it is gone."""
        view = self._desk.chat
        counted = self._counted()
        if self._begun is not None:
            first = next((each for each in self._begun if isinstance(each, str)), None)
            counted = [*(counted[: counted.index(first)] if first in counted else ()), *self._begun]
        if view is None or not 0 < number <= len(counted):
            return None
        one = counted[-number]
        if isinstance(one, Outgoing) and one.held:
            come = (each for each in view.messages if each.origin == one.client_id)
            return one if one.client_id in view.waiting else next(come, None)
        if isinstance(one, Outgoing) and one.sent is None:
            return one if one in self._desk.outbox.items or one in self._desk.secure.unsent(view) else None
        place = view.place(one.sent if isinstance(one, Outgoing) else one)
        return None if place < 0 else view.messages[place]

    def aim(self) -> str:
        """Which message a command that is being typed means, in words; nothing where it means none."""
        typed = _COMMAND.match(self._line)
        view = self._desk.chat
        if typed is None or view is None or not any(name.startswith(typed[1]) for name in NUMBERED):
            return ""
        found = self.of(int(typed[2]))
        if found is None:
            return ""
        if isinstance(found, Outgoing) and found.held:
            return f"{typed[2]} waits: {' '.join(safe(found.text).split())}"
        if isinstance(found, Outgoing):
            return f"{typed[2]} is not on the node: {' '.join(safe(found.text).split())}"
        return f"{typed[2]} is of {quoted(found.id, view, self._desk.names)}"
