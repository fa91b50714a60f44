"""Notices of a group's hub, as a node that holds a copy writes them anew, in its own name.

It signs them, and its clients believe it: so it says nothing that a hub has worded.
"""

from typing import Any

import msgspec

from safeum_home.errors import Code, Problem
from safeum_home.protocol.group_types import GroupName
from safeum_home.protocol.types import Notice

_Form = tuple[frozenset[str], frozenset[str]]
_NONE: frozenset[str] = frozenset()
_BY: _Form = frozenset(("by",)), _NONE
_WHO_BY: _Form = frozenset(("who", "by")), _NONE
_WHO_MAYBE_BY: _Form = frozenset(("who",)), frozenset(("by",))
_FORMS: dict[str, _Form] = {
    "created": _BY,
    "joined": _WHO_MAYBE_BY,
    "left": (frozenset(("who",)), _NONE),
    "removed": _WHO_BY,
    "admin": _WHO_BY,
    "member": _WHO_BY,
    "owner": _WHO_MAYBE_BY,
    "named": (frozenset(("by", "text")), _NONE),
    "described": _BY,
    "pictured": _BY,
    "unpictured": _BY,
    "history_off": _BY,
    "history_on": _BY,
    "earlier": _BY,
    "not_earlier": _BY,
}
"""What each says, and may say besides; docs/groups.md has what they mean."""


def notice_of(plain: dict[str, Any]) -> Notice:
    """What a hub says of its group; raises `malformed_event` where it is nothing that this node would say."""
    try:
        notice = msgspec.convert(plain, Notice, strict=True)
        if notice.text is not None:
            msgspec.convert(notice.text, GroupName, strict=True)
    except msgspec.ValidationError:
        raise Problem(Code.MALFORMED_EVENT) from None
    said = {name for name in ("who", "by", "text") if getattr(notice, name) is not None}
    always, sometimes = _FORMS.get(notice.action, (_NONE, _NONE))
    if not always or not always <= said <= always | sometimes:
        raise Problem(Code.MALFORMED_EVENT)
    return notice
