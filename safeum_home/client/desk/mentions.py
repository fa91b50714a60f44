"""Who is mentioned in a text: `@login` or `@name` of a member of the group."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from safeum_home.client.words.names import label
from safeum_home.protocol.group_types import GroupMember
from safeum_home.protocol.message_types import MOST_MENTIONS

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk
    from safeum_home.client.state.chat_view import ChatView

_BEGIN = re.compile(r"(?<!\w)@(?=\w)")


def mentioned(desk: "Desk", view: "ChatView", text: str) -> tuple[str, ...]:
    """The members that a text names behind an `@`, each once; of two who are called so, neither.

    Names may have blanks in them: the longest that fits is meant.
    """
    if view.kind != "group" or "@" not in text:
        return ()
    called = _called(desk, view)
    longest = sorted(called, key=len, reverse=True)
    found: dict[str, None] = {}
    lowered = text.casefold()
    for place in _BEGIN.finditer(lowered):
        rest = lowered[place.end() :]
        name = next((name for name in longest if rest.startswith(name) and _ends(rest, len(name))), None)
        accounts = called.get(name or "", set())
        if len(accounts) == 1:
            found |= dict.fromkeys(accounts - {desk.state.account})
    return tuple(found)[:MOST_MENTIONS]


def mentions(desk: "Desk", before: str) -> Iterator[str]:
    """What could follow the last `@` of a text in the open group, with it: the logins of its members."""
    start = before.rpartition("@")[2]
    if desk.chat is None or desk.chat.kind != "group" or "@" not in before or not start.isprintable():
        return
    if " " in start:
        return
    for one in present(desk, desk.chat):
        login = desk.names.short(one.address)
        if one.account != desk.state.account and login.startswith(start.casefold()):
            yield f"@{login}"


def present(desk: "Desk", view: "ChatView", *states: str) -> list[GroupMember]:
    """Those of a group, as far as they were asked for or told of; members, where no states are named."""
    roster = desk.state.groups.rosters.get(view.chat, {}).values()
    return [one for one in roster if one.state in (states or ("member",))]


def _called(desk: "Desk", view: "ChatView") -> dict[str, set[str]]:
    """Accounts by what they are called. Logins are nobody else's: no chosen name stands for one of them."""
    here, names = present(desk, view), desk.names
    called = {
        each.casefold(): {one.account} for one in here for each in (names.short(one.address), one.address)
    }
    chosen: dict[str, set[str]] = {}
    for one in here:
        for name in (label(one.display_name), names.name(one.account)):
            chosen.setdefault(name.casefold(), set()).add(one.account)
    return {**chosen, **called}


def _ends(rest: str, length: int) -> bool:
    """Whether a name is over there: `@ann` is not in `@anna`, nor in `@ann@far.example`."""
    return re.match(r"[\w@]|[.-]\w", rest[length:]) is None
