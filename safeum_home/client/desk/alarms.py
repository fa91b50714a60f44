"""Alarms of secure chats at a desk: each stands in its chat, is counted elsewhere, and is never a message.

They begin with a sign that is taken out of names, at the left edge, where nothing stands that others write.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeum_home.client.desk.notices import Notice
from safeum_home.client.words.text import short, stamp

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

SIGN = "⚠"
STYLE = "alarm"
_TITLE = 24
"""Columns of a chat's name in the line above the input: names are long, and the alarm is to be seen."""
MOST = 200
"""Different ones; the oldest makes room. The same one again is counted."""


@dataclass(slots=True)
class Alarm:
    """`chat` is None of what concerns them all."""

    chat: str | None
    text: str
    at: int
    count: int = 1

    @property
    def words(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{SIGN} {self.text}{times}"


class Alarms:
    """`all` are the oldest first; `unseen` is how many of them came where nobody looked."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._known: dict[tuple[str | None, str], tuple[Alarm, Notice]] = {}
        self._unseen: dict[tuple[str | None, str], None] = {}

    @property
    def all(self) -> list[Alarm]:
        return [alarm for alarm, _ in self._known.values()]

    @property
    def unseen(self) -> int:
        return len(self._unseen)

    def sound(self, chat: str | None, text: str) -> None:
        """Say it at the end of `chat`, or of the open one; the same text again is the same alarm."""
        desk, key, count = self._desk, (chat, text), 1
        if (known := self._known.pop(key, None)) is not None:
            count = known[0].count + 1
            if known[1] in desk.notices:
                desk.notices.remove(known[1])
        alarm = Alarm(chat, text, desk.now(), count)
        where = desk.current if chat is None else chat
        after = None if where is None else desk.last(where)
        notice = Notice(alarm.at, where, alarm.words, STYLE, after, 2)
        desk.notices.append(notice)
        self._known[key] = alarm, notice
        while len(self._known) > MOST:
            gone = next(iter(self._known))
            del self._known[gone]
            self._unseen.pop(gone, None)
        if where != desk.current or desk.reading or desk.mark is not None:
            self._unseen[key] = None
        if known is None:
            desk.bell()
        desk.refresh()

    def seen(self, chat: str | None) -> None:
        """A chat was opened: its alarms are on the screen."""
        for key in [key for key in self._unseen if key[0] == chat]:
            del self._unseen[key]

    def all_seen(self) -> None:
        self._unseen.clear()

    def forget(self, chat: str) -> None:
        """The chat is gone."""
        for key in [key for key in self._known if key[0] == chat]:
            del self._known[key]
        self.seen(chat)

    def line(self) -> str:
        """What is to be seen above the input wherever one is; empty where there is nothing."""
        if not self._unseen:
            return ""
        key = next(reversed(self._unseen))
        alarm, _ = self._known[key]
        chat = alarm.chat
        where = "" if chat is None else f"{short(self._title(chat), _TITLE)}: "
        more = f"{len(self._unseen)} alarms, the last: " if len(self._unseen) > 1 else ""
        return f"{SIGN} /alarms  {more}{where}{alarm.text}"

    def lines(self) -> list[str]:
        """All of them in words, the newest last."""
        now = self._desk.now()
        return [
            f"{stamp(each.at, now)}  {'' if each.chat is None else self._title(each.chat) + ': '}{each.words}"
            for each in self.all
        ]

    def _title(self, chat: str) -> str:
        view = self._desk.state.held(chat)
        return "a chat that is gone" if view is None else self._desk.names.title(view)
