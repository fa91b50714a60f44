"""Whose an event is that a group's node passes on: it can hold one back, but not make one up."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import body_of
from safeum_home.chats.across.groups.patience import SECONDS, Patience
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder
from safeum_home.ports.federation import Peers
from safeum_home.protocol import frames
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.events import Event, node_of
from safeum_home.protocol.federation.group_posts import POST, Act, Written
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Body
from safeum_home.storage import roster

WAIT = 30.0
"""Seconds after which a group that stands in line is told again, where nobody says another time."""
KIB = 1024
LATE = frozenset((Code.UNKNOWN_KEY.code,))
"""With which codes what an author did is told again later, once the keys are to be had: better than never."""
_NOT_NOW = (Code.NODE_UNREACHABLE, Code.BUSY)


class Authored(NamedTuple):
    """An event by an account of the node that has signed it, and what the account does."""

    event: Event
    act: Act

    @property
    def written(self) -> Reference:
        """Which message it is of, where it is one that was written, or edited."""
        if isinstance(self.act, Written) and self.act.message is not None:
            return self.act.message
        return Reference(self.event.node, self.event.id or "")


def act_of(event: Event) -> Act:
    """What an account does; raises `malformed_event`."""
    try:
        act: Act = msgspec.convert(event.content, Act, strict=True)
    except msgspec.ValidationError:
        raise Problem(Code.MALFORMED_EVENT) from None
    if isinstance(act, Written) and (act.message is None) != (act.edited is None):
        raise Problem(Code.MALFORMED_EVENT)
    if isinstance(act, Written) and act.message is not None and act.message.node != event.node:
        raise Problem(Code.MALFORMED_EVENT, "nobody edits what accounts of other nodes have written")
    return act


def group_body(plain: dict[str, Any], sender: str) -> Body:
    """What an account can write into a group across nodes.

    Raises `malformed_event`.
    """
    body = body_of(plain, sender)
    if isinstance(body, Deleted):
        raise Problem(Code.MALFORMED_EVENT)
    return body


def check_people(c: Connection, blinder: Blinder, chat: bytes, act: Written) -> None:
    """Whom a message names is in the group, or was; raises `not_a_member`."""
    named = {*act.mentions} | ({act.forwarded.author} if act.forwarded is not None else set())
    for account in named:
        if account is None:
            continue
        if roster.entry(c, chat, blinder.account(AccountId(account))) is None:
            raise Problem(Code.NOT_A_MEMBER)


class Authors:
    """Checks what is passed on."""

    def __init__(self, peers: Peers, now: Callable[[], int], limit: RateLimit) -> None:
        """`now` is in milliseconds; `limit` is how much each node may have told of its groups, in KiB."""
        self._peers = peers
        self._limit = limit
        self._patience = Patience(lambda: now() / 1000)

    async def authored(self, node: str, chat: str | None, plain: dict[str, Any]) -> Authored:
        """An event of a group's chat that `node`, which orders it, passes on.

        What an account of that very node does has no signature of its own. Raises `malformed_event`,
        `wrong_sender_node`, `bad_signature`, `unknown_key`, and what passes, as `rate_limited` does.
        """
        try:
            event = msgspec.convert(plain, Event, strict=True)
        except msgspec.ValidationError:
            raise Problem(Code.MALFORMED_EVENT) from None
        if event.type != POST or event.chat != chat or event.id is None:
            raise Problem(Code.MALFORMED_EVENT)
        if event.node != node_of(event.sender):
            raise Problem(Code.WRONG_SENDER_NODE)
        act = act_of(event)
        self._limit.take(node, 1 + len(frames.encode_params(act)) // KIB)
        if event.node != node:
            event = await self._verified(node, event.chat or "", plain)
        return Authored(event, act)

    async def _verified(self, origin: str, chat: str, plain: dict[str, Any]) -> Event:
        try:
            return await self._peers.verified(origin, plain)
        except Problem as problem:
            if problem.code not in _NOT_NOW:
                raise
            wait = min(problem.retry_after or WAIT, SECONDS)
        try:
            self._patience.wait(origin, chat, wait)
        except Problem:
            # What is behind it in the group is not to wait for ever.
            raise Problem(Code.UNKNOWN_KEY) from None
        raise Problem(Code.BUSY, retry_after=wait)
