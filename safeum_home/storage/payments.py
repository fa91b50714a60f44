"""References under which accounts pay in, and notes about payments for the operator."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import payment_notes, payments


class PaymentRow(NamedTuple):
    """All but `ends` (milliseconds) and `sealed`, which is under the account's key, are blind indexes."""

    reference: bytes
    account: bytes
    payment: bytes | None
    ends: int
    sealed: bytes


class NoteRow(NamedTuple):
    number: int
    sealed: bytes


_ONE = select(payments).where(payments.c.reference == bindparam("asked"))
_BY_PAYMENT = select(payments).where(payments.c.payment == bindparam("asked"))
_COUNT = (
    select(func.count())
    .select_from(payments)
    .where(
        payments.c.account == bindparam("asked"),
        payments.c.payment.is_(None),
        payments.c.ends >= bindparam("since"),
    )
)
_PUT = Many(
    "INSERT INTO payments (reference, account, payment, ends, sealed) {rows} ON CONFLICT (reference)"
    " DO UPDATE SET payment = excluded.payment, ends = excluded.ends, sealed = excluded.sealed",
    ("bytea", "bytea", "bytea", "bigint", "bytea"),
)
_LAST = select(func.max(payment_notes.c.number))
_NOTES = (
    select(payment_notes)
    .where(payment_notes.c.number > bindparam("after"))
    .order_by(payment_notes.c.number)
    .limit(bindparam("limit"))
)


def put(c: Connection, row: PaymentRow) -> None:
    _PUT.change(c, [row])


def one(c: Connection, reference: bytes) -> PaymentRow | None:
    row = c.execute(_ONE, {"asked": reference}).first()
    return None if row is None else PaymentRow(*row)


def by_payment(c: Connection, payment: bytes) -> PaymentRow | None:
    row = c.execute(_BY_PAYMENT, {"asked": payment}).first()
    return None if row is None else PaymentRow(*row)


def count_open(c: Connection, account: bytes, since: int) -> int:
    """References of an account under which nothing was paid yet, and that end at `since` or later."""
    return int(c.execute(_COUNT, {"asked": account, "since": since}).scalar_one())


def drop(c: Connection, reference: bytes) -> None:
    c.execute(delete(payments).where(payments.c.reference == reference))


def drop_ended(c: Connection, now: int) -> int:
    """Forget those that have ended; how many there were."""
    return c.execute(delete(payments).where(payments.c.ends <= now)).rowcount


def last_note(c: Connection) -> int:
    """The number of the newest one; 0 where there is none."""
    return int(c.execute(_LAST).scalar_one() or 0)


def add_note(c: Connection, row: NoteRow) -> None:
    c.execute(payment_notes.insert().values(**row._asdict()))


def notes_behind(c: Connection, after: int, limit: int) -> list[NoteRow]:
    return [NoteRow(*row) for row in c.execute(_NOTES, {"after": after, "limit": limit})]


def count_notes(c: Connection) -> int:
    return int(c.execute(select(func.count()).select_from(payment_notes)).scalar_one())


def drop_note(c: Connection, number: int) -> bool:
    """Whether there was one."""
    return c.execute(delete(payment_notes).where(payment_notes.c.number == number)).rowcount > 0


def drop_notes_before(c: Connection, number: int) -> int:
    """Forget notes up to a number; how many there were."""
    return c.execute(delete(payment_notes).where(payment_notes.c.number <= number)).rowcount
