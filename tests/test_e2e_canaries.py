"""The disk reveals nothing: a node lives a whole life with marked values, and none is found anywhere."""

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import postgres
from tests.e2e import strace
from tests.e2e.canaries import Canaries
from tests.e2e.life import PUSH, Life
from tests.e2e.node_process import PATIENCE, TWISTD, NodeProcess
from tests.e2e.people import pair

ROOT = Path(__file__).parent.parent


class TracedNode(NodeProcess):
    """A node under strace, which ends a moment after it."""

    def __init__(
        self,
        database: str = "sqlite",
        program: Sequence[str] = TWISTD,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(database, environment=environment, more=PUSH)
        self.traces = self.folder / "traces"
        self.command = strace.command(self.traces, list(program))

    def traced(self) -> strace.Trace:
        """What was traced, once the node has ended."""
        deadline = time.monotonic() + PATIENCE
        while any(not path.read_bytes().endswith(b"+++\n") for path in self.traces.iterdir()):
            assert time.monotonic() < deadline, "strace does not come to an end"
            time.sleep(0.05)
        trace = strace.read(self.traces)
        shutil.rmtree(self.traces)
        return trace

    def shown(self) -> bytes:
        """What the system tells others about the process."""
        names = ("environ", "cmdline", "comm", "status")
        return b"\n".join(Path(f"/proc/{self.pid}/{name}").read_bytes() for name in names)

    def copy_state(self, name: str) -> None:
        """A copy of the state directory as it is now, log and shared memory of the database included."""
        ignored = shutil.ignore_patterns("*.sock")
        shutil.copytree(self.state, self.folder / name, ignore=ignored)


class CanaryTests(SynchronousTestCase):
    """Nothing that people or operators entrust to a node is written down."""

    def _node(self, database: str = "sqlite", *program: str, **environment: str) -> TracedNode:
        node = TracedNode(database, program or TWISTD, environment)
        self.addCleanup(node.close)
        node.start()
        return node

    def _unexpected(self, trace: strace.Trace, node: TracedNode) -> list[str]:
        """Files that a node has no business to write: all outside of its folder, but for Python's own."""
        caches = ("__pycache__", "dropin.cache")
        return [
            path
            for path in sorted(trace.to_write)
            if not path.startswith((f"{node.folder}/", "/dev/", "anon_inode:", "pipe:"))
            and not (path.startswith(f"{ROOT}/") and any(cache in path for cache in caches))
        ]

    def _found(self, canaries: Canaries, node: TracedNode, trace: strace.Trace) -> list[str]:
        found = canaries.under(node.folder)
        for path, octets in trace.written.items():
            found += [f"written to {path}: {name}" for name in canaries.in_octets(octets)]
        return found

    def _live(self, database: str = "sqlite") -> tuple[Life, TracedNode, strace.Trace]:
        """A node's life; nothing of it is found on its side."""
        node = self._node(database)
        life = Life(node)
        life.live()
        node.copy_state("while it ran")
        if os.geteuid() == 0:
            self.assertEqual(life.canaries.in_octets(node.shown()), [])
        node.stop()
        trace = node.traced()
        self.assertEqual(self._found(life.canaries, node, trace), [])
        self.assertEqual(self._unexpected(trace, node), [])
        self.assertEqual(trace.moved, [])
        # It was looked at: what the log holds was seen on its way there.
        self.assertEqual(trace.written[str(node.log)].count(b"Unsealed."), 1)
        print(
            f"\n    {len(life.canaries)} forms sought in {sum(map(len, trace.written.values())):,} octets "
            f"written to {len(trace.written)} places",
            end=" ",
        )
        return life, node, trace

    def test_sqlite(self) -> None:
        """On SQLite: the file, its log, its shared memory, while the node runs and after."""
        _, node, trace = self._live()
        names = {path.name for path in (node.folder / "while it ran").iterdir()}
        self.assertTrue({"home.sqlite", "home.sqlite-wal", "home.sqlite-shm", "secrets"} <= names, names)
        self.assertGreater(len(trace.written[str(node.state / "home.sqlite-wal")]), 50_000)
        # It looks whether another node answers at its own socket.
        self.assertLessEqual(trace.connected, {bytes(node.state / "admin.sock")})

    def test_postgresql(self) -> None:
        """On PostgreSQL: its data, its write-ahead log, its server's log."""
        url = postgres.url()
        server = postgres.server()
        since = time.time()
        life, node, trace = self._live(url)
        server.sql("CHECKPOINT")
        self.assertEqual(life.canaries.under(server.directory, since), [])
        changed = [path for path in server.directory.rglob("*") if path.stat().st_mtime >= since]
        self.assertTrue(any("pg_wal" in path.parts for path in changed))
        self.assertTrue(any("base" in path.parts for path in changed))
        # glibc asks its cache of names, where there is one, for the user's home.
        reached = {name.rpartition(b"/")[0].decode() for name in trace.connected}
        reached -= {"/var/run/nscd", str(node.state)}
        self.assertEqual(reached, {str(server.directory)})

    def test_planted_leak(self) -> None:
        """The tests above can fail: a node that leaks in each way is found out in each."""
        box = self.mktemp()
        os.mkdir(box)
        canaries = Canaries()
        node = self._node(
            "sqlite",
            *(sys.executable, "-m", "tests.e2e.leaking_node"),
            PYTHONPATH=str(ROOT),
            LEAK=str(Path(box).absolute()),
            SECRET=canaries.word("a variable"),
        )
        _, client, _, _, chat = pair(node, "anna", "bert")
        body = {"kind": "text", "text": canaries.text("a text")}
        client.call("chat.send", chat=chat, client_id="1", body=body)
        if os.geteuid() == 0:
            self.assertEqual(canaries.in_octets(node.shown()), ["a variable (plain)"])
        node.stop()
        trace = node.traced()
        found = self._found(canaries, node, trace)
        in_box = canaries.under(Path(box))
        for place, form in (("log", "a text (plain)"), ("log", "a text, not ASCII (plain)")):
            self.assertIn(f"{place}: {form}", found)
        for place, form in (
            ("base64", "a text (base64 at 1)"),
            ("utf-16", "a text (UTF-16, little-endian)"),
            ("mapped", "a text, not ASCII (plain)"),
        ):
            self.assertTrue(
                any(line.startswith(f"{place}: ") and form[:6] in line for line in in_box), in_box
            )
        self.assertFalse(any("gone" in line for line in in_box))
        self.assertIn(f"written to {Path(box).absolute()}/gone: a text (plain)", found)
        self.assertFalse(any("/mapped" in line for line in found))
        self.assertEqual(
            self._unexpected(trace, node),
            sorted(f"{Path(box).absolute()}/{name}" for name in ("base64", "gone", "mapped", "utf-16")),
        )
