"""Accounts that are closed on a real node: what old copies of its disk tell, and what a restart changes."""

import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

from safeum_home.accounts.records import AccountRecord, DeviceRecord, ProfileRecord, unseal
from safeum_home.chats.sealed import decode, open_under
from safeum_home.errors import Erased
from safeum_home.ids import AccountId, direct_chat_id, system_account
from safeum_home.ports import WrappedKey
from safeum_home.protocol.types import Text
from safeum_home.sealing.keyring import EpochKeyring
from safeum_home.sealing.vault import Vault
from safeum_home.storage.rows import EventRow
from tests import postgres
from tests.e2e.closing import DEVICE, PASSWORD, PIN, ClosingCase
from tests.e2e.wire import PATIENCE
from tests.world import CONSENT


class PeopleCase(ClosingCase):
    """Alice and Bob, Bob and Carol; then Alice closes her account."""

    def setUp(self) -> None:
        super().setUp()
        self.node.start()
        self.people = {name: self.register(name) for name in ("alice", "bob", "carol")}
        self.ids = {name: AccountId(opened["account"]) for name, (_, opened) in self.people.items()}
        for first, second in (("alice", "bob"), ("bob", "carol")):
            (asks, mine), (agrees, theirs) = self.people[first], self.people[second]
            asks.call("contact.request", account=theirs["account"], address=second)
            agrees.call("contact.accept", account=mine["account"])
            chat = direct_chat_id(self.ids[first], self.ids[second])
            body = {"kind": "text", "text": f"{first} to {second}"}
            asks.call("chat.send", chat=chat, client_id="1", body=body)
        alice = self.people["alice"][0]
        alice.call("profile.set", profile={"display_name": "Alice", "status": "there"})
        alice.call("account.pin.set", password=PASSWORD, pin=PIN)


class OldCopyTests(PeopleCase):
    def copy(self) -> Path:
        """The files as they lie on the disk, log and all."""
        target = self.node.folder / "copy"
        target.mkdir()
        for file in self.node.state.glob("home.sqlite*"):
            shutil.copy(file, target)
        return target / "home.sqlite"

    def rows(self, path: Path) -> dict[str, list[Any]]:
        database = sqlite3.connect(path)
        try:
            tables = ("keys", "accounts", "devices", "profiles", "chats", "events", "erasing")
            return {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
        finally:
            database.close()

    def test_old_copies(self) -> None:
        """A copy from before opens nothing with today's keyring; today's opens what is left, nothing else."""
        copy = self.copy()
        self.client().call("account.block", username="alice", pin=PIN)
        self._until_swept()
        self.node.stop()
        with self.vault() as vault:
            blinder, node = vault.blinder, "localhost"
            alice = blinder.account(self.ids["alice"])
            with_bob = direct_chat_id(self.ids["alice"], self.ids["bob"])
            system = direct_chat_id(self.ids["alice"], system_account(node))
            hers = {alice, blinder.chat(with_bob), blinder.chat(system)}
            self._old(copy, vault.keyring, hers)
            self._present(vault, hers)
            self._raw(copy, hers)

    def _until_swept(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.rows(self.node.state / "home.sqlite")["erasing"]:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def _old(self, path: Path, keyring: EpochKeyring, hers: set[bytes]) -> None:
        old = self.rows(path)
        wraps = {owner: WrappedKey(epoch, wrapped) for owner, epoch, wrapped in old["keys"]}
        self.assertLessEqual(hers, set(wraps))
        opened = 0
        for owner in hers:
            self.assertRaises(Erased, keyring.unwrap, owner, wraps[owner])
        for table in ("accounts", "profiles", "chats", "events", "devices"):
            for row in old[table]:
                owner = row[1] if table == "devices" else row[0]
                opened += owner in hers
                self.assertRaises(Erased, keyring.unwrap, owner, wraps[owner])
        self.assertEqual(opened, 1 + 1 + 2 + 2 + 1)

    def _present(self, vault: Vault, hers: set[bytes]) -> None:
        rows = self.rows(self.node.state / "home.sqlite")
        keys = {owner: vault.keyring.unwrap(owner, WrappedKey(*wrap)) for owner, *wrap in rows["keys"]}
        self.assertEqual(hers & set(keys), set())
        names = {
            unseal(keys[account], AccountRecord, sealed, account).username
            for account, sealed in rows["accounts"]
        }
        self.assertEqual(names, {"bob", "carol"})
        for device, account, _, _, sealed, _ in rows["devices"]:
            self.assertEqual(unseal(keys[account], DeviceRecord, sealed, device).name, DEVICE["name"])
        for account, _, sealed in rows["profiles"]:
            unseal(keys[account], ProfileRecord, sealed, account)
        messages = [decode(open_under(keys[row[0]], EventRow(*row))) for row in rows["events"]]
        bodies = [message.body.text for message in messages if isinstance(message.body, Text)]
        self.assertEqual(bodies, ["bob to carol"])

    def _raw(self, copy: Path, hers: set[bytes]) -> None:
        """What was sealed for her is in no file of the state directory, in whatever corner of it."""
        old = self.rows(copy)
        sealed_for_her = (("keys", 2), ("accounts", 1), ("chats", 2), ("events", 2))
        gone = [row[place] for table, place in sealed_for_her for row in old[table] if row[0] in hers]
        gone += [row[0] for row in old["devices"] if row[1] in hers]
        self.assertEqual(len(gone), 3 + 1 + 2 + 2 + 1)
        files = {file.name: file.read_bytes() for file in self.node.state.iterdir() if file.is_file()}
        for sealed in gone:
            self.assertEqual([name for name, octets in files.items() if sealed in octets], [])


class RestartTests(PeopleCase):
    def test_after_a_restart(self) -> None:
        """Closed it stays; what Alice's and Bob's devices held changes nothing."""
        second = self.client().call("session.login", username="alice", password=PASSWORD, device=DEVICE)
        away = {name: opened for name, (_, opened) in self.people.items()}
        self.people["bob"][0].close()
        self.client().call("account.block", username="alice", pin=PIN)
        for _ in range(2):
            for token in (away["alice"]["token"], second["token"]):
                self.refused("bad_token", self.client(), "session.resume", token=token)
            self.refused(
                "bad_credentials",
                self.client(),
                "session.login",
                username="alice",
                password=PASSWORD,
                device=DEVICE,
            )
            self.refused(
                "username_taken",
                self.client(),
                "account.register",
                username="alice",
                password=PASSWORD,
                device=DEVICE,
                consent=CONSENT,
            )
            self.node.kill()
            self.node.start()
        bob = self.client()
        bob.call("session.resume", token=away["bob"]["token"], since=away["bob"]["cursor"])
        states = []
        while (event := bob.read())["method"] != "session.synced":
            if event["method"] == "contact.changed":
                states.append(event["params"]["contact"]["state"])
            self.assertNotIn("alice to bob", str(event))
        self.assertIn("closed", states)
        chat = direct_chat_id(self.ids["alice"], self.ids["bob"])
        self.refused("not_found", bob, "chat.history", chat=chat)


class PostgresRestartTests(RestartTests):
    def database(self) -> str:
        return postgres.url()
