"""How well it is known who reads what is said in a secure chat: it stands beside its name, wherever that is.

A desk that has not unlocked knows nothing of that, and says nothing.
"""

from typing import TYPE_CHECKING

from safeum_home.client.secure.people import Person, Trust
from safeum_home.client.words.group_words import count
from safeum_home.client.words.secure_words import trust_words

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk
    from safeum_home.client.state.chat_view import ChatView
    from safeum_home.client.unlocked.conversation import Conversation

HERE = ("member", "invited")
VERIFIED = "✓"
"""Behind the lock: all others in it are verified."""
GONE = "not here any more: nobody reads what you say"
CHANGED = "⚠"
"""Somebody has other keys than before."""


def partner(desk: "Desk", view: "ChatView") -> str | None:
    """The other one of a pair, by what is known here and not by the word of the node."""
    conversation = desk.secure.of(view)
    return None if conversation is None else conversation.peer


def sign(desk: "Desk", view: "ChatView") -> str:
    """What stands behind the lock of a secure chat; empty where there is nothing to tell."""
    chats, conversation = desk.secure.chats, desk.secure.of(view)
    if chats is None or conversation is None:
        return ""
    known = [chats.people.get(account) for account in _others(desk, conversation)]
    if any(person is not None and (person.offered or person.trust is Trust.CHANGED) for person in known):
        return CHANGED
    verified = list(map(_is_verified, known))
    return VERIFIED if verified and all(verified) else ""


def words(desk: "Desk", view: "ChatView") -> str:
    """The same in words."""
    chats, conversation = desk.secure.chats, desk.secure.of(view)
    if chats is None:
        return "locked: /unlock"
    if conversation is None:
        return "not loaded yet"
    if (peer := conversation.peer) is not None:
        return GONE if has_left(desk, view, peer) else trust_words(chats.people.get(peer))
    others = _others(desk, conversation)
    verified = sum(_is_verified(chats.people.get(each)) for each in others)
    return f"{count(len(conversation.members))}, {verified} of {len(others)} others verified"


def is_verified(desk: "Desk", account: str) -> bool:
    """Whether the keys of somebody were compared, and no others are said to be theirs."""
    chats = desk.secure.chats
    return chats is not None and _is_verified(chats.people.get(account))


def trust(desk: "Desk", account: str) -> str:
    """How well the keys of somebody are known, in words; empty where none were seen, or are to be seen."""
    chats = desk.secure.chats
    person = None if chats is None or account == desk.state.account else chats.people.get(account)
    return "" if person is None else trust_words(person)


def has_left(desk: "Desk", view: "ChatView", account: str) -> bool:
    """Whether the other one of a pair is not in it any more, by the word of the node.

    Who has left is not in its list: so one that was asked for has to be there, beside oneself.
    """
    roster = desk.state.groups.rosters.get(view.chat, {})
    member = roster.get(account)
    return desk.state.account in roster if member is None else member.state not in HERE


def _is_verified(person: Person | None) -> bool:
    return person is not None and person.trust is Trust.VERIFIED and person.offered is None


def _others(desk: "Desk", conversation: "Conversation") -> frozenset[str]:
    readers = conversation.members if conversation.peer is None else frozenset({conversation.peer})
    return readers - {desk.state.account}
