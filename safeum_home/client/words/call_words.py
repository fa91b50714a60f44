"""Whether somebody may be in between in a call, in words: what is to be compared, and what was already."""

from typing import TYPE_CHECKING

from safeum_home.client.calling.directory import Bound
from safeum_home.client.sas import Words

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk

VERIFIED = "Nobody is in between: this is {name}, whose security key you have verified."
COMPARE = "Compare with {name}, by voice: {signs}  {words}"
LOCKED = "Your calls are bound to your security key, which is locked here: /unlock, and then again."


def to_compare(name: str, words: Words, bound: Bound) -> str:
    """What is to be done to know that nobody is in between."""
    if bound is Bound.PINNED:
        return VERIFIED.format(name=name)
    signs = " ".join(each.symbol for each in words.emoji)
    return COMPARE.format(name=name, signs=signs, words=words)


def standing(desk: "Desk", account: str, bound: Bound) -> str:
    """How well it is known who is spoken to, where both have security keys; empty where that says nothing."""
    if bound is Bound.PINNED:
        return "verified"
    secure = desk.secure.chats
    return "" if secure is None or secure.people.get(account) is None else "not verified"


async def is_locked(desk: "Desk") -> bool:
    """Whether others would take this device for somebody else's. Raises `ClientError`."""
    if desk.secure.chats is not None:
        return False
    [own] = (await desk.client.keys_of([desk.state.account])).keys
    return own.hash is not None
