"""A node's bad days, as its operator meets them: each has a word in `status`, and a way out."""

import shutil
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing

from tests import postgres
from tests.e2e.small_disk import SmallDisk
from tests.e2e.warm import Process
from tests.e2e.wire import RawClient, Wire
from tests.node_case import BIN, PATIENCE, NodeCase
from tests.test_storage_migrate import LAST


class DatabaseTests(NodeCase):
    """Whose the database is, whether it is there, and its copies."""

    def setUp(self) -> None:
        super().setUp()
        self.state = self.folder / "state"
        self.database = self.state / "home.sqlite"

    def _accounts(self) -> int | None:
        found = self.status()["accounts"]
        assert found is None or isinstance(found, int)
        return found

    def test_foreign(self) -> None:
        """A database with accounts is opened under no other root secret and no other name."""
        self.stop(self.serve())
        configured = self.config.read_text()
        self.config.write_text(configured.replace('"localhost"', '"elsewhere"'))
        self.stop(self.serve())  # no account yet: the name may still change
        node = self.serve()
        self.sign_up("alice")
        self.assertEqual(self._accounts(), 1)
        self.stop(node)

        for name in ("keyring", "keyring.fleeting"):
            (self.state / name).rename(self.folder / name)
        other = self.operate("init", "--state-dir", str(self.state), "--yes-print")
        (self.state / "secrets").unlink()
        self._refused(self.start_unsealed(other))
        for name in ("keyring", "keyring.fleeting"):
            (self.folder / name).rename(self.state / name)
        self.config.write_text(configured)
        self._refused(self.start_unsealed())
        self.config.write_text(configured.replace('"localhost"', '"elsewhere"'))
        self.start_unsealed()
        self.until((503, "no_certificate"))

    def _refused(self, node: Process) -> None:
        """It does not open; it is still there for its operator, and lets go of the database."""
        self.until((503, "failed"))
        self.assertEqual(self.health(secure=True), (0, ""))
        log = self.log.read_text()
        self.assertIn("this database belongs to another root secret or another node.name", log)
        self.assertNotIn("Traceback", log)
        self.operate("status", "--config", str(self.config), code=4)
        self.stop(node)
        self.log.write_text("")

    def test_backup(self) -> None:
        """A copy is made while the node runs, and put back after a crash, whose log is out of the way."""
        node = self.serve()
        self.sign_up("alice")
        copy = self.folder / "copy.sqlite"
        self.operate("backup", str(copy), "--config", str(self.config))
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
        before = copy.read_bytes()
        self.operate("backup", str(copy), "--config", str(self.config), code=1)
        self.operate("backup", str(self.folder / "none" / "copy"), "--config", str(self.config), code=1)
        self.assertEqual(copy.read_bytes(), before)
        self.sign_up("bob")
        self.operate("restore", str(copy), "--config", str(self.config), code=1)
        node.send_signal(signal.SIGKILL)
        node.wait(PATIENCE)
        self.assertTrue((self.state / "home.sqlite-wal").exists())

        damaged = self.folder / "damaged"
        damaged.write_bytes(before[:4096] + bytes(8192) + before[12288:])
        for no_copy in (damaged, self.config, self.folder / "none", self.folder):
            self.operate("restore", str(no_copy), "--config", str(self.config), code=1)
        self.operate("restore", str(copy), "--config", str(self.config))
        self.assertFalse((self.state / "home.sqlite-wal").exists())
        self.assertEqual(self.database.stat().st_mode & 0o777, 0o600)
        [aside] = self.state.glob("home.sqlite.before-restore-*[0-9]")
        with closing(sqlite3.connect(aside)) as former:
            self.assertEqual(former.execute("SELECT count(*) FROM aliases").fetchall(), [(2,)])
        self.serve()
        self.assertEqual(self._accounts(), 1)
        left = [
            path.name for path in self.folder.rglob("*") if "partial" in path.name or "restored" in path.name
        ]
        self.assertEqual(left, [])

    def test_backup_from_before_a_turn(self) -> None:
        """It opens no more: that is said before it is in place, and the node does not open with it either."""
        node = self.serve()
        self.sign_up("alice")
        copy = self.folder / "copy.sqlite"
        self.operate("backup", str(copy), "--config", str(self.config))
        with RawClient(Wire(self.port, self.alpn)) as client:
            about = {"device": {"name": "x", "system": "x"}, "consent": client.call("policy.get")["version"]}
            client.call("account.register", username="bob", password="correct horse battery", **about)
            group = client.call("group.create", client_id="1", name="Sailing")["chat"]["chat"]
            client.call("chat.history.set", chat=group, enabled=False)  # answered behind the turn
        node.send_signal(signal.SIGKILL)
        node.wait(PATIENCE)

        restore = ("restore", str(copy), "--config", str(self.config))
        self.operate(*restore, code=1)
        self.assertEqual(list(self.state.glob("home.sqlite.before-restore-*")), [])
        self.operate(*restore, "--force")
        node = self.start_unsealed()
        self.until((503, "keys_lost"))
        self.assertEqual(self.health(secure=True), (0, ""))
        self.assertEqual(self.status()["state"], "keys_lost")
        self.stop(node)
        [aside] = self.state.glob("home.sqlite.before-restore-*[0-9]")
        # Its log is beside it, since the node was killed: what was acknowledged last is in there.
        self.assertTrue(aside.with_name(f"{aside.name}-wal").stat().st_size)
        self.operate("restore", str(aside), "--config", str(self.config))
        self.serve()
        self.assertEqual(self._accounts(), 2)

    def test_damaged(self) -> None:
        """A damaged database has a state of its own: found at the start, or while it is used."""
        self.stop(self.serve())
        good = self.database.read_bytes()
        self.database.write_bytes(b"not a database" + good[14:])
        node = self.start_unsealed()
        self.until((503, "database_damaged"))
        self.assertNotIn("Traceback", self.log.read_text())
        self.stop(node)
        self.database.write_bytes(good)
        node = self.serve()
        for name in ("alice", "bob"):
            self.sign_up(name)
        self.stop(node)
        data = self.database.read_bytes()
        with closing(sqlite3.connect(self.database)) as connection:
            [(size,)] = connection.execute("PRAGMA page_size").fetchall()
            pages = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'aliases'").fetchall()
        start = (pages[0][0] - 1) * size
        self.database.write_bytes(data[:start] + b"\xff" * size + data[start + size :])
        self.start_unsealed()
        self.until((200, "ok"))
        self.operate("status", "--config", str(self.config), code=0)  # counts the accounts
        self.until((503, "database_damaged"))

    def test_full_disk(self) -> None:
        """A full disk shows by itself, though nobody writes, and so does that there is space again."""
        disk = SmallDisk()
        self.addCleanup(disk.remove)
        shutil.move(self.state, disk.path / "state")
        self.config.write_text(self.config.read_text().replace(f"{self.folder}/state", f"{disk.path}/state"))
        self.state = disk.path / "state"
        node = self.start_unsealed()
        self.until((503, "no_certificate"))
        self.operate("secret", "set", "tls-key", "--config", str(self.config), text=self.key)
        self.until((200, "ok"))
        disk.fill()
        self.until((503, "disk_full"))
        self.assertEqual(self.health(secure=True), (503, "disk_full"))
        disk.clear()
        self.until((200, "ok"))
        self.stop(node)


class StartTests(NodeCase):
    """What keeps a node from starting is one line, and exit code 1."""

    def _ends(self, reason: str, late: bool = False) -> None:
        """Started it ends, with one line: on stderr, or in the log where it is found `late`."""
        done = subprocess.run(
            [BIN / "twistd", "-n", "--pidfile=", "safeum", "--config", self.config],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(done.returncode, 1, done)
        said = done.stdout + done.stderr
        [line] = [line for line in (said if late else done.stderr).splitlines() if reason in line]
        self.assertRegex(line, "safeum-home: " if late else "^safeum-home: ")
        self.assertNotIn("Traceback", said)

    def test_running(self) -> None:
        node = self.start()
        self.until((503, "sealed"))
        self._ends("a node runs in")
        self.assertEqual(self.health(), (503, "sealed"))
        self.stop(node)

    def test_state_directory(self) -> None:
        state = self.folder / "state"
        state.chmod(0o750)
        self._ends("chmod 0700")
        state.rename(self.folder / "other")
        self._ends("No such file or directory")
        state.write_text("")
        self._ends("not a directory")

    def test_operators_socket(self) -> None:
        """A path that is too long for a socket, or has something else at it."""
        state = self.folder / "state"
        (state / "admin.sock").write_text("notes")
        self._ends("this is not a socket", late=True)
        deep = state.rename(self.folder / ("x" * 120))
        self.config.write_text(self.config.read_text().replace(f'"{state}"', f'"{deep}"'))
        (deep / "admin.sock").unlink()
        self._ends("path too long", late=True)

    def test_ports(self) -> None:
        for port in (self.port, self.health_port):
            with socket.socket() as other:
                other.bind(("127.0.0.1", port))
                other.listen()
                self._ends(f"cannot listen at tcp:{port}:interface=127.0.0.1: Address already in use")

    def test_port_taken_meanwhile(self) -> None:
        """Taken between the start and the unsealing: the node ends, by itself and not as if all were well."""
        node = self.start()
        self.until((503, "sealed"))
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen()
            self.operate("unseal", "--config", str(self.config), text=self.words.encode(), code=4)
            self.operate("secret", "set", "tls-key", "--config", str(self.config), text=self.key)
            self.assertEqual(node.wait(PATIENCE), 1)
        log = self.log.read_text()
        self.assertIn(f"The node ends: cannot listen at tcp:{self.port}", log)
        self.assertNotIn("Traceback", log)
        self.assertFalse((self.folder / "state" / "home.sqlite-wal").exists())

    def test_not_initialised(self) -> None:
        """Without a keyring nothing can be unsealed, and that is said before anybody types a share."""
        keyring = self.folder / "state" / "keyring"
        keyring.rename(self.folder / "keyring")
        node = self.start()
        self.until((503, "not_initialised"))
        for _ in range(2):
            self.operate("unseal", "--config", str(self.config), text=self.words.encode(), code=1)
        (self.folder / "keyring").rename(keyring)
        self.until((503, "sealed"))
        wrong = " ".join(["abandon"] * 23 + ["art"])
        self.operate("unseal", "--config", str(self.config), text=wrong.encode(), code=1)
        self.assertIn("An attempt to unseal was refused: wrong_root_secret", self.log.read_text())
        self.operate("unseal", "--config", str(self.config), text=self.words.encode(), code=4)
        self.stop(node)

    def test_status(self) -> None:
        """What an operator wants to know of a node that serves."""
        self.serve()
        self.sign_up("alice")
        status = self.status()
        self.assertEqual((status["accounts"], status["schema"]), (1, LAST))
        self.assertIn(status["certificate_days"], (29, 30))
        self.assertGreaterEqual(status["uptime"], 0)


class ServerTests(NodeCase):
    """A database server that goes away and comes back."""

    def test_away(self) -> None:
        """It shows by itself, though nobody writes; a server's database is copied by its own tools."""
        url = postgres.url()
        self.config.write_text(self.config.read_text() + f'[database]\nurl = "{url}"\n')
        self.serve()
        self.operate("backup", str(self.folder / "copy"), "--config", str(self.config), code=1)
        self.operate("restore", str(self.folder), "--config", str(self.config), code=1)
        server = postgres.server()
        server.stop()
        try:
            self.until((503, "no_database"))
            self.assertIsNone(self.status()["accounts"])
        finally:
            server.start()
        self.until((200, "ok"))
        self.assertEqual(self.status()["accounts"], 0)
