"""Wrapped keys, by owner: a table for each of the two keyrings, and what the database knows of their epochs.

`LASTING` are the keys of accounts, chats and invites, `FLEETING` those of messages and files of chats without
history, which go when they were delivered. Each keyring turns for its own table, and makes only that anew.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ports import WrappedKey
from safeum_home.storage.many import Many
from safeum_home.storage.schema import fleeting_keys, keys, node

_BATCH = 1_000


class Rewrapped(NamedTuple):
    """How far a turn has come: the owner of the last wrap, None at the end; how many do not open."""

    last: bytes | None
    damaged: int


def message_owner(chat: bytes, position: int) -> bytes:
    """The owner of the key of a message that has one of its own, of its chat's blind index and its place."""
    return blake2b(chat + position.to_bytes(8, "big"), digest_size=16, person=b"safeum message").digest()


class KeyTable:
    """The keys that one keyring has wrapped."""

    def __init__(self, table: Table, prefix: str) -> None:
        """`prefix` begins the names in table `node` of what is known of the keyring."""
        columns = table.c
        self._table = table
        self._epoch = f"{prefix}epoch"
        self._erased = f"{prefix}erased"
        self._key = select(columns.epoch, columns.wrapped).where(columns.owner == bindparam("owner"))
        self._present = select(node.c.value).where(node.c.name == self._epoch)
        self._next = (
            select(table)
            .where(columns.owner > bindparam("after"), columns.epoch < bindparam("epoch"))
            .order_by(columns.owner)
            .limit(_BATCH)
        )
        self._put = Many(
            f"INSERT INTO {table.name} (owner, epoch, wrapped) {{rows}}"
            " ON CONFLICT (owner) DO UPDATE SET epoch = excluded.epoch, wrapped = excluded.wrapped",
            ("bytea", "bigint", "bytea"),
        )

    def key(self, c: Connection, owner: bytes) -> WrappedKey | None:
        row = c.execute(self._key, {"owner": owner}).first()
        return WrappedKey(*row) if row else None

    def put_key(self, c: Connection, owner: bytes, key: WrappedKey) -> None:
        """Store the key of `owner`, in place of the one it had.

        Raises `busy` for a wrap of an epoch that is over: it was made before a turn and comes after it.
        """
        self.put_keys(c, [(owner, key)])

    def put_keys(self, c: Connection, rows: Sequence[tuple[bytes, WrappedKey]]) -> None:
        """`put_key` for many."""
        present = self.present_epoch(c)
        if any(key.epoch < present for _, key in rows):
            raise Problem(Code.BUSY, retry_after=1.0)
        self._put.change(c, [(owner, key.epoch, key.wrapped) for owner, key in rows])

    def delete_key(self, c: Connection, owner: bytes) -> bool:
        """Whether there was one."""
        return self.delete_keys(c, [owner]) > 0

    def delete_keys(self, c: Connection, owners: Sequence[bytes]) -> int:
        """Some hundred at the most; how many there were."""
        if not owners:
            return 0
        return c.execute(delete(self._table).where(self._table.c.owner.in_(owners))).rowcount

    def newest_epoch(self, c: Connection, owners: Sequence[bytes]) -> int | None:
        """The last epoch under which a key of any of these is wrapped; None where none has one."""
        some = self._table.c.owner.in_(owners)
        return c.execute(select(func.max(self._table.c.epoch)).where(some)).scalar_one_or_none()

    def present_epoch(self, c: Connection) -> int:
        """No wrap of an epoch before this is taken; 0 where the keyring has never turned."""
        return c.execute(self._present).scalar_one_or_none() or 0

    def begin_epoch(self, c: Connection, epoch: int) -> None:
        """From now on no wrap of an epoch before `epoch` is taken; those that are there can be re-wrapped."""
        c.execute(delete(node).where(node.c.name == self._epoch))
        c.execute(insert(node), {"name": self._epoch, "value": epoch})

    def older_than(self, c: Connection, epoch: int) -> int:
        """How many keys are wrapped under epochs before `epoch`."""
        older = self._table.c.epoch < epoch
        return int(c.execute(select(func.count()).select_from(self._table).where(older)).scalar_one())

    def among(self, c: Connection, oldest: int, newest: int) -> tuple[int, int]:
        """How many keys there are, and how many of them are wrapped under the epochs of a keyring."""
        epoch = self._table.c.epoch
        query = select(func.count(), func.count().filter(epoch.between(oldest, newest)))
        all_keys, known = c.execute(query.select_from(self._table)).one()
        return int(all_keys), int(known)

    def drop_older_than(self, c: Connection, epoch: int) -> int:
        """Forget keys that are wrapped under epochs before `epoch`; how many there were."""
        return c.execute(delete(self._table).where(self._table.c.epoch < epoch)).rowcount

    def rewrap_some(
        self, c: Connection, epoch: int, after: bytes, rewrap: Callable[[bytes, WrappedKey], WrappedKey]
    ) -> Rewrapped:
        """Replace up to 1,000 wraps of epochs before `epoch`, of owners behind `after`.

        Each is replaced by `rewrap(owner, wrap)`. What cannot be opened stays as it is: it was lost before.
        """
        rows = c.execute(self._next, {"after": after, "epoch": epoch}).all()
        fresh = []
        for owner, old, wrapped in rows:
            try:
                fresh.append((owner, rewrap(owner, WrappedKey(old, wrapped))))
            except Tampered:
                continue
        self._put.change(c, [(owner, key.epoch, key.wrapped) for owner, key in fresh])
        return Rewrapped(rows[-1].owner if len(rows) == _BATCH else None, len(rows) - len(fresh))

    def mark_erased(self, c: Connection, epoch: int) -> None:
        """Something was erased that may have been wrapped under `epoch`: a turn is due."""
        if (erased := self.erased_epoch(c)) is None:
            c.execute(insert(node), {"name": self._erased, "value": epoch})
        elif epoch > erased:
            c.execute(update(node).where(node.c.name == self._erased).values(value=epoch))

    def erased_epoch(self, c: Connection) -> int | None:
        """The last epoch under which something was erased: the keyring has to be beyond it."""
        return c.execute(select(node.c.value).where(node.c.name == self._erased)).scalar_one_or_none()


LASTING = KeyTable(keys, "")
FLEETING = KeyTable(fleeting_keys, "fleeting_")
