"""What has become of a group, in words."""

from collections.abc import Callable

from safeum_home.client.words.names import YOU, label, within
from safeum_home.client.words.text import safe
from safeum_home.protocol.types import Notice

_WORDS = {
    "created": "{By} made this group.",
    "joined": "{Who} joined.",
    "invited_in": "{Who} joined, invited by {by}.",
    "left": "{Who} left.",
    "removed": "{By} removed {who}.",
    "admin": "{By} made {who} an admin.",
    "member": "{Who} {is} an admin no more, by {by}.",
    "owner": "{By} made {who} the owner.",
    "inherited": "{Who} {is} the owner now.",
    "named": '{By} named the group "{text}".',
    "described": "{By} changed what the group says of itself.",
    "pictured": "{By} changed the picture.",
    "unpictured": "{By} took the picture away.",
    "history_off": "{By} switched the history off: all that was here is erased, for all.",
    "history_on": "{By} switched the history on: messages are kept from now on.",
    "earlier": "Who joins from now on sees what was written before: {by} changed that.",
    "not_earlier": "Who joins from now on does not see what was written before: {by} changed that.",
}
_SECURE = "{By} began this secure chat."


def notice_text(notice: Notice, called: Callable[[str], str], secure: bool = False) -> str:
    """A notice as a line that is safe to show; `called` is what an account is called, safe too.

    `secure`: it is of a secure chat. What this client does not know is told by its name.
    """
    action = notice.action
    if action == "joined" and notice.by is not None:
        action = "invited_in"
    if action == "owner" and notice.by is None:
        action = "inherited"
    words = _SECURE if action == "created" and secure else _WORDS.get(action)
    if words is None:
        return f"Something happened here that this client does not know: {safe(notice.action)}."
    who, by = (("somebody" if one is None else called(one)) for one in (notice.who, notice.by))
    return words.format(
        who=within(who),
        Who=_first(who),
        by=within(by),
        By=_first(by),
        text=label(notice.text or ""),
        **{"is": "are" if who == YOU else "is"},
    )


def _first(name: str) -> str:
    """At the beginning of a sentence; chosen names stay as they are."""
    return "Somebody" if name == "somebody" else name


def count(members: int) -> str:
    """`1 member`."""
    return f"{members} member{'' if members == 1 else 's'}"
