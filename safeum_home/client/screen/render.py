"""What stands around the open chat as lines of styled text: plain functions of the desk and a size."""

from datetime import tzinfo

from safeum_home.client.desk import secure_standing
from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.standing import STANDING
from safeum_home.client.events import Link
from safeum_home.client.screen.blocks import Line
from safeum_home.client.screen.page import more_to_read, new_below
from safeum_home.client.slash.secure_lookup import pair_with
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.group_words import count
from safeum_home.client.words.names import label
from safeum_home.client.words.peer_receipts import not_confirmed
from safeum_home.client.words.text import duration, fit, safe, short, stamp, width
from safeum_home.protocol.presence import Presence, PresenceState
from safeum_home.protocol.types import ContactState

SIDEBAR = 24
NARROW = 60
"""Columns below which the list of chats makes room for the chat."""
REQUESTS = 3
NOT_SEALED = "  · not sealed: /secure"
"""Of a chat with somebody with whom there is a secure one, too: that nobody takes the one for the other."""
_LEAST = 8
"""Columns of a name that are shown, whatever stands beside it."""


def sidebar(desk: Desk, columns: int, rows: int, zone: tzinfo | None = None) -> list[Line]:
    """The node's own chats, who asks to be a contact, then all others; each person once."""
    chats = desk.chats()
    listed = {chat.peer for chat in chats}
    asking = [contact for contact in desk.wanted() if contact.account not in listed]
    lines = [_row(desk, chat, columns, zone) for chat in chats if chat.of_node]
    lines += [
        [("contact", fit(f" + {desk.names.name(contact.account)}", columns))] for contact in asking[:REQUESTS]
    ]
    if len(asking) > REQUESTS:
        lines.append([("contact", fit(f" + {len(asking) - REQUESTS} more: /contacts", columns))])
    others = [chat for chat in chats if not chat.of_node]
    lines += [_row(desk, chat, columns, zone) for chat in others[:rows]]
    if not others and not asking:
        lines.append([("time", fit(" nobody yet: /add", columns))])
    return lines[:rows]


def _row(desk: Desk, chat: ChatView, columns: int, zone: tzinfo | None) -> Line:
    here = chat.chat == desk.current
    asks = desk.standing(chat) is ContactState.INCOMING
    present = desk.state.presence.is_online(chat.peer or desk.names.partner(chat) or "")
    mark = "▌" if here else "●" if present else " "
    count = desk.unread(chat)
    unread = ("99+" if count > 99 else str(count)) if count else ""
    time = unread or ("…" if chat.typing else stamp(chat.last.at, desk.now(), zone) if chat.last else "")
    room = columns - width(time) - 3
    plain = "system" if chat.of_node else "contact" if asks else "chat"
    quiet = chat.muted(desk.now())
    style = "open" if here else "unread" if unread and not quiet else plain
    title = f"+ {desk.names.title(chat)}" if asks else desk.names.title(chat)
    rest: Line = [("count" if unread and not quiet else "time", time), ("", " ")]
    if present and not here:
        return [("present", mark), (style, fit(title, room) + " "), *rest]
    return [(style, mark + fit(title, room) + " "), *rest]


def presence_words(presence: Presence, now: int, zone: tzinfo | None = None) -> str:
    """`online`, `last seen 14:05`; nothing where nothing is known."""
    if presence.state is PresenceState.UNKNOWN:
        return ""
    if presence.last_seen is None:
        return presence.state.value
    seen = f"last seen {stamp(presence.last_seen, now, zone)}"
    return f"away, {seen}" if presence.state is PresenceState.AWAY else seen


_OF_NODE = {
    "support": "your node's operator answers here",
    "voicemail": "what callers have left: /voicemail",
}


def header(desk: Desk, columns: int, zone: tzinfo | None = None) -> Line:
    """Which chat this is. The address stands beside the name: names are chosen by their owners."""
    view = desk.chat
    if desk.reading:
        return [("header", fit(f" {desk.reading_title}", columns))]
    if view is None:
        return [("header", fit(f" {safe(desk.state.address)}", columns))]
    title = desk.names.title(view)
    if view.of_node:
        about = _OF_NODE.get(view.kind, "your node writes here")
        return [("system-header", fit(f" {title}  {about}", columns))]
    if view.secure:
        return _beside(title, f"  {secure_standing.words(desk, view)}{_kept(desk, view)}", columns)
    if view.group is not None:
        role = {"owner": ", you are the owner", "admin": ", you are an admin"}.get(view.role or "", "")
        return [("header", fit(f" {title}  {count(view.group.members)}{role}{_kept(desk, view)}", columns))]
    address = label(view.address)
    rest = "" if address in ("", title) else f"  {address}"
    standing = desk.standing(view)
    if view.kind == "direct" and standing is not ContactState.ACCEPTED:
        rest += f"  ({STANDING[standing]})"
    elif presence := presence_words(desk.state.presence.of(view.peer), desk.now(), zone):
        rest += f"  {presence}"
    if view.kind == "direct" and pair_with(desk, view.peer) is not None:
        rest += NOT_SEALED
    return _beside(title, f"{rest}{_kept(desk, view)}", columns)


def _beside(title: str, words: str, columns: int) -> Line:
    """However long a name is that somebody has chosen, what is known of whoever it is is to be seen."""
    shown = short(title, max(_LEAST, columns - width(words) - 1))
    return [("header", fit(f" {shown}{words}", columns))]


def _kept(desk: Desk, view: ChatView) -> str:
    """What is set for a chat that one should not forget."""
    off = "" if view.history else "  · history off"
    if view.pending:
        off = f"  · {not_confirmed(view.pending)}"
    return off + ("  · muted" if view.muted(desk.now()) else "")


def info(desk: Desk, columns: int, rows: int) -> Line:
    """The line above the input: what is out of sight, who types, else what came in elsewhere."""
    if desk.reading:
        more = "PageDown for more, " if more_to_read(desk, columns, rows) else ""
        return [("new", fit(f" {more}Enter closes this", columns))]
    if alarm := desk.secure.alarms.line():
        return [("alarm-banner", fit(f" {alarm}", columns))]
    if rings := desk.calls.rings():
        return [("banner", fit(f" {rings}", columns))]
    if aim := desk.numbers.aim():
        return [("banner", fit(f" {aim}", columns))]
    count = new_below(desk)
    if count or desk.mark is not None:
        words = f"↓ {count} new below: PageDown" if count else "↓ PageDown for the newest"
        return [("new", fit(f" {words}", columns))]
    if under_way := desk.transfers.line(desk.now(), columns - 1):
        return [("typing", fit(f" {under_way}", columns))]
    view = desk.chat
    typing = [] if view is None else [desk.names.name(account) for account in view.typing]
    if typing:
        verb = "is" if len(typing) == 1 else "are"
        return [("typing", fit(f" {', '.join(sorted(typing))} {verb} typing…", columns))]
    return [("banner", fit(f" {desk.banner}".replace("\n", " ") if desk.banner else "", columns))]


def status(desk: Desk, columns: int) -> Line:
    """The last line: connected or not, how much is unread, who. The reason gives way to those."""
    link = desk.link
    reason = ""
    if link.link is Link.ONLINE:
        state, style = "● connected", "online"
    elif link.link is Link.CLOSED:
        state, style = "■ session over", "error"
    elif link.link is Link.ASLEEP:
        state, style = "○ asleep: any key wakes", "offline"
    elif link.link is Link.CONNECTING or link.retry_in is None:
        state, style = "◌ reconnecting…", "offline"
    else:
        left = max(0.0, link.retry_in - (desk.now() - desk.link_at) / 1000)
        state, style = f"◌ reconnecting in {duration(left)}", "offline"
        reason = f" ({safe(link.reason)})"
    unread = sum(desk.unread(chat) for chat in desk.chats())
    waiting, alarms = len(desk.unsent), desk.secure.alarms.unseen
    parts = (
        desk.calls.line(),
        f"{alarms} alarm{'' if alarms == 1 else 's'}" if alarms else "",
        f"{waiting} not sent" if waiting else "",
        f"{unread} unread" if unread else "",
        desk.secure.state(),
        safe(desk.state.address),
        "/help",
    )
    right = " · ".join(filter(None, parts))
    if width(state) + width(reason) + width(right) + 4 <= columns:
        state += reason
    room = max(0, columns - width(state) - 3)
    return [
        (style, f" {state} "),
        ("status", fit(" " * max(0, room - width(right)) + right, room)),
        ("status", " "),
    ]
