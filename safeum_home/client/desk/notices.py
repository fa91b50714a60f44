"""Lines for this person alone, and messages on their way: what stands between the messages of a chat."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """A line in the chat where it came up (None: the first page), behind the message `after`."""

    at: int
    chat: str | None
    text: str
    style: str = "notice"
    after: str | None = None
    hang: int = 0
    """Columns by which the further lines of it are indented."""
    about: str | None = None
    """The chat that it has words of, where that is another one: it goes when that is wiped."""


@dataclass(slots=True, eq=False)
class Outgoing:
    """A message that the node does not have yet; times are in milliseconds.

    `error` says why it will not have it; `waits` why it was not taken yet, and `again` when it is tried
    next. A failed one stays behind the message `after`.
    """

    chat: str
    client_id: str
    text: str
    at: int
    error: str = ""
    waits: str = ""
    again: int = 0
    tries: int = 0
    after: str | None = None
    reply_to: str | None = None
    mentions: tuple[str, ...] = ()
    again_as: str | None = "it again"
    """As what /retry sends it; None where that would be refused for ever."""
    sent: str | None = None
    """The id that the node has given it."""
    held: str = ""
    """What it waits for, where the node has it: nothing is to be done about it here."""
    sealing: str = ""
    """What it waits for before it can be sealed, and so sent."""

    @property
    def ways(self) -> str:
        """What can be done with it once it was refused."""
        return ("" if self.again_as is None else f"/retry sends {self.again_as}, ") + "/drop forgets it"

    @property
    def idle(self) -> bool:
        """Whether it is certain that it is not on its way just now."""
        return bool(self.error or self.waits)


def not_sent(count: int) -> str:
    """`1 message was not sent`."""
    return f"{count} message{' was' if count == 1 else 's were'} not sent"


def undone(unsent: int, moving: int) -> str:
    """`1 message was not sent and 2 files are on their way`, as far as there are any."""
    files = "1 file is on its way" if moving == 1 else f"{moving} files are on their way"
    return " and ".join(([not_sent(unsent)] if unsent else []) + ([files] if moving else []))
