"""What has become of a group, in words."""

from collections.abc import Callable

from safeum_home.client.names import label
from safeum_home.client.text import safe
from safeum_home.protocol.types import Notice

_WORDS = {
    "created": "{by} made this group.",
    "joined": "{who} joined.",
    "invited_in": "{who} joined, invited by {by}.",
    "left": "{who} left.",
    "removed": "{by} removed {who}.",
    "admin": "{by} made {who} an admin.",
    "member": "{who} is an admin no more, by {by}.",
    "owner": "{by} made {who} the owner.",
    "inherited": "{who} is the owner now.",
    "named": '{by} named the group "{text}".',
    "described": "{by} changed what the group says of itself.",
    "pictured": "{by} changed the picture.",
    "unpictured": "{by} took the picture away.",
    "history_off": "{by} switched the history off: all that was here is erased, for all.",
    "history_on": "{by} switched the history on: messages are kept from now on.",
    "earlier": "{by} lets who joins from now on see what was written before.",
    "not_earlier": "{by} lets who joins from now on not see what was written before.",
}


def notice_text(notice: Notice, called: Callable[[str], str]) -> str:
    """A notice as a line that is safe to show; `called` is what an account is called, safe too.

    What this client does not know is told by its name.
    """
    action = notice.action
    if action == "joined" and notice.by is not None:
        action = "invited_in"
    if action == "owner" and notice.by is None:
        action = "inherited"
    words = _WORDS.get(action)
    if words is None:
        return f"Something happened here that this client does not know: {safe(notice.action)}."
    who, by = (("somebody" if one is None else called(one)) for one in (notice.who, notice.by))
    return words.format(who=who, by=by, text=label(notice.text or ""))


def count(members: int) -> str:
    """`1 member`."""
    return f"{members} member{'' if members == 1 else 's'}"
