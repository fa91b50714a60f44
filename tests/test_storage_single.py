"""One process at a time writes to a database: positions are given out once."""

from sqlalchemy.exc import OperationalError

from safeum_home.storage.backend import DatabaseInUse
from safeum_home.storage.database import backend_for
from tests.storage import OnPostgres, StorageCase


class SingleWriterTests(StorageCase):
    def claim(self) -> None:
        """As another process would: a backend of its own."""
        other = backend_for(self.url)
        connection = other.writer()
        connection.exec_driver_sql(self.impatient)
        connection.commit()
        try:
            other.claim(connection)
        finally:
            connection.close()
            other.close()

    impatient = "SELECT 1"
    refusal: type[Exception] = DatabaseInUse

    async def test_taken(self) -> None:
        self.assertRaises(self.refusal, self.claim)

    async def test_free_after_close(self) -> None:
        await self.db.close()
        self.claim()

    async def test_ours_again(self) -> None:
        await self.reopen()
        self.assertRaises(self.refusal, self.claim)


class PostgresSingleWriterTests(OnPostgres, SingleWriterTests):
    impatient = "SET lock_timeout = '50ms'"
    refusal = OperationalError
