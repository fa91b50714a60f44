"""The log of calls: for each account and call one row, of which the place tells nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, text, tuple_

from safeum_home.storage.many import Many
from safeum_home.storage.schema import calls


class CallRow(NamedTuple):
    """`account` and `call` are blind indexes; nobody but the account has the same of a call."""

    account: bytes
    call: bytes
    sealed: bytes


FIRST = (b"", b"")
"""Comes before all rows."""
LAST = b"\xff" * 17
"""Is behind all blind indexes."""

_OF = select(calls).where(calls.c.account == bindparam("account"))
_ONE = _OF.where(calls.c.call == bindparam("call"))
_COUNT = select(func.count()).select_from(calls).where(calls.c.account == bindparam("account"))
_BEHIND = (
    select(calls)
    .where(tuple_(calls.c.account, calls.c.call) > tuple_(bindparam("account"), bindparam("call")))
    .order_by(calls.c.account, calls.c.call)
    .limit(bindparam("limit"))
)
_MIX = text(
    "WITH rows AS (DELETE FROM calls WHERE (account, call) > (:account, :call)"
    " AND (account, call) <= (:last_account, :last_call) RETURNING account, call, sealed)"
    " INSERT INTO calls (account, call, sealed) SELECT * FROM rows ORDER BY account, call"
)
_FORGET = delete(calls).where(calls.c.account == bindparam("of_account"))
_PUT = Many(
    "INSERT INTO calls (account, call, sealed) {rows} ON CONFLICT (account, call)"
    " DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bytea", "bytea"),
)
_DELETE = Many("DELETE FROM calls WHERE (account, call) IN ({rows})", ("bytea", "bytea"))


def put_calls(c: Connection, rows: Sequence[CallRow]) -> None:
    """Store rows, each in place of what was there."""
    _PUT.change(c, rows)


def call_row(c: Connection, account: bytes, call: bytes) -> CallRow | None:
    row = c.execute(_ONE, {"account": account, "call": call}).first()
    return None if row is None else CallRow(*row)


def calls_of(c: Connection, account: bytes) -> list[CallRow]:
    return [CallRow(*row) for row in c.execute(_OF, {"account": account})]


def count_calls(c: Connection, account: bytes) -> int:
    return int(c.execute(_COUNT, {"account": account}).scalar_one())


def calls_behind(c: Connection, place: tuple[bytes, bytes], limit: int) -> list[CallRow]:
    """Some rows of all accounts, behind an account and call, in their order."""
    account, call = place
    asked = {"account": account, "call": call, "limit": limit}
    return [CallRow(*row) for row in c.execute(_BEHIND, asked)]


def delete_calls(c: Connection, rows: Sequence[CallRow]) -> None:
    _DELETE.change(c, [(row.account, row.call) for row in rows])


def mix_calls(c: Connection, place: tuple[bytes, bytes], last: tuple[bytes, bytes] | None) -> None:
    """Write all rows behind a place anew, up to `last` or the end, in the order of their indexes.

    PostgreSQL has rows in the order in which they were written, and with each the transaction (`xmin`):
    both halves of a call are neighbours there, until then. In SQLite they have no place but their indexes'.
    """
    if c.dialect.name == "postgresql":
        account, call = last or (LAST, LAST)
        c.execute(_MIX, {"account": place[0], "call": place[1], "last_account": account, "last_call": call})


def forget_calls(c: Connection, account: bytes) -> None:
    """Delete all of an account."""
    c.execute(_FORGET, {"of_account": account})
