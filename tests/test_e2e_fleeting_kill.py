"""kill -9 while a real node turns the keyring of messages that go when they were delivered."""

import random
import sqlite3
import time
from threading import Thread

from safeum_home.errors import Erased
from safeum_home.ports import WrappedKey
from tests.e2e.wire import PATIENCE, RawClient
from tests.test_e2e_closing_kill import FILLERS, fill
from tests.test_e2e_erasure import PairCase

ROUNDS = 6
_OWN = "SELECT owner, epoch, wrapped FROM fleeting_keys WHERE substr(owner, 1, 6) != CAST('filler' AS BLOB)"


class FleetingKillTests(PairCase):
    def prepare(self) -> None:
        """Keys of others, so that a turn takes long enough to be killed in."""
        self.node.start()
        self.node.stop()
        with self.vault() as vault:
            fill(self.node.state / "home.sqlite", vault.fleeting, FILLERS, "fleeting_keys")
        self.path = self.node.state / "keyring.fleeting"
        self.size = self.path.stat().st_size

    def test_kill_in_a_turn(self) -> None:
        """Whenever it comes: what was delivered opens for nobody, what waits is there."""
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        lasting = (self.node.state / "keyring").read_bytes()
        hit = 0
        for number in range(ROUNDS):
            gone = self._delivered(f"gone {number}")
            self.write(1, f"waits {number}")
            self.node.kill()
            # A start turns what is due before it serves anybody.
            starting = Thread(target=self._begin)
            starting.start()
            if number % 3:
                self._until_it_turns()
                time.sleep(random.uniform(0.0, 0.2) if number % 3 == 2 else 0.0)
            else:
                time.sleep(random.uniform(0.5, 1.5))
            hit += self._turns()
            self.node.kill()
            starting.join()
            self.node.start()
            self.alice, self.bob = self._again(0), self._again(1)
            self.assertEqual(self.history(self.bob), [f"waits {number} 0"])
            self._check(gone)
        self.assertEqual((self.node.state / "keyring").read_bytes(), lasting)
        print(f"\n    {hit} of {ROUNDS} kills hit a turn", end=" ")
        self.assertGreater(hit, 0)

    def _delivered(self, text: str) -> list[tuple[bytes, WrappedKey]]:
        """A message that everybody has, and that is dropped; the wraps of before."""
        self.write(1, text)
        wraps = self._wraps()
        self.assertTrue(wraps)
        cursor = self.alice.call("chat.history", chat=self.chat)["messages"][-1]["id"]
        for client in (self.alice, self.bob):
            client.call("session.ack", cursor=cursor)
        self.until("SELECT count(*) FROM spool", 0)
        return wraps

    def _wraps(self) -> list[tuple[bytes, WrappedKey]]:
        database = sqlite3.connect(f"file:{self.node.state / 'home.sqlite'}?mode=ro", uri=True)
        try:
            return [(owner, WrappedKey(*wrap)) for owner, *wrap in database.execute(_OWN)]
        finally:
            database.close()

    def _check(self, gone: list[tuple[bytes, WrappedKey]]) -> None:
        database = sqlite3.connect(f"file:{self.node.state / 'home.sqlite'}?mode=ro", uri=True)
        wraps = database.execute("SELECT owner, epoch, wrapped FROM fleeting_keys").fetchall()
        [(erased,)] = database.execute("SELECT value FROM node WHERE name = 'fleeting_erased'").fetchall()
        database.close()
        self.assertGreater(len(wraps), FILLERS)
        with self.vault() as vault:
            self.assertFalse(vault.fleeting.pending_turn)
            self.assertLess(erased, vault.fleeting.oldest)
            for owner, wrap in gone:
                self.assertRaises(Erased, vault.fleeting.unwrap, owner, wrap)
            for owner, epoch, wrapped in wraps:
                vault.fleeting.unwrap(owner, WrappedKey(epoch, wrapped)).wipe()

    def _begin(self) -> None:
        try:
            self.node.start()
        except (AssertionError, OSError):
            return  # it was killed

    def _again(self, which: int) -> RawClient:
        client = self.client()
        client.call("session.resume", token=self.tokens[which])
        return client

    def _turns(self) -> bool:
        """Whether the keyring's file holds two epochs."""
        return self.path.stat().st_size > self.size

    def _until_it_turns(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._turns():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)
