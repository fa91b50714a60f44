"""What the vault keeps of a secure chat: how far streams had come, the roster, and epochs to read in."""

from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.client.secure.envelope import NONE, Head
from safeum_home.client.secure.members import MOST_MEMBERS, Members
from safeum_home.client.secure.payloads import Octets16, Octets32, Octets80, Size
from safeum_home.client.secure.people import MOST_FORMER
from safeum_home.client.secure.room import Room
from safeum_home.client.secure.roster import MOST_KEPT, MOST_SUCCESSORS
from safeum_home.protocol.scalars import Account
from safeum_home.protocol.signing import decode_octets, encode_octets

_NONE = encode_octets(NONE)
MOST_CHANGES = 2 * MOST_MEMBERS
"""Of all former rosters of a chat together: those further back are left out."""


class StreamMemory(Struct, frozen=True):
    """Of an account: streams that began at `floor` or before are not known any more; heads of the others."""

    floor: Size
    heads: Annotated[dict[Octets16, tuple[Size, Octets32]], Meta(max_length=64)]


class EpochMemory(Struct, frozen=True):
    """An epoch with the box that its key is in."""

    id: Octets32
    commitment: Octets32
    sealed: Octets80
    at: Size


class FormerRoster(Struct, frozen=True):
    """A roster, by what differs from the one that stands before it: hashes, None for who is not in."""

    roster: Octets32
    changes: Annotated[dict[Account, Octets32 | None], Meta(max_length=MOST_CHANGES)]


Successions = Annotated[tuple[tuple[Octets32, Octets32], ...], Meta(max_length=MOST_FORMER)]
"""Keys of an account that have named their followers: hashes of both, the first ones first."""


class ChatMemory(Struct, frozen=True):
    """Of one chat, as of `since`. `roster` is the hash of the one in force, whose members are `members`.

    `former` has that one as it was signed, and those before, the newest first: each by what differs.
    """

    streams: Annotated[dict[Account, StreamMemory], Meta(max_length=4 * MOST_MEMBERS)] = {}
    roster: Octets32 = _NONE
    roster_at: Size = 0
    members: Annotated[dict[Account, Octets32], Meta(max_length=MOST_MEMBERS)] = {}
    epochs: Annotated[list[EpochMemory], Meta(max_length=16)] = []
    since: Size = 0
    former: Annotated[list[FormerRoster], Meta(max_length=MOST_KEPT)] = []
    successions: Annotated[dict[Account, Successions], Meta(max_length=MOST_SUCCESSORS)] = {}
    peer: Account | None = None
    """The other one of a chat of two; None of a group."""


def _octets(text: str, size: int) -> bytes:
    """Of what was read."""
    octets = decode_octets(text, size)
    assert octets is not None
    return octets


def remember(room: Room, unreturned: Head | None = None) -> ChatMemory:
    """Of a chat, as it is now.

    `unreturned` is of the first roster of one's own that has not come back: it is to be taken then, also by
    who begins anew, and so is what stands behind it.
    """
    epochs = []
    for each in room.epochs.recent():
        id, commitment, sealed = map(encode_octets, (each.id, each.commitment, each.sealed))
        epochs.append(EpochMemory(id, commitment, sealed, each.at))
    streams = {}
    for account, floor, known in room.streams.heads():
        heads = known if unreturned is None else [_up_to(unreturned, each) for each in known]
        named = {encode_octets(stream): (n, encode_octets(hash)) for stream, n, hash in heads if n}
        streams[account] = StreamMemory(floor, named)
    members = {account: encode_octets(hash) for account, hash in room.roster.members.items()}
    return ChatMemory(
        streams,
        encode_octets(room.roster.head),
        room.roster.made,
        members,
        epochs,
        room.now(),
        list(_remember_former(room)),
        _remember_successions(room),
        room.peer,
    )


def _remember_successions(room: Room) -> dict[str, Successions]:
    found: dict[str, list[tuple[str, str]]] = {}
    for account, before, after in room.roster.successors():
        found.setdefault(account, []).append((encode_octets(before), encode_octets(after)))
    return {account: in_a_row(pairs) for account, pairs in found.items()}


def newest_streams(memory: StreamMemory, most: int) -> StreamMemory:
    """Those that began last; none is taken any more that began before these."""
    named = sorted((_octets(stream, 16), stream) for stream in memory.heads)
    gone = named[: max(0, len(named) - most)]
    floor = max([memory.floor, *(int.from_bytes(octets[:8], "big") for octets, _ in gone)])
    return StreamMemory(floor, {stream: memory.heads[stream] for _, stream in named[len(gone) :]})


def in_a_row(pairs: Iterable[tuple[str, str]]) -> Successions:
    """The last ones, each behind those that it follows on: the same, in whichever order they come.

    Keys have one follower: of several it is one, the same for all who know these.
    """
    return tuple(_row(_row(pairs)[-MOST_FORMER:]))


def _row(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    after = dict(sorted(pairs))
    row: dict[str, str] = {}
    for first in (*sorted(after.keys() - after.values()), *sorted(after)):
        before = first
        while before in after and before not in row:
            row[before] = after[before]
            before = after[before]
    return list(row.items())


def _up_to(unreturned: Head, head: tuple[bytes, int, bytes]) -> tuple[bytes, int, bytes]:
    """The head of a stream, without what has not come back."""
    stream, number = unreturned.stream, unreturned.number
    return (stream, number - 1, unreturned.previous) if head[0] == stream and head[1] >= number else head


def _remember_former(room: Room) -> Iterator[FormerRoster]:
    after: Members = room.roster.members
    left = MOST_CHANGES
    for head, members in room.roster.former():
        either = sorted(after.keys() | members.keys())
        different = [each for each in either if after.get(each) != members.get(each)]
        left -= len(different)
        if left < 0:
            return
        changes = {each: encode_octets(members[each]) if each in members else None for each in different}
        yield FormerRoster(encode_octets(head), changes)
        after = members


def _former(memory: ChatMemory, members: Members) -> Iterator[tuple[bytes, Members]]:
    for each in memory.former:
        changed = {**members, **dict.fromkeys(each.changes)}
        changed.update({a: _octets(hash, 32) for a, hash in each.changes.items() if hash is not None})
        members = {account: hash for account, hash in changed.items() if hash is not None}
        yield _octets(each.roster, 32), members


def restore(room: Room, memory: ChatMemory) -> None:
    """Into a chat, in which something may have come already."""
    for account, each in memory.streams.items():
        heads = [(_octets(stream, 16), n, _octets(hash, 32)) for stream, (n, hash) in each.heads.items()]
        room.streams.restore(account, each.floor, heads)
    if memory.since:
        room.streams.knows_since(memory.since)
    if room.roster.head == NONE and memory.roster != _NONE:
        members = {account: _octets(hash, 32) for account, hash in memory.members.items()}
        former = _former(memory, members)
        room.roster.restore(_octets(memory.roster, 32), memory.roster_at, members, former)
    for account, pairs in memory.successions.items():
        for before, after in pairs:
            room.roster.succeed(account, _octets(before, 32), _octets(after, 32))
    for epoch in memory.epochs:
        id, commitment = _octets(epoch.id, 32), _octets(epoch.commitment, 32)
        room.epochs.restore(id, epoch.at, commitment, _octets(epoch.sealed, 80))
