"""A message, a notice or a separator of the open chat as lines of styled text."""

from datetime import tzinfo

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.desk_events import FORGED
from safeum_home.client.desk.entries import Entry
from safeum_home.client.desk.notices import Notice, Outgoing
from safeum_home.client.state import alerts
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.group_words import notice_text
from safeum_home.client.words.message_words import body_text, whole_text
from safeum_home.client.words.names import SYSTEM_MARK, bare
from safeum_home.client.words.text import clock, day, duration, fit, safe, width, wrap
from safeum_home.client.words.voicemail_words import voicemail_text
from safeum_home.protocol import types
from safeum_home.protocol.signing import ACCOUNT_BODIES
from safeum_home.protocol.types import LoginAlert, Message

Line = list[tuple[str, str]]
"""Styled pieces of one line: (style class, text)."""

SIGNED = f"{SYSTEM_MARK} signed"
"""Behind an answer of the staff that the node has signed."""
NAME = 12
"""The most columns that a name takes beside a message."""


def text_of(lines: list[Line]) -> str:
    """Lines without their styles."""
    return "\n".join("".join(text for _, text in line) for line in lines)


def ruled(text: str, columns: int) -> str:
    """A line across, with a word in it."""
    rest = max(0, columns - width(text) - 2)
    return "─" * (rest // 2) + f" {text} " + "─" * (rest - rest // 2)


def fold(notice: Notice, columns: int) -> list[Line]:
    """A notice in lines; where the first one is a table's, the others stand below its last column."""
    hang = notice.hang if columns >= 2 * notice.hang else min(2, notice.hang)
    first, *rest = wrap(notice.text, columns) or [""]
    if rest and hang:
        rest = wrap(notice.text[len(first) :].lstrip(), columns - hang)
    return [[(notice.style, text)] for text in (first, *(" " * hang + each for each in rest))]


def separators(
    desk: Desk, entry: Entry, before: Entry | None, columns: int, zone: tzinfo | None
) -> list[Line]:
    """What stands above an entry: a new day, or that from here on it is new."""
    lines: list[Line] = []
    today = day(entry.at, desk.now(), zone)
    if before is None or day(before.at, desk.now(), zone) != today:
        lines.append([("day", ruled(today, columns))])
    if isinstance(entry, Message) and entry.id == desk.new_from:
        lines.append([("new", ruled("new", columns))])
    return lines


def block(desk: Desk, entry: Entry, columns: int, marks: dict[str, str], zone: tzinfo | None) -> list[Line]:
    """An entry in lines; `marks` are the ticks of messages."""
    if isinstance(entry, Notice):
        return fold(entry, columns)
    view = desk.chat
    assert view is not None
    time = clock(entry.at, zone)
    named = desk.names.beside if view.kind == "direct" else desk.names.name
    other = named(view.peer) if view.kind == "direct" else desk.names.title(view)
    names = NAME if view.kind == "group" and not view.pair else min(NAME, max(3, width(bare(other))))
    if isinstance(entry, Outgoing):
        mark = "✗" if entry.error else "…"
        lines = _said(time, "You", names, "own", safe(entry.text, newlines=True), mark, columns)
        style = "error" if entry.error else "waiting"
        return lines + [[(style, text)] for hint in _hints(desk, entry) for text in wrap(hint, columns)]
    signed = desk.state.authentic(entry)
    if signed is False:
        return _forged(entry, time, columns)
    if isinstance(entry.body, types.Notice):
        texts = wrap(notice_text(entry.body, desk.names.name, view.secure), columns - 6)
        return [[("time", "     " if index else time), ("notice", f" {t}")] for index, t in enumerate(texts)]
    if not isinstance(entry.body, ACCOUNT_BODIES):
        texts = wrap(f"{_alert(desk, view, entry)} {SYSTEM_MARK}", columns - 6)
        return [
            [("time", time if not index else "     "), ("alert", f" {t}")] for index, t in enumerate(texts)
        ]
    own = entry.sender == desk.state.account
    name = "You" if own else named(entry.sender)
    style = "own" if own else "peer"
    mark = SIGNED if signed else marks.get(entry.id, "")
    text = whole_text(entry, view, desk.names)
    return _said(time, name, names, style, text, mark, columns)


def _forged(message: Message, time: str, columns: int) -> list[Line]:
    """What says that it is the node's and is not: behind a warning, and in no way as the node's own."""
    texts = [*wrap(FORGED, columns - 6), *wrap(body_text(message), columns - 6)]
    return [
        [("time", time if not index else "     "), ("error", f" {text}")] for index, text in enumerate(texts)
    ]


def _hints(desk: Desk, entry: Outgoing) -> list[str]:
    if entry.error:
        return [f"Not sent: {entry.error} {entry.ways}."]
    if entry.waits:
        left = max(0, entry.again - desk.now()) / 1000
        return [f"Not sent yet: {entry.waits} It is sent again in {duration(left)}."]
    return [hint for hint in (entry.held, entry.sealing) if hint]


def _alert(desk: Desk, view: ChatView, message: Message) -> str:
    body = message.body
    if isinstance(body, types.Voicemail):
        return f"☎ {voicemail_text(body, desk.now())}"
    if not isinstance(body, LoginAlert):
        return f"☎ {body_text(message)}"
    device = f"{safe(body.name)} on {safe(body.system)}"
    if alerts.welcomes(view, message):
        return f"Welcome to SafeUM. This account was opened from {device}. Each login will be told here."
    if alerts.own(desk.device, message):
        return f"🔑 This device logged in: {device}"
    advice = ". Was that not you? /devices shows it, and /revoke with its number there logs it out."
    return f"🔑 {body_text(message)}{advice if message is view.last else ''}"


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


def ticks(desk: Desk, view: ChatView) -> dict[str, str]:
    """✓ on the node, ✓✓ on a device of theirs; the newest that was read says so."""
    marks: dict[str, str] = {}
    whole = desk.state.held(view.chat) or view  # what is not shown is read, too
    places = {message.id: place for place, message in enumerate(whole.messages)}
    read, delivered = places.get(view.peer_read or "", -1), places.get(view.peer_delivered or "", -1)
    said = False
    for message in reversed(view.messages):
        index = places.get(message.id, len(places))
        if message.sender != desk.state.account:
            continue
        if index <= read:
            marks[message.id] = "✓✓" if said else "✓✓ read"
            said = True
        else:
            marks[message.id] = "✓✓" if index <= delivered else "✓"
    return marks
