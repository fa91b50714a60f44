"""What a hub says that a group of its own is: whether that can be, and what a copy keeps of it."""

from msgspec.structs import replace

from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.record import ChatRecord, GroupRecord
from safeum_home.errors import Code, Problem
from safeum_home.ids import ChatId, group_id
from safeum_home.protocol.federation.groups import SharedGroup, seed_kind
from safeum_home.protocol.group_types import SECURE_NAME


def check_id(hub: str, chat: ChatId, told: SharedGroup) -> None:
    """Raises `malformed_event` where a hub calls a group of its own by what may be the id of another chat.

    Of a secure chat the id says so: it cannot be shown as another one, not even to who has forgotten it.
    """
    if told.seed is None or group_id(hub, told.seed) != chat:
        raise Problem(Code.MALFORMED_EVENT)
    kind, dot, _ = told.seed.rpartition(".")
    if kind + dot != seed_kind(told.secure, told.pair):
        raise Problem(Code.MALFORMED_EVENT)


def check_secrecy(told: SharedGroup) -> None:
    """Raises `malformed_event` where a hub says more of a secure chat than that it is one."""
    named = told.name != SECURE_NAME or told.about or told.avatar is not None
    if (told.pair and not told.secure) or (told.secure and named):
        raise Problem(Code.MALFORMED_EVENT)


def beginning(record: ChatRecord, told: SharedGroup) -> ChatRecord:
    """What a copy begins with: nothing is in it of before its history was switched off."""
    assert record.group is not None
    group, history = described(record.group, told), told.history
    if history is None:
        return replace(record, group=group, history=True, across=None)
    across = group_lives.begun(history.life, history.life, history.pending)
    return replace(record, group=group, history=history.kept, across=across)


def described(group: GroupRecord, told: SharedGroup) -> GroupRecord:
    """A group as its hub has described it."""
    return replace(
        group,
        name=told.name,
        about=told.about,
        avatar=told.avatar,
        earlier=told.earlier,
        people=told.members,
        life=told.begins or group.life,
        seed=told.seed or group.seed,
        secure=told.secure,
        pair=told.pair,
    )
