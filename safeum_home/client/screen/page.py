"""The open chat, or a text that is read, as lines of styled text; and how a window moves over it."""

from collections.abc import Iterator
from datetime import tzinfo

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.entries import Entry, entries
from safeum_home.client.desk.notices import Notice, Outgoing
from safeum_home.client.screen.blocks import Line, block, fold, ruled, separators, ticks
from safeum_home.protocol.types import Message

WELCOME = (
    "Welcome. Nothing is kept on this computer.",
    "",
    "  /add login@node  ask somebody to be your contact",
    "  /chat NAME       open a chat; Tab completes names",
    "  /secure NAME     a chat that only you two can read",
    "  /contacts        everybody you know, or who asks",
    "  /devices         where you are logged in",
    "  /support         write to the operator of your node",
    "  /help            everything else, and what keys do",
    "  /quit            log out and leave",
)


def body(desk: Desk, columns: int, rows: int, zone: tzinfo | None = None) -> list[Line]:
    """What fits of the open chat, the newest at the bottom, or where the window was moved to."""
    if desk.reading:
        shown = _text(desk, columns)[desk.top : desk.top + rows]
        return shown + [[("", "")] for _ in range(rows - len(shown))]
    held, below, _ = _held(desk, columns, rows + desk.scroll, zone)
    end = max(min(rows, len(held)), len(held) - below - desk.scroll)
    shown = held[max(0, end - rows) : end]
    return [[("", "")] for _ in range(rows - len(shown))] + shown


def scroll(desk: Desk, lines: int, columns: int, rows: int, zone: tzinfo | None = None) -> None:
    """Move the window up (or down, where `lines` is negative); at the top older messages are asked for."""
    if desk.reading:
        last = max(0, len(_text(desk, columns)) - rows)
        desk.top = min(last, max(0, desk.top - lines))
        desk.refresh()
        return
    held, below, complete = _held(desk, columns, 2 * rows + desk.scroll + max(0, lines), zone)
    place = max(0, below + desk.scroll + lines)
    if complete and place >= len(held) - rows:
        place = max(0, len(held) - rows)
        view = desk.chat
        if lines > 0 and view is not None and view.loaded and view.more:
            desk.run(desk.pages.older(view))
    newest = next((each for each in reversed(entries(desk)) if not isinstance(each, Outgoing)), None)
    if place == 0 or newest is None:
        desk.follow()
    else:
        desk.mark = _key(newest)
        desk.scroll = place - _held(desk, columns, 0, zone)[1]
    desk.refresh()


def new_below(desk: Desk) -> int:
    """Messages that came while the window was further up."""
    view = desk.chat
    if view is None or desk.mark is None:
        return 0
    shown = entries(desk)
    place = next((place for place, entry in enumerate(shown) if _key(entry) == desk.mark), -1)
    behind = (entry for entry in shown[place + 1 :] if isinstance(entry, Message))
    return sum(message.sender != desk.state.account for message in behind)


def more_to_read(desk: Desk, columns: int, rows: int) -> bool:
    """Whether the text that is read goes on below the window."""
    return desk.top + rows < len(_text(desk, columns))


def _text(desk: Desk, columns: int) -> list[Line]:
    return [line for notice in desk.reading for line in fold(notice, columns)]


def _key(entry: Entry) -> object:
    return entry.id if isinstance(entry, Message) else entry


def _held(desk: Desk, columns: int, enough: int, zone: tzinfo | None) -> tuple[list[Line], int, bool]:
    """The last lines, how many of them are behind `desk.mark`, and whether that is all there is.

    At least `enough` of them are not behind it, unless that is all.
    """
    lines: list[Line] = []
    below = 0
    found = desk.mark is None
    for entry, its_lines in _backwards(desk, columns, zone):
        if not found and entry is not None and _key(entry) == desk.mark:
            found, below = True, len(lines)
        lines[:0] = its_lines
        if found and len(lines) - below >= enough and entry is not None:
            return lines, below, False
    return lines, below, True


def _backwards(desk: Desk, columns: int, zone: tzinfo | None) -> Iterator[tuple[Entry | None, list[Line]]]:
    view = desk.chat
    shown = entries(desk)
    marks = {} if view is None else ticks(desk, view)
    for index in range(len(shown) - 1, -1, -1):
        entry = shown[index]
        lines = block(desk, entry, columns, marks, zone)
        if view is not None:
            lines = separators(desk, entry, shown[index - 1] if index else None, columns, zone) + lines
        yield entry, lines
    if view is None:
        yield None, [line for text in WELCOME for line in fold(Notice(0, None, text, "", None, 19), columns)]
    elif view.more and view.loaded:
        yield None, [[("time", ruled("PageUp for older messages", columns))]]
