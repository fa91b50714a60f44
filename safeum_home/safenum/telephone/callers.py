"""Which account a number is of, and the other way round."""

from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Database
from safeum_home.safenum.numbers.assignment import Numbers

VOICE_OUT = "voice-out"


class Line(NamedTuple):
    """An account calls from `safenum`. `is_ours`: the number that it calls is of an account of this node."""

    safenum: str
    is_ours: bool


class Callers:
    """As the database has it."""

    def __init__(self, database: Database, numbers: Numbers) -> None:
        self._database = database
        self._numbers = numbers

    async def line(self, account: AccountId, to: str) -> Line:
        """Raises `no_safenum` for who has no number to be shown, and `destination_refused` for one's own."""

        def read(c: Connection) -> Line:
            owned = self._numbers.owned(c, account)
            if owned is None or VOICE_OUT not in owned.capabilities:
                raise Problem(Code.NO_SAFENUM)
            if to == owned.number:
                raise Problem(Code.DESTINATION_REFUSED, "own")
            return Line(owned.number, self._numbers.owner(c, to) is not None)

        return await self._database.read(read)

    async def owner(self, number: str) -> AccountId | None:
        """Who is called by a number; None: nobody."""
        return await self._database.read(lambda c: self._numbers.owner(c, number))
