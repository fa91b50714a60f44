"""Disabling history on a real node: its disk and copies of it, kill -9 at every moment, and a real client."""

import random
import shutil
import sqlite3
import time
from pathlib import Path
from threading import Thread
from typing import Any

from safeum_home.ids import AccountId, ChatId, direct_chat_id
from safeum_home.sealing.memory import Arena, Level, Slot
from safeum_home.sealing.root import parse
from safeum_home.sealing.vault import open_vault
from tests.disk_images import openable, sealed_rows, yields
from tests.e2e.closing import ClosingCase
from tests.e2e.wire import PATIENCE, RawClient
from tests.test_e2e_closing_kill import FILLERS, fill

MESSAGES = 700
ROUNDS = 8


class PairCase(ClosingCase):
    """Alice and Bob, who write to each other."""

    def setUp(self) -> None:
        super().setUp()
        self.prepare()
        self.node.start()
        self.alice, mine = self.register("alice")
        self.bob, theirs = self.register("bob")
        self.tokens = [mine["token"], theirs["token"]]
        self.alice.call("contact.request", account=theirs["account"], address="bob")
        self.bob.call("contact.accept", account=mine["account"])
        self.chat = direct_chat_id(AccountId(mine["account"]), AccountId(theirs["account"]))

    def prepare(self) -> None:
        """Before the node's first start with people on it."""

    def write(self, count: int, text: str = "canary") -> None:
        for number in range(count):
            body = {"kind": "text", "text": f"{text} {number}"}
            self.alice.call("chat.send", chat=self.chat, client_id=f"{text}{number}", body=body)

    def again(self) -> RawClient:
        """Alice on a new connection."""
        client = self.client()
        client.call("session.resume", token=self.tokens[0])
        return client

    def history(self, client: RawClient) -> list[str]:
        bodies = [one["body"] for one in client.call("chat.history", chat=self.chat)["messages"]]
        return [body["text"] for body in bodies if body["kind"] == "text"]

    def live(self, query: str) -> Any:
        database = sqlite3.connect(f"file:{self.node.state / 'home.sqlite'}?mode=ro", uri=True)
        try:
            return database.execute(query).fetchone()[0]
        finally:
            database.close()

    def until(self, query: str, value: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.live(query) != value:
            self.assertLess(time.monotonic(), deadline, query)
            time.sleep(0.02)


class DiskTests(PairCase):
    def image(self, name: str) -> Path:
        """The state directory as it lies on the disk, log and all, while the node runs."""
        target = self.node.folder / name
        target.mkdir(mode=0o700)
        for file in self.node.state.iterdir():
            if file.is_file() and not file.name.endswith("-shm"):
                shutil.copy(file, target)
        return target

    def found(self, image: Path, state: Path) -> bytes:
        """All of the chat that the keyrings of `state` and every key that it opens, then and now, find."""
        root = parse(Arena(floor=Level.UNLOCKED), self.node.words)
        assert isinstance(root, Slot)
        vault = open_vault(root, state)
        try:
            keys = openable(image / "home.sqlite", vault)
            keys += openable(self.node.state / "home.sqlite", vault)
            return b"".join(yields(image / "home.sqlite", vault.blinder.chat(ChatId(self.chat)), keys))
        finally:
            vault.wipe()

    def test_disk(self) -> None:
        """A copy from before yields nothing with the keyring of after; the live files hold nothing of it."""
        self.write(MESSAGES)
        before = self.image("before")
        answer = self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        self.assertEqual(answer["receipt"]["chat"], self.chat)
        self.until("SELECT count(*) FROM erasing", 0)
        self.write(1, "after")
        with self.vault() as vault:
            sealed = sealed_rows(before / "home.sqlite", vault.blinder.chat(ChatId(self.chat)))
        self.assertEqual(len(sealed), 1 + MESSAGES)
        # The node runs: its log was begun anew behind the sweep.
        files = {file.name: file.read_bytes() for file in self.node.state.iterdir() if file.is_file()}
        self.assertIn("home.sqlite-wal", files)
        left = [name for octets in sealed for name, data in files.items() if octets in data]
        self.assertEqual(left, [])
        control = self.found(before, before)
        self.assertIn(b"canary 0", control)
        self.assertIn(f"canary {MESSAGES - 1}".encode(), control)
        self.assertEqual(self.found(before, self.node.state), b"")
        self.assertEqual(self.history(self.again()), ["after 0"])

    def test_a_message_without_history(self) -> None:
        """Acknowledged it is gone; after a turn the copy of the disk in which it waited yields it no more."""
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        self.write(1, "fleeting")
        waiting = self.image("waiting")
        self.assertIn(b"fleeting 0", self.found(waiting, waiting))
        while "fleeting" not in str((message := self.bob.event("chat.message"))["body"]):
            pass
        cursor = message["id"]
        for client in (self.alice, self.bob):  # hers is for the notice of the node
            client.call("session.ack", cursor=cursor)
        self.until("SELECT count(*) FROM spool", 0)
        self.assertEqual(self.history(self.alice), [])
        self.node.stop()
        self.node.start()  # which turns what is due
        self.assertNotIn(b"fleeting", self.found(waiting, self.node.state))


class KillTests(PairCase):
    def prepare(self) -> None:
        """Keys of others, so that a turn takes long enough to be killed in."""
        self.node.start()
        self.node.stop()
        with self.vault() as vault:
            fill(self.node.state / "home.sqlite", vault.keyring, FILLERS)

    def test_kill(self) -> None:
        """Whenever it comes: all is there as before, or all is erased, and finished by the next start."""
        erased = 0
        for number in range(ROUNDS):
            self.write(60, f"round {number}")
            asking = Thread(target=self._off)
            asking.start()
            time.sleep(random.uniform(0.0, 0.01 if number % 2 else 0.5))
            self.node.kill()
            asking.join()
            off = self.live("SELECT count(*) FROM erasing") > 0
            self.node.start()
            self.alice = self.again()
            shown = self.history(self.alice)
            if shown:
                self.assertFalse(off)
                self.assertEqual(shown[-1], f"round {number} 59")
            else:
                erased += 1
                self.until("SELECT count(*) FROM erasing", 0)
                answer = self.alice.call("chat.history.set", chat=self.chat, enabled=False)
                self.assertFalse(answer["history"])
                self.assertLess(answer["receipt"]["epoch"], self._oldest())
            self.alice.call("chat.history.set", chat=self.chat, enabled=True)
        self.assertGreater(erased, 0)
        print(f"\n    {erased} of {ROUNDS} kills came behind the commit", end=" ")

    def _oldest(self) -> int:
        with self.vault() as vault:
            return vault.keyring.oldest

    def _off(self) -> None:
        try:
            self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        except OSError:
            return
