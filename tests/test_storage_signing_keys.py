"""Which key the node signs with: as it is stored, on SQLite and on PostgreSQL, and as it is published."""

from twisted.internet.defer import Deferred

from safeum_home.ids import AccountId
from safeum_home.node.federation_keys import load, rotate
from safeum_home.protocol.federation.events import new_event, read_event, sign_event, verify_event
from safeum_home.protocol.federation.keys import read_document
from safeum_home.sealing.federation import FederationKeys
from safeum_home.sealing.memory import Arena, Level
from safeum_home.storage.signing_keys import SigningKeyRow, begin_first, begin_next, every
from tests.storage import OnPostgres, StorageCase, problem

ARENA = Arena(floor=Level.UNLOCKED)
ANN = AccountId("@" + "a" * 26 + ":a.example")


class SigningKeyTests(StorageCase):
    """Keys one after another."""

    async def test_rows(self) -> None:
        """The first is begun once; each further one ends the one before, in the same commit."""
        self.assertEqual(await self.read(every), [])
        for at in (5, 6):
            self.assertEqual(await self.write(begin_first, at), [SigningKeyRow(1, 5, None)])
        expected = [SigningKeyRow(1, 5, 7), SigningKeyRow(2, 7, None)]
        self.assertEqual(await self.write(begin_next, 7), expected)
        await self.reopen()
        self.assertEqual(await self.read(every), expected)
        self.assertEqual(await self.write(begin_first, 9), expected)

    async def test_rotated(self) -> None:
        """Signed is with the new key, and the one before is published with its end; also after a restart."""
        keys = FederationKeys(ARENA.slot().fill_random())
        now = [1_000]
        own = await load("a.example", self.db, keys, lambda: now[0])
        self.assertEqual(own.in_use.key_id, "ed25519:1")
        event = sign_event(new_event("x", ANN, 1, {}), own.in_use.key_id, own.in_use.signer)
        now[0] = 2_000
        self.assertEqual(await rotate(own, self.db, keys, lambda: now[0]), "ed25519:2")
        again = await load("a.example", self.db, keys, lambda: now[0])
        for each in (own, again):
            read = read_document(each.document(), "a.example", now[0])
            self.assertEqual(dict(read.current), {"ed25519:2": keys.public_key(2)})
            self.assertEqual(dict(read.old), {"ed25519:1": (keys.public_key(1), 2_000)})
            self.assertEqual(each.in_use.key_id, "ed25519:2")
        verify_event(read_event(event), read.at(1))

    async def test_nothing_stored(self) -> None:
        """Where the commit fails, the key stays the one that it was."""
        keys = FederationKeys(ARENA.slot().fill_random())
        own = await load("a.example", self.db, keys, lambda: 1_000)
        document = own.document()
        await self.db.close()
        rotating = Deferred.fromCoroutine(rotate(own, self.db, keys, lambda: 2_000))
        self.assertIn(await problem(rotating), ("storage_unavailable", "shutting_down"))
        self.assertEqual((own.in_use.key_id, own.document()), ("ed25519:1", document))


class PostgresSigningKeyTests(OnPostgres, SigningKeyTests):
    """The same on PostgreSQL."""
