"""The terminal client's pages as lines of styled text: plain functions of the desk and a size."""

from collections.abc import Iterator
from datetime import tzinfo
from itertools import accumulate
from operator import itemgetter

from safeum_home.client.chat_view import ChatView
from safeum_home.client.desk import Desk, Notice, Outgoing, body_text
from safeum_home.client.events import Link
from safeum_home.client.text import clock, day, duration, fit, safe, stamp, width, wrap
from safeum_home.protocol.types import ContactState, LoginAlert, Message

Line = list[tuple[str, str]]
"""Styled pieces of one line: (style class, text)."""

NAME = 12
"""The most columns that a name takes beside a message."""
SIDEBAR = 24
NARROW = 60
"""Columns below which the list of chats makes room for the chat."""

WELCOME = (
    "Welcome. Nothing is kept on this computer.",
    "",
    "  /add login@node  ask somebody to be your contact",
    "  /chat NAME       open a chat; Tab completes names",
    "  /contacts        everybody you know, or who asks",
    "  /devices         where you are logged in",
    "  /help            everything else, keys too",
    "  /quit            log out and leave",
)


def text_of(lines: list[Line]) -> str:
    """Lines without their styles."""
    return "\n".join("".join(text for _, text in line) for line in lines)


def sidebar(desk: Desk, columns: int, rows: int, zone: tzinfo | None = None) -> list[Line]:
    """The chats, newest first, with unread counts; requests on top."""
    lines: list[Line] = []
    for contact in desk.wanted()[:3]:
        lines.append([("contact", fit(f" + {desk.short(contact.address)}", columns))])
    for chat in desk.state.chats:
        open_here = chat.chat == desk.current
        mark = "▌" if open_here else " "
        unread = ("99+" if chat.unread > 99 else str(chat.unread)) if chat.unread else ""
        time = unread or ("…" if chat.typing else stamp(chat.last.at, desk.now(), zone) if chat.last else "")
        room = columns - width(time) - 3
        style = "open" if open_here else "unread" if unread else "chat"
        right = "count" if unread else "time"
        lines.append([(style, mark + fit(desk.title(chat), room) + " "), (right, time), ("", " ")])
    if not lines:
        lines.append([("time", fit(" no chats yet", columns))])
    return lines[:rows]


def header(desk: Desk, columns: int) -> Line:
    """Which chat this is. The address stands beside the name: names are chosen by their owners."""
    view = desk.chat
    if view is None:
        return [("header", fit(f" {safe(desk.state.address)}", columns))]
    title = desk.title(view)
    address = safe(view.address)
    rest = "" if address in ("", title) else f"  {address}"
    contact = desk.state.contacts.get(view.peer)
    if view.kind == "direct" and (contact is None or contact.state is not ContactState.ACCEPTED):
        rest += "  (not a contact)"
    return [("header", fit(f" {title}{rest}", columns))]


def body(desk: Desk, columns: int, rows: int, zone: tzinfo | None = None) -> list[Line]:
    """What fits of the open chat, the newest at the bottom, `desk.scroll` lines further up."""
    held, _ = _held(desk, columns, rows + desk.scroll, zone)
    end = max(min(rows, len(held)), len(held) - desk.scroll)
    shown = held[max(0, end - rows) : end]
    return [[("", "")] for _ in range(rows - len(shown))] + shown


def highest(desk: Desk, columns: int, rows: int, zone: tzinfo | None = None) -> int | None:
    """How far `desk.scroll` may go; None where at least one more page is held."""
    held, complete = _held(desk, columns, 2 * rows + desk.scroll, zone)
    return max(0, len(held) - rows) if complete else None


def _held(desk: Desk, columns: int, enough: int, zone: tzinfo | None) -> tuple[list[Line], bool]:
    """The last lines of the page, at least `enough` of them unless that is all."""
    lines: list[Line] = []
    for block in _blocks_backwards(desk, columns, zone):
        lines[:0] = block
        if len(lines) >= enough:
            return lines, False
    return lines, True


Entry = Message | Notice | Outgoing


def _blocks_backwards(desk: Desk, columns: int, zone: tzinfo | None) -> Iterator[list[Line]]:
    view = desk.chat
    notices = [notice for notice in desk.notices if notice.chat == desk.current]
    if view is None:
        entries: list[Entry] = list(notices)
    else:
        pending = [outgoing for outgoing in desk.outgoing if outgoing.chat == view.chat]
        # Messages stay in their order, also where the node's clock went back.
        times = accumulate((message.at for message in view.messages), max)
        dated: list[tuple[int, Message | Notice]] = [*zip(times, view.messages, strict=True)]
        dated += [(notice.at, notice) for notice in notices]
        entries = [*(entry for _, entry in sorted(dated, key=itemgetter(0))), *pending]
    marks = _ticks(desk, view) if view is not None else {}
    for index in range(len(entries) - 1, -1, -1):
        entry = entries[index]
        block = _block(desk, entry, columns, marks, zone)
        before = entries[index - 1].at if index else None
        if view is not None:
            block = _separators(desk, entry, before, columns, zone) + block
        yield block
    if view is None:
        yield [[("", fit(line, columns))] for line in WELCOME] + [[("", "")]]
    elif view.more and view.loaded:
        yield [[("time", _ruled("PageUp for older messages", columns))]]


def _separators(
    desk: Desk, entry: Entry, before: int | None, columns: int, zone: tzinfo | None
) -> list[Line]:
    lines: list[Line] = []
    today = day(entry.at, desk.now(), zone)
    if before is None or day(before, desk.now(), zone) != today:
        lines.append([("day", _ruled(today, columns))])
    if isinstance(entry, Message) and entry.id == desk.new_from:
        lines.append([("new", _ruled("new", columns))])
    return lines


def _ruled(text: str, columns: int) -> str:
    rest = max(0, columns - width(text) - 2)
    return "─" * (rest // 2) + f" {text} " + "─" * (rest - rest // 2)


def _block(desk: Desk, entry: Entry, columns: int, marks: dict[str, str], zone: tzinfo | None) -> list[Line]:
    if isinstance(entry, Notice):
        return [[(entry.style, text)] for text in wrap(entry.text, columns)]
    time = clock(entry.at, zone)
    view = desk.chat
    names = min(NAME, max(3, width(desk.title(view)))) if view is not None else NAME
    if isinstance(entry, Outgoing):
        mark = "✗" if entry.error else "…"
        lines = _said(time, "You", names, "own", safe(entry.text, newlines=True), mark, columns)
        hint = f"not sent: {entry.error} /retry sends it again."
        return lines + ([[("error", text)] for text in wrap(hint, columns)] if entry.error else [])
    if isinstance(entry.body, LoginAlert):
        newest = view is not None and entry is view.last
        advice = ". Was that not you? /devices shows it, and /revoke with its number there logs it out."
        texts = wrap(f"🔑 {body_text(entry)}{advice if newest else ''}", columns - 6)
        return [
            [("time", time if not index else "     "), ("alert", f" {t}")] for index, t in enumerate(texts)
        ]
    own = entry.sender == desk.state.account
    name = "You" if own else desk.name(entry.sender)
    style = "own" if own else "peer"
    return _said(time, name, names, style, body_text(entry), marks.get(entry.id, ""), columns)


def _said(time: str, name: str, names: int, style: str, text: str, mark: str, columns: int) -> list[Line]:
    indent = 6 + names + 1
    room = columns - indent - 1
    texts = wrap(text, room - (width(mark) + 1 if mark else 0))
    lines: list[Line] = []
    for index, piece in enumerate(texts):
        start: Line = (
            [("", " " * indent)] if index else [("time", time + " "), (style, fit(name, names) + " ")]
        )
        lines.append([*start, ("text", piece)])
    if mark:
        style = "read" if mark.endswith("read") else "error" if mark == "✗" else "time"
        lines[-1].append((style, f" {mark}"))
    return lines


def _ticks(desk: Desk, view: ChatView) -> dict[str, str]:
    """✓ on the node, ✓✓ on a device of theirs; the newest that was read says so."""
    marks: dict[str, str] = {}
    read, delivered = view.place(view.peer_read), view.place(view.peer_delivered)
    said = False
    for index in range(len(view.messages) - 1, -1, -1):
        message = view.messages[index]
        if message.sender != desk.state.account:
            continue
        if index <= read:
            marks[message.id] = "✓✓" if said else "✓✓ read"
            said = True
        else:
            marks[message.id] = "✓✓" if index <= delivered else "✓"
    return marks


def info(desk: Desk, columns: int) -> Line:
    """The line above the input: who types, else what came in elsewhere."""
    view = desk.chat
    typing = [] if view is None else [desk.name(account) for account in view.typing]
    if typing:
        return [("typing", fit(f" {', '.join(sorted(typing))} is typing…", columns))]
    return [("banner", fit(f" {desk.banner}".replace("\n", " ") if desk.banner else "", columns))]


def status(desk: Desk, columns: int) -> Line:
    """The last line: connected or not, who, how much is unread."""
    link = desk.link
    if link.link is Link.ONLINE:
        state, style = "● connected", "online"
    elif link.link is Link.CLOSED:
        state, style = "■ session over", "error"
    elif link.link is Link.CONNECTING or link.retry_in is None:
        state, style = "◌ reconnecting…", "offline"
    else:
        left = max(0.0, link.retry_in - (desk.now() - desk.link_at) / 1000)
        state, style = f"◌ reconnecting in {duration(left)} ({safe(link.reason)})", "offline"
    unread = desk.state.unread
    right = " · ".join(
        filter(None, [f"{unread} unread" if unread else "", safe(desk.state.address), "/help"])
    )
    room = max(0, columns - width(state) - 3)
    return [
        (style, f" {state} "),
        ("status", fit(" " * max(0, room - width(right)) + right, room)),
        ("status", " "),
    ]
