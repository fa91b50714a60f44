"""kill -9 while a real node turns its keyring, and people sign up."""

import random
import sqlite3
import time
from pathlib import Path
from threading import Thread
from typing import Any

from safeum_home.ids import AccountId
from safeum_home.ports import WrappedKey
from safeum_home.sealing.keyring import EpochKeyring
from tests.e2e.closing import DEVICE, PASSWORD, PIN, ClosingCase
from tests.e2e.wire import PATIENCE, RawClient, Refused
from tests.world import CONSENT

ROUNDS = 8
FILLERS = 20_000
"""Keys of others that a turn has to wrap anew, so that it takes long enough to be killed in."""


class KillTests(ClosingCase):
    def test_kill_in_a_turn(self) -> None:
        """Whenever it comes: who is closed is closed, who signed up meanwhile is there, nothing is lost."""
        self._fill()
        self.size = (self.node.state / "keyring").stat().st_size
        self.node.start()
        there: list[dict[str, Any]] = []
        turning = 0
        for number in range(ROUNDS):
            victim = f"victim{number}"
            client, _ = self.register(victim)
            client.call("account.pin.set", password=PASSWORD, pin=PIN)
            closing = Thread(target=self._close, args=(client,))
            signing = [Thread(target=self._sign_up, args=(f"new{number}-{part}", there)) for part in range(2)]
            for thread in (closing, *signing):
                thread.start()
            if number % 2:
                time.sleep(random.uniform(0.0, 0.8))
            else:
                self._until_it_turns()
            self.node.kill()
            turning += self._turns()
            for thread in (closing, *signing):
                thread.join()
            self.node.start()
            self._check(victim, there)
        self.node.stop()
        with self.vault() as vault:
            self.assertFalse(vault.keyring.pending_turn)
            database = sqlite3.connect(self.node.state / "home.sqlite")
            self.addCleanup(database.close)
            wraps = database.execute("SELECT owner, epoch, wrapped FROM keys").fetchall()
            self.assertGreaterEqual(len(wraps), FILLERS + 2 * len(there))
            for owner, epoch, wrapped in wraps:
                vault.keyring.unwrap(owner, WrappedKey(epoch, wrapped)).wipe()
            [(value,)] = database.execute("SELECT value FROM node WHERE name = 'erased'").fetchall()
            self.assertLess(value, vault.keyring.epoch)
            accounts = database.execute("SELECT account FROM accounts").fetchall()
            known = {vault.blinder.account(AccountId(one["account"])) for one in there}
            self.assertLessEqual(known, {account for (account,) in accounts})
        print(f"\n    {len(there)} signed up, {turning} of {ROUNDS} kills hit a turn", end=" ")
        self.assertGreater(len(there), 0)
        self.assertGreater(turning, 0)

    def _turns(self) -> bool:
        """Whether the keyring's file holds two epochs."""
        return (self.node.state / "keyring").stat().st_size > self.size

    def _until_it_turns(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._turns():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def _fill(self) -> None:
        """Keys of others, without more."""
        self.node.start()
        self.node.stop()
        with self.vault() as vault:
            fill(self.node.state / "home.sqlite", vault.keyring, FILLERS)

    def _close(self, client: RawClient) -> None:
        try:
            client.call("session.block", pin=PIN)
        except OSError:
            return

    def _sign_up(self, name: str, there: list[dict[str, Any]]) -> None:
        """Sign up one after the other until the node is gone; those that were answered."""
        number = 0
        try:
            while True:
                number += 1
                there.append(self.register(f"{name}-{number}")[1])
        except OSError:
            return

    def _check(self, victim: str, there: list[dict[str, Any]]) -> None:
        """The victim was closed, or the commit was not reached and it is whole; the others are there."""
        for opened in there[-3:]:
            client = self.client()
            self.assertEqual(
                client.call("session.resume", token=opened["token"])["account"], opened["account"]
            )
        about = {"username": victim, "password": PASSWORD, "device": DEVICE}
        try:
            client = self.client()
            client.call("session.login", **about)
        except Refused as refused:
            self.assertEqual(refused.code, "bad_credentials")
        else:
            client.call("session.block", pin=PIN)
        self.refused("username_taken", self.client(), "account.register", **about, consent=CONSENT)


def fill(path: Path, keyring: EpochKeyring, count: int, table: str = "keys") -> None:
    """Put keys of others into a database that no node uses."""
    database = sqlite3.connect(path)
    owners = [b"filler %9d" % number for number in range(count)]
    wraps = [(owner, *_fields(keyring.new_key(owner)[1])) for owner in owners]
    with database:
        database.executemany(f"INSERT INTO {table} (owner, epoch, wrapped) VALUES (?, ?, ?)", wraps)
    database.close()


def _fields(wrapped: WrappedKey) -> tuple[int, bytes]:
    return wrapped.epoch, wrapped.wrapped
