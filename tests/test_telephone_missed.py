"""The list of calls that were missed: what is stored of it, for how long, and what is damaged."""

from sqlalchemy import Connection

from safeum_home.safenum.telephone import missed
from safeum_home.storage.schema import metadata
from tests.telephone_case import STRANGER, TelephoneCase

DAY = 86_400.0


class KeptTests(TelephoneCase):
    def missed_one(self, caller: str = STRANGER) -> None:
        self.ring(caller).end()

    def test_nothing_readable(self) -> None:
        """No row of any table holds a number, nor who was called; while a call goes on and after it."""
        self.missed_one()
        self.dialled().take()
        self.advance(2)
        found = self.world.database.now(_octets)
        for canary in (STRANGER, self.number, self.ann.account, "call-0@carrier"):
            self.assertNotIn(canary.lstrip("+@").encode(), found)
        self.hang_up(self.ann)

    def test_the_newest_are_kept(self) -> None:
        self.patch(missed, "MOST_KEPT", 3)
        for number in range(5):
            self.missed_one(f"+49301111{number}")
        self.assertEqual([caller for caller, _ in self.missed()], [f"+49301111{n}" for n in (4, 3, 2)])
        self.assertEqual(self.world.database.count("missed_calls"), 3)

    def test_swept(self) -> None:
        """They are kept as long as records of calls are."""
        self.missed_one()
        sweep = self.world.domain.money.sweep
        sweep.start()
        self.world.clock.advance(30 * DAY)
        self.missed_one("+49301111")
        self.assertEqual(len(self.missed()), 2)
        self.world.clock.advance(170 * DAY)
        self.assertEqual(self.missed(), [("+49301111", False)])
        self.world.database.failing = True
        self.world.clock.advance(DAY)
        self.world.database.failing = False
        sweep.stop()

    def test_damaged(self) -> None:
        """What cannot be opened is left out."""
        self.missed_one()
        self.world.database.execute("UPDATE missed_calls SET sealed = x'00'")
        self.missed_one("+49301111")
        self.assertEqual(self.missed(), [("+49301111", False)])

    def test_whose_they_are(self) -> None:
        """Nobody sees, or erases, those of another one."""
        bob = self.world.register("bob")
        self.missed_one()
        self.assertEqual(bob.call("telephone.missed")["calls"], [])
        bob.call("telephone.forget")
        self.assertEqual(len(self.missed()), 1)


def _octets(c: Connection) -> bytes:
    """All that is in the database."""
    return b"".join(
        value.encode() if isinstance(value, str) else value
        for table in metadata.sorted_tables
        for row in c.execute(table.select())
        for value in row
        if isinstance(value, bytes | str)
    )
