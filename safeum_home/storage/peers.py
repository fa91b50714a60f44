"""Other nodes: how far what goes there and comes from there got, and what was refused."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

from safeum_home.storage.many import Many
from safeum_home.storage.schema import peers, set_aside

KEPT_OF_PEER, KEPT = 100, 10_000
"""How much is kept of what was refused, of one node and of all: the oldest goes."""

_PEER = peers.c.peer == bindparam("who")
_OUT = select(peers.c.stream, peers.c.sent, peers.c.waiting, peers.c.failing).where(_PEER)
_IN = select(
    peers.c.in_stream, peers.c.in_last, peers.c.in_done, peers.c.in_digest, peers.c.in_refused
).where(_PEER)
_COUNT = update(peers).where(_PEER).values(waiting=peers.c.waiting + bindparam("more"))
_SENT = update(peers).where(_PEER).values(sent=bindparam("number"))
_STREAM = update(peers).where(_PEER).values(stream=bindparam("begun"), sent=0)
_FAILING = update(peers).where(_PEER).values(failing=bindparam("since"))
_DELIVERED = update(peers).where(_PEER).values(failing=0, seen=bindparam("now"))
_REACHED = (
    update(peers)
    .where(_PEER)
    .values(
        in_stream=bindparam("stream_in"),
        in_last=bindparam("last"),
        in_done=bindparam("done"),
        in_digest=bindparam("digest"),
        in_refused=bindparam("refused"),
        seen=bindparam("now"),
    )
)
_PAGE = (
    select(peers.c.peer, peers.c.sealed, peers.c.waiting, peers.c.failing, peers.c.seen)
    .where(peers.c.peer > bindparam("after"))
    .order_by(peers.c.peer)
    .limit(bindparam("limit"))
)
_IDLE = (
    select(peers.c.peer)
    .where(peers.c.waiting == 0)
    .order_by(peers.c.seen, peers.c.peer)
    .limit(bindparam("limit"))
)
_FORGET = Many("DELETE FROM peers WHERE (peer) IN ({rows})", ("bytea",))
_FORGET_KEYS = Many("DELETE FROM node_keys WHERE (peer) IN ({rows})", ("bytea",))
_FORGET_ASIDE = Many("DELETE FROM set_aside WHERE (peer) IN ({rows})", ("bytea",))
_FAILS = case((peers.c.failing > 0, 1), else_=0).label("fails")
_WAITING = select(_FAILS, func.count(), func.sum(peers.c.waiting)).group_by(_FAILS)
_LAST = select(func.max(set_aside.c.number)).where(set_aside.c.peer == bindparam("who"))
_CUT = delete(set_aside).where(set_aside.c.peer == bindparam("who"), set_aside.c.number <= bindparam("upto"))
_ASIDE = (
    select(set_aside.c.peer, peers.c.sealed.label("name"), set_aside.c.at, set_aside.c.sealed)
    .join(peers, peers.c.peer == set_aside.c.peer)
    .order_by(set_aside.c.at.desc(), set_aside.c.number.desc())
    .limit(bindparam("limit"))
)


class OutRow(NamedTuple):
    """What goes to a node: `sent` is the number of the last batch that was fixed."""

    stream: bytes
    sent: int
    waiting: int
    failing: int


class InRow(NamedTuple):
    """What comes from a node."""

    stream: bytes | None
    last: int
    done: int
    digest: bytes | None
    refused: bytes | None


class PeerRow(NamedTuple):
    peer: bytes
    sealed: bytes
    waiting: int
    failing: int
    seen: int


def is_there(c: Connection, peer: bytes) -> bool:
    return c.execute(select(peers.c.peer).where(_PEER), {"who": peer}).first() is not None


def count(c: Connection) -> int:
    return int(c.execute(select(func.count()).select_from(peers)).scalar_one())


def add(c: Connection, peer: bytes, sealed: bytes, stream: bytes, now: int) -> None:
    """A node of which there was nothing; `stream` are 16 random octets."""
    row = {"peer": peer, "sealed": sealed, "stream": stream, "sent": 0, "waiting": 0, "failing": 0}
    c.execute(insert(peers), {**row, "seen": now, "in_last": 0, "in_done": 0})


def forget_idle(c: Connection, most: int, used: Collection[bytes] = ()) -> int:
    """Forget up to `most` nodes for which nothing waits, but those that are `used`; how many.

    Those that were neither told nor have told anything for longest. When they come again streams begin anew.
    """
    idle = c.execute(_IDLE, {"limit": most + len(used)}).scalars()
    gone = [(peer,) for peer in idle if peer not in used][:most]
    _FORGET_ASIDE.change(c, gone)
    _FORGET_KEYS.change(c, gone)
    return _FORGET.change(c, gone)


def outgoing(c: Connection, peer: bytes) -> OutRow | None:
    row = c.execute(_OUT, {"who": peer}).first()
    return None if row is None else OutRow(*row)


def incoming(c: Connection, peer: bytes) -> InRow | None:
    row = c.execute(_IN, {"who": peer}).first()
    return None if row is None else InRow(*row)


def counted(c: Connection, peer: bytes, more: int) -> None:
    """So many more rows wait, or less where it is negative."""
    if more:
        c.execute(_COUNT, {"who": peer, "more": more})


def set_sent(c: Connection, peer: bytes, number: int) -> None:
    c.execute(_SENT, {"who": peer, "number": number})


def set_stream(c: Connection, peer: bytes, stream: bytes) -> None:
    """Count anew from 1."""
    c.execute(_STREAM, {"who": peer, "begun": stream})


def set_failing(c: Connection, peer: bytes, since: int) -> None:
    c.execute(_FAILING, {"who": peer, "since": since})


def set_delivered(c: Connection, peer: bytes, now: int) -> None:
    """It was told something."""
    c.execute(_DELIVERED, {"who": peer, "now": now})


def set_reached(c: Connection, peer: bytes, row: InRow, now: int) -> None:
    """It has told something."""
    stream, last, done, digest, refused = row
    about = {"stream_in": stream, "last": last, "done": done, "digest": digest, "refused": refused}
    c.execute(_REACHED, {"who": peer, "now": now, **about})


def waiting(c: Connection) -> dict[bool, tuple[int, int]]:
    """How many nodes there are, and rows that wait for them: of those that cannot be told, and others."""
    return {bool(fails): (int(nodes), int(rows)) for fails, nodes, rows in c.execute(_WAITING)}


def page(c: Connection, after: bytes, limit: int) -> list[PeerRow]:
    """Nodes behind `after`, in an order of their own."""
    return [PeerRow(*row) for row in c.execute(_PAGE, {"after": after, "limit": limit})]


def keep_aside(c: Connection, peer: bytes, at: int, sealed: Sequence[bytes]) -> None:
    """Keep what was refused; what is beyond the bounds goes."""
    if not sealed:
        return
    last: int = c.execute(_LAST, {"who": peer}).scalar_one() or 0
    newest = sealed[-KEPT_OF_PEER:]
    c.execute(
        insert(set_aside),
        [
            {"peer": peer, "number": last + number, "at": at, "sealed": each}
            for number, each in enumerate(newest, 1)
        ],
    )
    c.execute(_CUT, {"who": peer, "upto": last + len(newest) - KEPT_OF_PEER})
    excess = int(c.execute(select(func.count()).select_from(set_aside)).scalar_one()) - KEPT
    if excess > 0:
        oldest = c.execute(
            select(set_aside.c.peer, set_aside.c.number).order_by(set_aside.c.at).limit(excess)
        ).all()
        for who, number in oldest:
            c.execute(delete(set_aside).where(set_aside.c.peer == who, set_aside.c.number == number))


def aside(c: Connection, limit: int) -> list[tuple[bytes, bytes, int, bytes]]:
    """What was refused, the newest first: node, its sealed name, when, and what (sealed)."""
    return [tuple(row) for row in c.execute(_ASIDE, {"limit": limit})]
