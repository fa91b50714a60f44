"""Secure chats, as far as a node knows of them: groups into which nothing is written in clear.

What passes there is sealed by clients (docs/secure-chats.md). So the node takes nothing that would tell it
what belongs inside: no other bodies, and no reactions, answers, mentions, copies, drafts or names.
"""

from safeum_home.chats.record import ChatRecord
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import Body, Secure


def is_secure(record: ChatRecord) -> bool:
    """Whether a chat is a secure one."""
    return record.group is not None and record.group.secure


def is_pair(record: ChatRecord) -> bool:
    """Whether it is a secure chat of two: as in a direct chat, neither has more rights than the other."""
    return record.group is not None and record.group.pair


def check_unsealed(record: ChatRecord) -> None:
    """Before something is said in clear, in a chat or of it; raises `secure_only`."""
    if is_secure(record):
        raise Problem(Code.SECURE_ONLY)


def check_said(record: ChatRecord, body: Body | None, bare: bool) -> None:
    """Whether a chat takes a message; `bare`: it is a body, and refers to nothing.

    Raises `secure_only`, and `not_secure` for what is sealed and is not for a secure chat.
    """
    if isinstance(body, Secure):
        if not is_secure(record):
            raise Problem(Code.NOT_SECURE)
        if bare:
            return
    check_unsealed(record)
