"""What the operator is to look at: payments that fit nothing, and what was paid back."""

from sqlalchemy import Connection
from twisted.logger import Logger

from safeum_home.damage import undamaged
from safeum_home.ports import Key
from safeum_home.safenum.money.payment_record import PaymentNote, opened_note, sealed_note
from safeum_home.storage import payments as rows
from safeum_home.storage.payments import NoteRow

MOST = 10_000
"""Notes that are kept: beyond it the oldest go."""
LOOKED_AT = 500
"""Of the newest ones, for whether one is told again: a provider repeats for days what was not answered."""
_WHAT = "notes about payments"
_log = Logger()


class NoteBook:
    """For the writer's thread, inside transactions; what only reads is for readers', too."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def add(self, c: Connection, note: PaymentNote) -> None:
        """Unless it is there: until the operator puts it away, what is told again is nothing new."""
        number = rows.last_note(c) + 1
        before = undamaged(rows.notes_behind(c, number - 1 - LOOKED_AT, LOOKED_AT), self._opened, _WHAT)
        if any(note.repeats(each) for _, each in before):
            return
        rows.add_note(c, sealed_note(self._key, number, note))
        rows.drop_notes_before(c, number - MOST)
        _log.warn("ALARM: a payment is to be looked at: see `safeum-home payments notes`.")

    def page(self, c: Connection, after: int, limit: int) -> tuple[list[tuple[int, PaymentNote]], int | None]:
        """Numbered notes behind a number; and behind which there are more, or None."""
        found = rows.notes_behind(c, after, limit)
        notes = undamaged(found, self._opened, _WHAT)
        return notes, found[-1].number if len(found) == limit else None

    def _opened(self, row: NoteRow) -> tuple[int, PaymentNote]:
        return row.number, opened_note(self._key, row)
