"""One process at a time writes to a database: positions are given out once."""

from sqlalchemy.exc import OperationalError

from safeum_home.storage import postgres
from safeum_home.storage.backend import DatabaseInUse
from safeum_home.storage.database import backend_for
from tests.storage import OnPostgres, StorageCase


class SingleWriterTests(StorageCase):
    def claim(self) -> None:
        """As another process would: a backend of its own."""
        self.patch(postgres, "_WRITER", "-c lock_timeout=50ms")
        other = backend_for(self.url)
        try:
            other.open()
            other.writer().close()
        finally:
            other.close()

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
    refusal = OperationalError
